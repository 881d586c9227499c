"""An answer taken apart and not yet judged: what a provider's module hands over. Pure."""

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
    """What a service said, and what it said about it. `reading` turns it into speech, silence or a fault.

    `content`: what stands where the reply should be: a text, a number, a list of parts, or something that is none of these.
    `ended`: why the service says that the text ended, in its own word. `silence`: it says outright that there is nothing to say.
    `tools`: the names of tools that it wants called, which nobody here does. `thoughts`: it has thought, in a field of its own.
    `error`: the document, if it reports an error; `broken_off`: an error of this one answer, whose text is then no whole one.
    `setting`, `place`: the setting that says where the reply stands, and its value. `bare`: the text is the whole body, or stood
    in a place that also holds a tool's word about itself. `limit`: the setting to raise when the answer was cut off.
    `evidence`: how it came to its answer, by the names of `evidence.NAMES`; values as they came. `ran`: the names of tools that
    it has called by itself. `handover`: it says outright that a person shall go on; `note`: what it tells that person.
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
