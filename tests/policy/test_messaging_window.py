"""The time within which Meta's channels accept replies."""

from __future__ import annotations

import pytest

from bridge.model import Channel, Reason
from bridge.policy.messaging_window import judge_window
from tests.stored import message

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
CLOSING = (Channel.FB, Channel.IG, Channel.WHATSAPP)
LONGER = Channel.TIKTOK


@pytest.mark.parametrize("channel", CLOSING)
@pytest.mark.parametrize(("age_ms", "open_"), [(0, True), (24 * HOUR_MS, True), (24 * HOUR_MS + 1, False), (-HOUR_MS, True)])
def test_meta_takes_replies_for_a_day(channel: Channel, age_ms: int, *, open_: bool) -> None:
    """24 hours after the contact's last message a reply is too late, and not a millisecond earlier."""
    skip = judge_window(message(channel=channel, date_added_ms=NOW_MS - age_ms), now_ms=NOW_MS)
    assert (skip is None) == open_
    assert skip is None or skip.reason is Reason.TOO_OLD


def test_the_facts_tell_the_age_and_the_rule() -> None:
    """`explain` shows the age of the message and what the channel allows."""
    skip = judge_window(message(channel=Channel.IG, date_added_ms=NOW_MS - 30 * HOUR_MS), now_ms=NOW_MS)
    assert skip
    assert skip.facts == "30.0 h after the contact's last message, IG accepts replies for 24 h"


def test_tiktok_takes_replies_for_two_days() -> None:
    """Its time is twice that of Meta's channels."""
    assert judge_window(message(channel=LONGER, date_added_ms=NOW_MS - 48 * HOUR_MS), now_ms=NOW_MS) is None
    skip = judge_window(message(channel=LONGER, date_added_ms=NOW_MS - 49 * HOUR_MS), now_ms=NOW_MS)
    assert skip
    assert skip.facts.endswith("TikTok accepts replies for 48 h")


@pytest.mark.parametrize("channel", [channel for channel in Channel if channel not in {*CLOSING, LONGER}])
def test_other_channels_have_no_window(channel: Channel) -> None:
    """The time for an SMS or an e-mail depends only on the location's settings."""
    assert judge_window(message(channel=channel, date_added_ms=1), now_ms=NOW_MS) is None


def test_a_message_without_a_date_is_new() -> None:
    """A message without a date counts as new."""
    assert judge_window(message(channel=Channel.FB, date_added_ms=0), now_ms=NOW_MS) is None
