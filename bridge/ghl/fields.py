"""Reading GHL's JSON defensively: any key may be missing or of another type than documented."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

# Ids become parts of Redis keys and of lanes (`location:contact`): no colon, no white space, no control character.
ID_PATTERN = "[A-Za-z0-9_.@<>=+~/$-]{1,200}"
_ID = re.compile(rf"(?=.*[A-Za-z0-9]){ID_PATTERN}")
# Every C0 control except \t and \n, DEL, and halves of surrogate pairs, which can't be encoded.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_MAX_URL = 4_096
_EVENT_FIELDS = frozenset({"locationId", "contactId", "conversationId", "messageType", "messageTypeString", "body", "direction"})
# `callStatus` in GHL's OpenAPI files (2026-06-19), beside pending, completed and answered.
_MISSED_CALLS = frozenset({"busy", "no-answer", "failed", "canceled", "voicemail"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 253_402_300_800_000  # the year 10000
_EARLIEST_AS_MS = 100_000_000_000  # in seconds this is the year 5138, in milliseconds 1973: no message has either date


def read_event(body: bytes) -> dict[str, Any] | None:
    """Read a webhook's body as one flat object; None if it is not a JSON object, nested too deep, or holds NaN.

    GHL's integration guide shows the event's fields inside `data`, delivered samples have them at the root: both are accepted.
    """
    return flat(_load(body))


def flat(root: object) -> dict[str, Any] | None:
    """An event with its fields at the root, whether they were there or inside `data`; None if it is not an object."""
    if not isinstance(root, dict):
        return None
    data = root.get("data")
    if isinstance(data, dict) and _EVENT_FIELDS.isdisjoint(root):
        return {**data, **root}
    return root


def identifier(value: object) -> str:
    """Return an id that may be used, else the empty string: 1 to 200 characters, ASCII, at least one letter or digit."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def text(value: object, *, limit: int) -> str:
    r"""Return a text of at most `limit` characters, with \n as line break and \t as the only control; empty if there is none."""
    if not isinstance(value, str):
        return ""
    if value.isprintable():  # most are, and looking takes a tenth of the time of what follows
        return value[:limit]
    return _UNPRINTABLE.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))[:limit]


def addresses(value: object, *, most: int) -> tuple[str, ...]:
    """Return the usable URLs of a list, at most `most`."""
    found = value if isinstance(value, list) else []
    usable = [url for url in found if isinstance(url, str) and url == text(url, limit=_MAX_URL) != ""]
    return tuple(usable[:most])


def number(value: object) -> int | None:
    """Return a whole number, given as such or as digits; else None."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:9])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def call_seconds(duration: object, status: object) -> float:
    """Return how long a call lasted (s): its `callDuration`; 0 if it was missed, by its `callStatus`."""
    missed = isinstance(status, str) and status.strip().lower() in _MISSED_CALLS
    return 0.0 if missed else float(number(duration) or 0)


def moment_ms(value: object) -> int:
    """Return milliseconds since 1970, from an ISO date (UTC if it has no zone), seconds or milliseconds; 0 if unreadable."""
    if isinstance(value, str):
        return _from_digits(value) if value.isascii() and value.isdigit() else _from_iso(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_epoch(value)
    return 0


def blocked_channels(settings: dict[str, Any]) -> tuple[str, ...]:
    """The channels that `dndSettings` block: those whose status is `active` or `permanent`."""
    return tuple(
        channel
        for channel, setting in settings.items()
        if isinstance(setting, dict) and setting.get("status") in ("active", "permanent")
    )


def _load(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return lenient(body.decode("utf-8-sig", "replace"))


def lenient(text: str, *, once: bool = False) -> object:
    r"""Read JSON whose texts may contain line breaks, tabs and other controls; None if it can't be read.

    JavaScript may cut a text inside an emoji and write the half as \ud83d: to refuse it would lose the message.
    With `once`, an object with a duplicate name is refused.
    """
    try:
        return json.loads(text, strict=False, parse_constant=_refuse, object_pairs_hook=_named_once if once else None)
    except (ValueError, RecursionError):
        return None


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _from_iso(value: str) -> int:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, (aware - _EPOCH) // timedelta(milliseconds=1))


def _from_digits(value: str) -> int:
    return _from_epoch(int(value[:20]))


def _from_epoch(value: float) -> int:
    # Written so that infinity and NaN fail the comparison too.
    if not 0 < value < _LATEST_MS:
        return 0
    return int(value if value >= _EARLIEST_AS_MS else value * 1000)
