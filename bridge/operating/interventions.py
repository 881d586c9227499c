"""Interventions: an operator retries a conversation, has a skipped message answered, or sends a draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from bridge.errors import DidNotWork, NotKnown, WrongInput
from bridge.ghl.access import Need
from bridge.model import Completion, MessageId, Reason, Role, Status
from bridge.operating.conversations import ConversationQuery
from bridge.operating.ghl_messages import read_message
from bridge.operating.operation import operation
from bridge.operating.reach import known_id
from bridge.operating.services import AdminServices

if TYPE_CHECKING:
    from bridge.model import Lane
    from bridge.store.lanes.timelines import MessageRecord, Timeline
    from bridge.store.locations.records import LocationRecord
    from bridge.store.operators.interventions import Queued

READ_SECONDS = 10.0
# Messages with these reasons are answered with another message, or need no answer.
NEVER_ANSWERED = frozenset({Reason.DUPLICATE, Reason.SUPERSEDED, Reason.NOT_A_MESSAGE, Reason.NOT_INBOUND})


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedNow:
    """The next turn begins immediately; `working`: a worker already had the conversation."""

    id: str
    working: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedAgain:
    """Messages that are answered as soon as a worker is free; guards may still skip them."""

    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SkippedMessage:
    """The id of a message that was skipped."""

    id: Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class Draft:
    """The id of a draft: that of the internal comment in GHL."""

    id: Annotated[str, Field(min_length=1, max_length=200)]


@operation(
    "conversations.try_now", "POST", "/conversations/{id}/try", about=lambda asked: (asked.id,), role=Role.OPERATE, reach=known_id
)
def try_now(services: AdminServices, asked: ConversationQuery) -> TriedNow:
    """Retry a conversation's waiting messages at once, with all guards."""
    lane = services.timelines.lane(asked.id)
    if lane is None:
        raise NotKnown(f"{asked.id} is not known here: no conversation or contact with this id was seen, or its data has expired")
    tried = services.interventions.try_now(lane)
    if tried == "held":
        raise DidNotWork(
            f"location {lane.location_id} is on hold: apply a new token, or `ghl-bridge locations resume {lane.location_id}`"
        )
    if tried == "nothing":
        raise DidNotWork(f"nothing waits in the conversation of {lane.contact_id}")
    return TriedNow(id=asked.id, working=tried == "working")


@operation("messages.answer", "POST", "/messages/{id}/answer", about=lambda asked: (asked.id,), role=Role.OPERATE, reach=known_id)
def answer(services: AdminServices, asked: SkippedMessage) -> QueuedAgain:
    """Answer a skipped message; opt-outs, do-not-disturb and GHL's limits still apply."""
    timeline, record = _message(services, asked.id)
    if record.status != Status.SKIPPED:
        raise WrongInput(f"message {record.id} was not skipped, it is {record.status}: only a skipped one can be answered anyway")
    if record.reason in NEVER_ANSWERED:
        raise WrongInput(f"message {record.id} was skipped as {record.reason}: there is nothing to answer in it")
    message = read_message(services, _kept(services, timeline.lane), timeline, record)
    return _queued(services.interventions.answer(message), (record.id,))


@operation(
    "messages.send_draft", "POST", "/messages/{id}/send-draft", about=lambda asked: (asked.id,), role=Role.OPERATE, reach=known_id
)
def send_draft(services: AdminServices, asked: Draft) -> QueuedAgain:
    """Send a draft to the contact with its current text in GHL; opt-outs, do-not-disturb and GHL's limits still apply."""
    timeline = services.timelines.find(asked.id)
    answered = [one for one in timeline.messages if asked.id in one.reply_ids] if timeline else []
    if timeline is None or not answered:
        raise NotKnown(f"{asked.id} is not known here as a reply to a message that is still stored")
    record = _kept(services, timeline.lane)
    texts = _draft_texts(services, record, MessageId(asked.id))
    messages = [read_message(services, record, timeline, one) for one in answered]
    draft = Completion(text="\n\n".join(texts), provider=record.location.provider)
    queued = services.interventions.send_draft(messages, MessageId(asked.id), draft)
    return _queued(queued, tuple(one.id for one in answered))


def _draft_texts(services: AdminServices, kept: LocationRecord, id_: MessageId) -> list[str]:
    """The current texts in GHL of all parts of a draft, which staff may have edited. Raises WrongInput if it is not a draft."""
    ids = services.interventions.draft_ids(kept.location.location_id, id_)
    if not ids:
        raise WrongInput(f"{id_} is not a draft: only an internal comment that the bridge wrote in draft mode can be sent")
    access = services.ghl_access.open(kept, Need.LOOKUP)
    return [services.ghl.text(one, token=access, seconds=READ_SECONDS) for one in ids]


def _message(services: AdminServices, id_: str) -> tuple[Timeline, MessageRecord]:
    timeline = services.timelines.find(id_)
    record = next((one for one in timeline.messages if one.id == id_), None) if timeline else None
    if timeline is None or record is None:
        raise NotKnown(f"message {id_} is not known here, or not stored any more")
    return timeline, record


def _kept(services: AdminServices, lane: Lane) -> LocationRecord:
    record = services.locations.get(lane.location_id)
    if record is None:
        raise DidNotWork(f"location {lane.location_id} was removed: apply it again first")
    return record


def _queued(queued: Queued, ids: tuple[str, ...]) -> QueuedAgain:
    if queued == "unknown":
        raise NotKnown(f"{', '.join(ids)}: no longer stored")
    if queued == "closed":
        raise DidNotWork(f"{', '.join(ids)}: it has already been answered or sent")
    return QueuedAgain(message_ids=ids)
