"""Abbreviated timeline lines: a control character, which JSON never contains unescaped, replaces each frequent phrase.

Lines are stored abbreviated or in full, and both are read. A character never changes its meaning, because stored lines contain
it. `look_over.lua` reads the first one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

PHRASES: dict[str, str] = {
    "\x01": '{"step":"accepted","message_id":"',
    "\x02": '","date_added_ms":',
    "\x03": ',"characters":',
    "\x04": '{"step":"asking","provider":"',
    "\x05": '","message_ids":["',
    "\x06": '"],"attempt":1}',
    "\x07": '{"step":"answered","provider":"',
    "\x08": '","claimed_message_id":"","evidence":{"provider":"',
    "\x0b": '{"step":"sending","part":"0","type":"',
    "\x0c": '{"step":"sent","part":"0","reply_ids":["',
    "\x0e": '"],"how":"posted"}',
    "\x0f": '{"step":"replied","message_ids":["',
    "\x10": '"],"reply_ids":["',
    "\x11": '","channel":"',
    "\x12": ',"trace_id":"',
    "\x13": '","milliseconds":',
    "\x14": ',"seconds":',
    "\x15": ',"model":"',
    "\x16": ',"tokens":{"',
    "\x17": '"finish_reason":"',
    "\x18": '"session":"',
    "\x19": ',"tools":["',
    "\x1a": ',"knowledge":[["',
    "\x1b": '{"step":"ignored","message_id":"',
    "\x1c": '","reason":"',
    "\x1d": '{"step":"skipped","message_ids":["',
    "\x1e": '"run":"',
    "\x1f": '","facts":"',
}
_IN_FULL = {ord(short): phrase for short, phrase in PHRASES.items()}
# Some phrases contain others.
_LONGEST_FIRST = tuple(sorted(PHRASES.items(), key=lambda one: -len(one[1])))


def event_in_short(event: Mapping[str, Any]) -> str:
    """An event as an abbreviated line."""
    line = orjson.dumps(event).decode()
    for short, phrase in _LONGEST_FIRST:
        line = line.replace(phrase, short)
    return line


def read_event(document: str) -> dict[str, Any]:
    """An event of a timeline, however it is stored."""
    event: dict[str, Any] = orjson.loads(document.translate(_IN_FULL))
    return event
