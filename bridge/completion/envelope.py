"""A parsed answer before its interpretation: the result of a provider's module. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from bridge.model import Reason

THE_MODELS_LIMIT = "the max_tokens of the model that answers there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The fields of a service's answer. `judging` decides whether it is a reply, no reply or a fault.

    `content`: the value at the place of the reply: a text, a number, a list of parts, or something else. `ended`: the service's
    finish reason. `silence`: it states explicitly that it gives no reply. `tools`: the names of tools that it wants the bridge to
    call, which the bridge doesn't do. `thoughts`: it has thoughts in a separate field. `error`: the document, if it reports an
    error; `broken_off`: an error of this answer, whose text is then incomplete. `setting`, `place`: the setting with the path of
    the reply, and its value. `bare`: the text is the whole body, or from a field that may also contain a tool's status text.
    `limit`: the setting to raise if the answer was cut off. `evidence`: the evidence by the names of `evidence.NAMES`, with
    unchanged values. `ran`: the names of tools that the service called itself. `handover`: it explicitly asks for a person;
    `note`: its message to that person.
    """

    content: object = None
    ended: object = ""
    silence: Reason | None = None
    tools: tuple[str, ...] = ()
    thoughts: bool = False
    error: Mapping[str, Any] | None = None
    broken_off: object = None
    setting: str = ""
    place: str = ""
    bare: bool = False
    limit: str = THE_MODELS_LIMIT
    session_id: str = ""
    claimed_message_id: str = ""
    says_sent: bool = False
    trace_id: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    ran: tuple[str, ...] = ()
    handover: bool = False
    note: str = ""
