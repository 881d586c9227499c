"""What any HTTP answer says, whoever sent it: its JSON, how long to wait, and its form in words that give no content away."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# A wait beyond any retry schedule of ours is a mistake of the other side, and nobody would see what waits for it.
LONGEST_WAIT = 24 * 3600.0

# What is no JSON; None is: it is `null`.
NO_JSON = object()

_KEY = re.compile(r"[A-Za-z_]{1,32}")
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def json_object(body: bytes) -> dict[str, Any] | None:
    """Read a JSON object; None for everything else, whatever is wrong with it."""
    document = json_value(body)
    return document if isinstance(document, dict) else None


def json_value(body: bytes | str) -> Any:
    """Read any JSON value; `NO_JSON` for everything else."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return NO_JSON


def words_in(headers: Mapping[str, str], body: bytes) -> str | None:
    """Read a body as words, without a byte order mark; None if it is neither UTF-8 nor what its `charset` says."""
    named = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", headers.get("Content-Type", ""), re.ASCII | re.IGNORECASE)
    for charset in ("utf-8-sig", *(named.groups() if named else ())):
        with contextlib.suppress(UnicodeError, LookupError):
            return body.decode(charset)
    return None


def part(document: object, *path: str) -> Any:
    """Walk down nested objects; None where a step is missing or is no object."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def as_text(value: object) -> str:
    """Take a text, "" for anything else. Half an emoji, cut by somebody, becomes a question mark: UTF-8 can't hold it."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def shape(body: bytes) -> str:
    """Name the form of an answer, like `an object with error, statusCode`: fit for messages, for it quotes no value."""
    document = json_value(body)
    if isinstance(document, dict):
        return form_of(document)
    if isinstance(document, list):
        return "a list"
    if not body.strip():
        return "an empty body"
    return "a page of HTML" if body.lstrip()[:1] == b"<" else "no JSON object"


def form_of(document: Mapping[str, Any]) -> str:
    """Name the form of an object by its keys."""
    keys = sorted(key for key in document if _KEY.fullmatch(key))
    return f"an object with {', '.join(keys[:8]) or 'no known keys'}"


def about_money(body: bytes) -> bool:
    """Does an error speak of credit, billing or quota? That passes, whatever its status: a lapse once lost 114 messages."""
    return re.search(rb"credit|billing|quota", body, re.IGNORECASE) is not None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks to wait, at most a day; None when it is absent or unreadable.

    A date is measured against the answer's own `Date`, so that clocks needn't agree (RFC 9110, 10.2.3 and 6.6.1).
    """
    asked = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(asked):
        return min(float(asked), LONGEST_WAIT)
    until = _date(asked)
    if until is None:
        return None
    now = _date(headers.get("Date", "")) or datetime.now(UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)


def date_ms(headers: Mapping[str, str]) -> int:
    """The other side's clock when it answered, in whole seconds; 0 when it does not say."""
    date = _date(headers.get("Date", ""))
    return round(date.timestamp() * 1000) if date else 0


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
