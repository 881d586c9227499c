"""Sends replies again that GHL accepted but that did not reach their contacts: on demand, checked like every send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from bridge.errors import BridgeError, DidNotWork, NotKnown
from bridge.ghl.access import Access, Need
from bridge.model import Channel, MessageId, Role
from bridge.operating.ghl_messages import READ_SECONDS, find_message
from bridge.operating.operation import operation
from bridge.operating.reach import undelivered_replies
from bridge.operating.services import AdminServices
from bridge.store.figures.deliveries import Undelivered
from bridge.store.figures.deliveries import undelivered as read_undelivered
from bridge.store.lanes.timelines import MessageRecord, Timeline
from bridge.store.lanes.transcripts import MOST_CHARACTERS

Id = Annotated[str, Field(min_length=1, max_length=200)]
MOST = 20
MOST_SAID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    """The replies, by GHL's ids. `force`: even if a newer turn of the contact was answered."""

    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=MOST)]
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """The result for one reply.

    `replayed`: it is sent in its turn, unless a rule forbids it. `closed`: it was replayed before, or its message is not stored
    any more. `newer`: a newer turn of the contact was answered, so only `force` replays it.
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
    timeline = services.timelines.find(one.lane.contact_id)
    record = _answered(services, one, timeline)
    if timeline is None or record is None:
        return "closed"
    kept = services.locations.get(one.lane.location_id)
    if kept is None:
        raise DidNotWork(f"location {one.lane.location_id} is not known any more")
    access = services.ghl_access.open(kept, Need.LOOKUP)
    try:
        answered, text = find_message(services, kept, timeline, record), _text(services, one, access)
    except BridgeError as error:
        raise DidNotWork(f"GHL lacks the text of reply {one.reply_id}, or the message that it answers: {error}") from error
    if answered is None:
        raise DidNotWork(f"reply {one.reply_id} answers message {record.id}, which GHL does not list any more")
    return services.resends.resend(one, answered, text, force=force)


def _answered(services: AdminServices, one: Undelivered, timeline: Timeline | None) -> MessageRecord | None:
    """The message that the reply answers: the newest of its turn."""
    ids = set(services.resends.ids_of(one))
    return next((each for each in reversed(timeline.messages if timeline else ()) if ids & set(each.reply_ids)), None)


def _text(services: AdminServices, one: Undelivered, access: Access) -> str:
    """The text of the reply: from GHL, or for an e-mail, which is HTML there, from the transcript."""
    if one.channel != Channel.EMAIL:
        return services.ghl.text(MessageId(one.reply_id), token=access, seconds=READ_SECONDS)
    ids = set(services.resends.ids_of(one))
    text = next((each.content for each in services.standings.said(one.lane, MOST_SAID) if each.id in ids), "")
    if not text or len(text) >= MOST_CHARACTERS:
        raise DidNotWork("the e-mail is not in the transcript, or was cut there")
    return text
