"""Timeline lines: short ones and full ones say the same."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from bridge.store.lanes.phrases import PHRASES, event_in_short, read_event
from bridge.store.redis.lua import all_scripts

TEXTS = st.text(max_size=20) | st.sampled_from(sorted(PHRASES.values())) | st.text(alphabet=sorted(PHRASES), max_size=4)
VALUES = st.recursive(
    TEXTS | st.integers(-(2**53), 2**53) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)


@given(event=st.dictionaries(TEXTS, VALUES, max_size=4))
def test_an_event_is_read_as_it_was_written(event: dict[str, Any]) -> None:
    """Whatever is in it, control characters and the phrases themselves too, and whether it is stored short or in full."""
    assert read_event(event_in_short(event)) == read_event(orjson.dumps(event).decode()) == event


def test_an_event_takes_half_the_room() -> None:
    """The steps of most replies are stored in a third of their JSON, apart from their ids and numbers."""
    events = (
        {"step": "accepted", "message_id": "", "channel": "SMS", "date_added_ms": 1, "characters": 80},
        {"step": "asking", "provider": "", "message_ids": [""], "attempt": 1},
        {"step": "sending", "part": "0", "type": "SMS", "characters": 240},
        {"step": "sent", "part": "0", "reply_ids": [""], "how": "posted"},
        {"step": "replied", "message_ids": [""], "reply_ids": [""]},
    )
    assert all(len(event_in_short(event)) * 3 <= len(orjson.dumps(event)) for event in events)


def test_a_script_that_reads_a_line_knows_how_it_begins() -> None:
    """`look_over.lua` finds a message's id in a short line too."""
    assert PHRASES["\x01"] == '{"step":"accepted","message_id":"'
    assert r"match('\1(" in all_scripts()["look_over"].code
