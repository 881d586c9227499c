"""Sending replies once more that GHL took and that did not reach their contacts: by hand, guarded like every send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from bridge.errors import BridgeError, DidNotWork, NotKnown
from bridge.ghl.access import Access, Need
from bridge.ghl.conversations import FoundConversation, as_email, as_message
from bridge.model import Channel, ConversationId, InboundMessage, MessageId, Role
from bridge.operating.operation import operation
from bridge.operating.reach import undelivered_replies
from bridge.operating.services import AdminServices
from bridge.store.figures.deliveries import Undelivered
from bridge.store.figures.deliveries import undelivered as read_undelivered
from bridge.store.lanes.timelines import MessageRecord
from bridge.store.lanes.transcripts import MOST_CHARACTERS

Id = Annotated[str, Field(min_length=1, max_length=200)]
MOST = 20
READ_SECONDS = 10.0
# Of a conversation, back to the message that was answered.
MOST_PAGES = 5
MOST_SAID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """Which replies, by GHL's ids of them. `force`: even if a newer turn of the contact was answered."""

    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=MOST)]
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """The result for one reply.

    `replayed`: it is sent as soon as its turn comes, if no rule speaks against it. `closed`: it was replayed before, or its
    message is not kept any more. `newer`: a newer turn of the contact was answered, so that only `force` replays it.
    """

    id: str
    result: Literal["replayed", "closed", "newer"]


@operation(
    "conversations.replay_undelivered",
    "POST",
    "/undelivered/replay",
    about=lambda asked: asked.ids,
    role=Role.OPERATE,
    reach=undelivered_replies,
)
def replay_undelivered(services: AdminServices, asked: Resend) -> tuple[Resent, ...]:
    """Send replies that did not reach their contacts once more, with all guards."""
    known = {one.reply_id: one for one in read_undelivered(services.redis)}
    if missing := [id_ for id_ in asked.ids if id_ not in known]:
        raise NotKnown(f"not undelivered: {', '.join(missing)}; `ghl-bridge conversations undelivered` lists the ones that are")
    return tuple(Resent(id=id_, result=_resend(services, known[id_], force=asked.force)) for id_ in asked.ids)


def _resend(services: AdminServices, one: Undelivered, *, force: bool) -> Literal["replayed", "closed", "newer"]:
    record = _answered(services, one)
    if record is None:
        return "closed"
    kept = services.locations.get(one.lane.location_id)
    if kept is None:
        raise DidNotWork(f"location {one.lane.location_id} is not known any more")
    access = services.ghl_access.open(kept, Need.LOOKUP)
    try:
        answered, text = _message(services, one, record, access), _text(services, one, access)
    except BridgeError as error:
        raise DidNotWork(f"GHL does not tell what reply {one.reply_id} said, or to what: {error}") from error
    return services.resends.resend(one, answered, text, force=force)


def _answered(services: AdminServices, one: Undelivered) -> MessageRecord | None:
    """The message that the reply answers: the newest of its turn."""
    timeline = services.timelines.find(one.lane.contact_id)
    ids = set(services.resends.ids_of(one))
    return next((each for each in reversed(timeline.messages if timeline else ()) if ids & set(each.reply_ids)), None)


def _message(services: AdminServices, one: Undelivered, record: MessageRecord, access: Access) -> InboundMessage:
    """That message as GHL has it: its text is not kept here once it is answered."""
    id_, conversation_id = MessageId(record.id), ConversationId(record.conversation_id)
    conversation = FoundConversation(conversation_id=conversation_id, contact_id=one.lane.contact_id, last_ms=0, inbound=True)
    if one.channel == Channel.EMAIL:
        row = services.ghl.email(id_, token=access, seconds=READ_SECONDS)
        found = as_email(row, location_id=one.lane.location_id, conversation=conversation)
    else:
        found = _listed(services, id_, conversation, one, access)
    if found is None:
        raise DidNotWork(f"message {id_} is not in its conversation")
    return found


def _listed(
    services: AdminServices, id_: MessageId, conversation: FoundConversation, one: Undelivered, access: Access
) -> InboundMessage | None:
    after = MessageId("")
    for _ in range(MOST_PAGES):
        page = services.ghl.page(conversation.conversation_id, token=access, seconds=READ_SECONDS, after=after)
        for listed, row in zip(page.listed, page.rows, strict=True):
            if listed.id == id_:
                return as_message(row, location_id=one.lane.location_id, conversation=conversation)
        after = page.next_after
        if not after:
            break
    return None


def _text(services: AdminServices, one: Undelivered, access: Access) -> str:
    """What the reply said: as GHL has it, or of an e-mail, which is HTML there, as it is on record."""
    if one.channel != Channel.EMAIL:
        return services.ghl.text(MessageId(one.reply_id), token=access, seconds=READ_SECONDS)
    ids = set(services.resends.ids_of(one))
    said = next((each.content for each in services.standings.said(one.lane, MOST_SAID) if each.id in ids), "")
    if not said or len(said) >= MOST_CHARACTERS:
        raise DidNotWork("the e-mail is not on record, or longer than the record")
    return said
