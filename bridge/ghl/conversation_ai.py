"""GHL's own bot, Conversation AI: which messages it wrote, and where it answers by itself.

GHL's OpenAPI file apps/v3/conversation-ai-v3.json (2026-06-19). Both reads need the scope
`conversation-ai.readonly`. The answer of `generations` for a message that no bot wrote is not documented: anything except a
generation means that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bridge.ghl.client import ONLY_V3
from bridge.ghl.refusals import refusal
from bridge.wire.answers import as_text, json_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.ghl.access import Access
    from bridge.ghl.client import GHL
    from bridge.model import MessageId

SCOPE = "conversation-ai.readonly"
_LISTED = 50
# There is no such id, or no generation for it.
_NOT_THERE = frozenset({400, 404, 422})


@dataclass(frozen=True, slots=True)
class AutoPilot:
    """A bot that answers without approval: its name in GHL, and its channels (as GHL calls them)."""

    name: str
    channels: tuple[str, ...]


def wrote(ghl: GHL, message_id: MessageId, *, token: Access, seconds: float) -> bool:
    """Whether GHL's bot wrote a message. Raises as `GHL.contact`; OperatorMustFix without the scope."""
    read = partial(decipher_generation)
    params = {"messageId": message_id, "source": "conversation"}
    return ghl.read("/conversation-ai/generations", read, token=token, version=ONLY_V3, seconds=seconds, params=params)


def auto_pilots(ghl: GHL, *, token: Access, seconds: float) -> tuple[AutoPilot, ...]:
    """The location's bots that answer by themselves. Raises as `wrote`."""
    params = {"limit": _LISTED}
    return ghl.read(
        "/conversation-ai/agents/search", decipher_agents, token=token, version=ONLY_V3, seconds=seconds, params=params
    )


def decipher_generation(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    """Read an answer of `generations`. Raises the error of `refusal`, except for "there is none"."""
    if status in _NOT_THERE:
        return False
    document = _read(status, headers, body, what="look for a bot's generation")
    return bool(as_text(document.get("responseMessage")) or as_text(document.get("prompt")))


def decipher_agents(status: int, headers: Mapping[str, str], body: bytes) -> tuple[AutoPilot, ...]:
    """Read the list of bots; rows in another format are left out. Raises as `decipher_generation`."""
    rows = _read(status, headers, body, what="list of GHL's bots").get("agents")
    listed = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return tuple(
        AutoPilot(as_text(row.get("name")), tuple(as_text(one) for one in row.get("channels") or ()))
        for row in listed
        if row.get("mode") == "auto-pilot"
    )


def _read(status: int, headers: Mapping[str, str], body: bytes, *, what: str) -> Mapping[str, object]:
    if not 200 <= status < 300:  # noqa: PLR2004 - the protocol's own numbers
        raise refusal(status, headers, body, what=what)
    return json_object(body) or {}
