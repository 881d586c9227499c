"""Which of GHL's messages a webhook without ids reported."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model import Listed
from bridge.policy.resolving import FRESH_MS, LISTED_MS, SLACK_MS, find, is_settled
from tests.stored import message

CAME = 1_000_000


def row(id_: str, at: int, text: str = "Yes!", **fields: Any) -> Listed:
    given = {"direction": "inbound", "user_id": "", "source": "", "type": "TYPE_SMS", **fields}
    return Listed(id=id_, text=text, date_added_ms=CAME + at, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], None),
        ([row("a", -1)], "a"),
        ([row("a", -1), row("b", -60_000)], "a"),
        ([row("b", -60_000), row("a", -1)], "a"),
        ([row("a", -1, "No!")], None),
        ([row("a", -1, "<p>yes! </p>")], "a"),
        ([row("a", -1, "")], None),
        ([row("a", -1, direction="outbound")], None),
        ([row("a", SLACK_MS)], "a"),
        ([row("late", SLACK_MS + 1), row("a", -1)], "a"),
        ([row("late", 60_000)], None),
        ([row("other", -1, type="TYPE_WHATSAPP"), row("a", -9000)], "a"),
        ([row("other", -1, type="TYPE_WHATSAPP")], "other"),
    ],
)
def test_the_newest_of_the_same_words_is_the_one(rows: list[Listed], found: str | None) -> None:
    """It is inbound with the same words, not newer than the webhook, and on the channel that the webhook named."""
    listed = find(message(text="yes!"), rows, came_ms=CAME)
    assert (listed.id if listed else None) == found


def test_without_a_clock_any_time_will_do() -> None:
    """If GHL's clock is unknown, no message is too new."""
    listed = find(message(text="yes!"), [row("late", 60_000), row("a", -1)], came_ms=0)
    assert listed
    assert listed.id == "late"


@pytest.mark.parametrize(
    ("listed", "after", "settled"),
    [
        (row("a", -1), 0, True),
        (row("a", -FRESH_MS), 0, True),
        (row("a", -FRESH_MS - 1), 0, False),
        (row("a", -FRESH_MS - 1), LISTED_MS, True),
        (None, 0, False),
        (None, LISTED_MS - 1, False),
        (None, LISTED_MS, True),
    ],
)
def test_an_old_match_or_none_is_looked_for_again(listed: Listed | None, after: int, *, settled: bool) -> None:
    """Until GHL must have listed the message, a better match may appear."""
    assert is_settled(listed, came_ms=CAME, now_ms=CAME + after) is settled
