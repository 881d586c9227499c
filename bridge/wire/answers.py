"""Parsing of HTTP answers: their JSON, the requested wait, and their structure as a phrase without content."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# A wait that is longer than any retry schedule is an error of the service, and the messages would be forgotten.
LONGEST_WAIT = 24 * 3600.0

# Stands for invalid JSON, because None stands for `null`.
NO_JSON = object()

_KEY = re.compile(r"[A-Za-z_]{1,32}")
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def json_object(body: bytes) -> dict[str, Any] | None:
    """Parse a JSON object; None for everything else, including invalid JSON."""
    document = json_value(body)
    return document if isinstance(document, dict) else None


def json_value(body: bytes | str) -> Any:
    """Parse any JSON value; `NO_JSON` for invalid JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return NO_JSON


def words_in(headers: Mapping[str, str], body: bytes) -> str | None:
    """Decode a body as text, without a byte order mark; None if it is neither UTF-8 nor in its `charset`."""
    named = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", headers.get("Content-Type", ""), re.ASCII | re.IGNORECASE)
    for charset in ("utf-8-sig", *(named.groups() if named else ())):
        with contextlib.suppress(UnicodeError, LookupError):
            return body.decode(charset)
    return None


def part(document: object, *path: str) -> Any:
    """A value in nested objects; None if a step is missing or not an object."""
    for key in path:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def as_text(value: object) -> str:
    """A text, "" for anything else. A lone surrogate becomes a question mark, because UTF-8 can't encode it."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def shape(body: bytes) -> str:
    """The structure of an answer as a phrase, like `an object with error, statusCode`, without any value."""
    document = json_value(body)
    if isinstance(document, dict):
        return form_of(document)
    if isinstance(document, list):
        return "a list"
    if not body.strip():
        return "an empty body"
    return "an HTML page" if body.lstrip()[:1] == b"<" else "no JSON object"


def form_of(document: Mapping[str, Any]) -> str:
    """The structure of an object as a phrase with its keys."""
    keys = sorted(key for key in document if _KEY.fullmatch(key))
    return f"an object with {', '.join(keys[:8]) or 'no known keys'}"


def about_money(body: bytes) -> bool:
    """Whether an error is about credit, billing or quota, which is temporary with any status: a lapse once lost 114 messages."""
    return re.search(rb"credit|billing|quota", body, re.IGNORECASE) is not None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The wait of `Retry-After` (s), at most a day; None if it is absent or unreadable.

    A date is compared with the answer's own `Date`, so that clocks may differ (RFC 9110, 10.2.3 and 6.6.1).
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
    """The server's clock when it answered (ms, whole seconds); 0 if the answer has no date."""
    date = _date(headers.get("Date", ""))
    return round(date.timestamp() * 1000) if date else 0


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
