"""A message's text, shown on request. No other operation shows it, and the audit log records each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from bridge.errors import Closed, DidNotWork, NotKnown
from bridge.ghl.access import Need
from bridge.model import MessageId, Role
from bridge.operating.operation import operation
from bridge.operating.reach import known_id
from bridge.operating.services import AdminServices

if TYPE_CHECKING:
    from bridge.model import LocationId

READ_SECONDS = 10.0
OFF = "BRIDGE_CONSOLE_SHOW_TEXT=0 on this server: texts are not shown; read them in GHL"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageText:
    """A message's text, and its source: stored in the bridge (`bridge`), or read from GHL (`ghl`)."""

    message_id: str
    text: str
    source: Literal["bridge", "ghl"]


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """The id of a contact's message, or of a reply."""

    id: Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class WordsQuery:
    """The id of a conversation or a contact."""

    id: Annotated[str, Field(min_length=1, max_length=200)]


@operation("messages.text", "POST", "/messages/{id}/text", about=lambda asked: (asked.id,), role=Role.READ, reach=known_id)
def text(services: AdminServices, asked: MessageQuery) -> MessageText:
    """Show one message's text, stored here or read from GHL. Disabled by BRIDGE_CONSOLE_SHOW_TEXT=0."""
    if not services.settings.console_show_text:
        raise Closed(OFF)
    id_ = MessageId(asked.id)
    lane = services.timelines.lane(id_)
    if lane is None:
        raise NotKnown(f"message {id_} is not known here")
    stored = services.timelines.text(lane, id_)
    if stored is not None:
        return MessageText(message_id=id_, text=stored, source="bridge")
    return MessageText(message_id=id_, text=_from_ghl(services, lane.location_id, id_), source="ghl")


@operation(
    "conversations.words",
    "POST",
    "/conversations/{id}/words",
    about=lambda asked: (asked.id,),
    role=Role.READ,
    reach=known_id,
)
def newest_words(services: AdminServices, asked: WordsQuery) -> MessageText:
    """Show a contact's newest message, stored here or read from GHL. Disabled by BRIDGE_CONSOLE_SHOW_TEXT=0."""
    if not services.settings.console_show_text:
        raise Closed(OFF)
    timeline = services.timelines.find(asked.id)
    if timeline is None or not timeline.messages:
        raise NotKnown(f"no message of {asked.id} is known here")
    newest = MessageId(timeline.messages[-1].id)
    stored = services.timelines.said(timeline.lane, newest)
    if stored is not None:
        return MessageText(message_id=newest, text=stored, source="bridge")
    return text.run(services, MessageQuery(newest))


def _from_ghl(services: AdminServices, location_id: LocationId, id_: MessageId) -> str:
    record = services.locations.get(location_id)
    if record is None:
        raise DidNotWork(f"message {id_} has expired, and its location was removed: read it in GHL")
    access = services.ghl_access.open(record, Need.LOOKUP)
    return services.ghl.text(id_, token=access, seconds=READ_SECONDS)
