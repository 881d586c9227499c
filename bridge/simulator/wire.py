"""Requests and answers, independent of any web framework."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """An answer."""

    status: int
    content: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def plus(self, headers: Mapping[str, str]) -> CallAnswer:
        """Add headers; existing ones are not changed."""
        return replace(self, headers={**headers, **self.headers})


class Refused(Exception):
    """Raised to end a request with this answer."""

    def __init__(self, answer: CallAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(slots=True)
class Call:
    """One request, with the ids of its location and contact as far as it contains them."""

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
        """The bearer token, or ""."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def text(self, key: str) -> str:
        """A string of the body; "" if it is anything else."""
        value = self.body.get(key) if isinstance(self.body, dict) else None
        return value if isinstance(value, str) else ""


def reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> CallAnswer:
    """Answer with JSON."""
    return CallAnswer(status, orjson.dumps(value), headers=headers or {})


def read_json(raw: bytes) -> Any:
    """Parse a body; None if it is not JSON."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
