"""Stored messages and answers."""

from __future__ import annotations

import orjson
import pytest

from bridge.model import NO_REPLY_REASONS, Channel, Completion, Reason
from bridge.store.lanes.messages import decode, decode_answer, encode, encode_answer
from tests.stored import message


def test_a_message_comes_back_as_it_was() -> None:
    """Every field is read as it was stored."""
    kept = message(channel=Channel.EMAIL, attachments=("https://x.com/1",), subject="s", sender="ann@example.com")
    assert decode(encode(kept).decode()) == kept


def test_a_message_of_an_older_version_is_read() -> None:
    """It has no sender, because older versions stored none."""
    fields = orjson.loads(encode(message(sender="ann@example.com")))
    del fields["sender"]
    assert decode(orjson.dumps(fields).decode()) == message()


def test_an_answer_comes_back_as_it_was() -> None:
    """The reason and the way of reading it are included, for the timeline."""
    spoken = Completion(text="yes", notes=("removed: thoughts",), waited_out=("busy",), session_id="s")
    for answer in (spoken, *(Completion(text="", why_silent=reason) for reason in sorted(NO_REPLY_REASONS))):
        assert decode_answer(encode_answer(answer)) == answer


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        ("empty answer", Reason.EMPTY),
        ("refusal", Reason.REFUSAL),
        ("content_filter", Reason.FILTERED),
        ("tool calls without a text", Reason.TOOL_CALL),
        ("stale_job", Reason.STALE_JOB),
        ("a reason of next year", Reason.EMPTY),
        ("dnd", Reason.EMPTY),
        (None, Reason.EMPTY),
    ],
)
def test_the_silence_of_another_version_is_read(why: str | None, reason: Reason) -> None:
    """An older version's text, and a newer version's unknown reason, stop no turn."""
    kept = orjson.dumps({"text": "", "why_silent": why, "of": "tomorrow"}).decode()
    assert decode_answer(kept) == Completion(text="", why_silent=reason)


def test_an_older_version_reads_why_an_answer_is_silent_as_a_text() -> None:
    """It is stored as a plain text, empty if there is no answer."""
    kept = [orjson.loads(encode_answer(Completion(text=text, why_silent=why))) for text, why in (("", Reason.EMPTY), ("a", None))]
    assert [one["why_silent"] for one in kept] == ["empty", ""]
