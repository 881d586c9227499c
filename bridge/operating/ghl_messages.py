"""Reads an ended message from GHL, because its text is not stored any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import DidNotWork
from bridge.ghl.access import Need
from bridge.ghl.conversations import FoundConversation, as_email, as_message
from bridge.model import ConversationId, MessageId

if TYPE_CHECKING:
    from bridge.ghl.access import Access
    from bridge.model import InboundMessage
    from bridge.operating.services import AdminServices
    from bridge.store.lanes.timelines import MessageRecord, Timeline
    from bridge.store.locations.records import LocationRecord

READ_SECONDS = 10.0
# Pages of the conversation's list, newest first, with 100 messages each.
MOST_PAGES = 5
EMAIL = "Email"


def read_message(services: AdminServices, kept: LocationRecord, timeline: Timeline, record: MessageRecord) -> InboundMessage:
    """Read a contact's message as from its webhook. Raises DidNotWork if GHL has no text of it, and the client's errors."""
    message = find_message(services, kept, timeline, record)
    if message is None or message.id != record.id or not message.text.strip():
        raise DidNotWork(f"GHL lists no text of message {record.id} any more: answer it in GHL")
    return message


def find_message(
    services: AdminServices, kept: LocationRecord, timeline: Timeline, record: MessageRecord
) -> InboundMessage | None:
    """Find a contact's message in GHL, with or without a text. Raises the client's errors."""
    lane, access = timeline.lane, services.ghl_access.open(kept, Need.LOOKUP)
    found = FoundConversation(
        conversation_id=_conversation(services, timeline, record, access), contact_id=lane.contact_id, last_ms=0, inbound=True
    )
    if _channel(timeline, record) == EMAIL:
        row = services.ghl.email(MessageId(record.id), token=access, seconds=READ_SECONDS)
        return as_email(row, location_id=lane.location_id, conversation=found)
    return _listed(services, record, found, access, kept)


def _listed(
    services: AdminServices, record: MessageRecord, found: FoundConversation, access: Access, kept: LocationRecord
) -> InboundMessage | None:
    after = MessageId("")
    for _ in range(MOST_PAGES):
        page = services.ghl.page(found.conversation_id, token=access, seconds=READ_SECONDS, after=after)
        for listed, row in zip(page.listed, page.rows, strict=True):
            if listed.id == record.id:
                return as_message(row, location_id=kept.location.location_id, conversation=found)
        if not page.next_after:
            return None
        after = page.next_after
    return None


def _conversation(services: AdminServices, timeline: Timeline, record: MessageRecord, access: Access) -> ConversationId:
    if record.conversation_id:
        return ConversationId(record.conversation_id)
    lane = timeline.lane
    known = services.ghl.find_conversation(lane.location_id, lane.contact_id, token=access, seconds=READ_SECONDS)
    if not known:
        raise DidNotWork(f"GHL finds no conversation of contact {lane.contact_id}")
    return ConversationId(known)


def _channel(timeline: Timeline, record: MessageRecord) -> str:
    accepted = (one.details for one in timeline.events if one.step == "accepted" and one.details.get("message_id") == record.id)
    return str(next((details.get("channel", "") for details in accepted), ""))
