"""One request as it came in and one answer as it goes out, free of any web framework's ways."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """What is sent back."""

    status: int
    content: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def plus(self, headers: Mapping[str, str]) -> CallAnswer:
        """Add headers; those that are there already win."""
        return replace(self, headers={**headers, **self.headers})


class Refused(Exception):
    """The request ends here, with this answer."""

    def __init__(self, answer: CallAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(slots=True)
class Call:
    """One request. Location and contact are what it is about, as far as it says."""

    endpoint: str
    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    body: Any
    location_id: str = ""
    contact_id: str = ""

    @property
    def bearer(self) -> str:
        """The bearer token, or nothing."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def text(self, key: str) -> str:
        """Read a string of the body; anything else is an empty one."""
        value = self.body.get(key) if isinstance(self.body, dict) else None
        return value if isinstance(value, str) else ""


def reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> CallAnswer:
    """Answer with JSON."""
    return CallAnswer(status, orjson.dumps(value), headers=headers or {})


def read_json(raw: bytes) -> Any:
    """Read a body; None if it is no JSON."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
