"""What the sweep reads: conversations by their newest message, and rows in place of missed webhooks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.errors import BridgeError, BudgetExhausted, Permanent, Retryable, TokenRefused
from bridge.ghl.conversations import FoundConversation, as_email, as_message, decipher_conversations, decipher_email
from bridge.ghl.events import parse
from bridge.model import Channel, ContactId, ConversationId, InboundMessage, LocationId

HERE = LocationId("here")
CONVERSATION = FoundConversation(conversation_id=ConversationId("conv"), contact_id=ContactId("live"), last_ms=1, inbound=True)
ROW: dict[str, Any] = {
    "id": "conv",
    "contactId": "contact",
    "lastMessageDate": 1_619_004_705_750,
    "lastMessageDirection": "inbound",
    "sort": [1_619_004_705_750],
}
MESSAGE: dict[str, Any] = {
    "id": "m1",
    "type": 2,
    "messageType": "TYPE_SMS",
    "contactId": "merged-away",
    "conversationId": "conv",
    "dateAdded": "2021-04-21T11:31:45.750Z",
    "direction": "inbound",
    "body": "Anybody there?",
    "attachments": ["https://example.com/a.png"],
    "conversationProviderId": "provider",
}
EMAIL: dict[str, Any] = {
    "id": "e1",
    "threadId": "thread",
    "dateAdded": "2021-04-21T11:31:45.750Z",
    "subject": "Opening hours",
    "body": "<p>When do you open?</p><blockquote>older</blockquote>",
    "direction": "inbound",
    "from": "Ana <ana@example.com>",
    "to": ["hello@example.com"],
}


def search(*rows: object, limit: int = 100, status: int = 200, headers: dict[str, str] | None = None) -> Any:
    return decipher_conversations(status, headers or {}, json.dumps({"conversations": rows}).encode(), limit=limit)


def test_a_conversation_is_read() -> None:
    """It has its contact, the time and author of its newest message, and GHL's clock."""
    page = search(ROW, headers={"Date": "Wed, 21 Apr 2021 11:31:50 GMT"})
    (found,) = page.found
    assert found == FoundConversation(
        conversation_id=ConversationId("conv"), contact_id=ContactId("contact"), last_ms=1_619_004_705_750, inbound=True
    )
    assert (page.next_before_ms, page.at_ms) == (0, 1_619_004_710_000)


@pytest.mark.parametrize(
    "changed",
    [{"id": None}, {"id": "a:b"}, {"contactId": ""}, {"lastMessageDate": None}, {"lastMessageDate": "soon"}, None, [], "row"],
)
def test_a_row_that_makes_no_sense_is_left_out(changed: Any) -> None:
    """The other rows are read."""
    wrong = {**ROW, **changed} if isinstance(changed, dict) else changed
    assert len(search(wrong, ROW).found) == 1


@pytest.mark.parametrize(
    ("last", "before"),
    [
        ({}, 1_619_004_705_750),
        ({"sort": None}, 1_619_004_705_750),
        ({"sort": [1_619_004_700_000, "x"]}, 1_619_004_700_000),
        ({"sort": [], "lastMessageDate": "2021-04-21T11:31:45.750Z"}, 1_619_004_705_750),
        ({"sort": None, "lastMessageDate": None}, 0),
    ],
)
def test_a_full_page_is_followed_by_another(last: dict[str, Any], before: int) -> None:
    """The next page begins at the last row's `sort`, else at its date; a page that isn't full is the last."""
    assert search(ROW, {**ROW, **last}, limit=2).next_before_ms == before
    assert search(ROW, {**ROW, **last}, limit=3).next_before_ms == 0


@pytest.mark.parametrize("by", ["outbound", "", None, 7, "INBOUND"])
def test_who_wrote_last_is_told(by: object) -> None:
    """Only `inbound`, in upper or lower case, is the contact."""
    assert search({**ROW, "lastMessageDirection": by}).found[0].inbound is (by == "INBOUND")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"{}", Retryable),
        (200, b"<html>", Retryable),
        (401, b"{}", TokenRefused),
        (429, b"{}", BudgetExhausted),
        (404, b"{}", Permanent),
    ],
)
def test_what_is_no_list_is_said(status: int, body: bytes, kind: type[BridgeError]) -> None:
    """A refusal is classified as for other requests."""
    with pytest.raises(kind):
        decipher_conversations(status, {}, body, limit=100)
    if status != 200:
        with pytest.raises(kind):
            decipher_email(status, {}, body)


def test_a_row_is_the_webhook_that_never_came() -> None:
    """The message equals the one of the webhook, with the same id; its contact is the one that exists now."""
    found = as_message(MESSAGE, location_id=HERE, conversation=CONVERSATION)
    webhook = {
        "type": "InboundMessage",
        "locationId": "here",
        "contactId": "live",
        "conversationId": "conv",
        "messageId": "m1",
        "messageType": "SMS",
        "messageTypeString": "TYPE_SMS",
        "body": "Anybody there?",
        "dateAdded": "2021-04-21T11:31:45.750Z",
        "direction": "inbound",
        "attachments": ["https://example.com/a.png"],
        "conversationProviderId": "provider",
    }
    assert found == parse(json.dumps(webhook).encode())


@pytest.mark.parametrize(
    ("type_", "number", "channel"),
    [
        ("TYPE_WHATSAPP", 19, Channel.WHATSAPP),
        ("TYPE_FACEBOOK", 11, Channel.FB),
        ("TYPE_INSTAGRAM", 18, Channel.IG),
        ("TYPE_LIVE_CHAT", 29, Channel.LIVE_CHAT),
        ("TYPE_CUSTOM_SMS", 20, Channel.CUSTOM),
        ("TYPE_CALL", 1, None),
        ("TYPE_ACTIVITY_OPPORTUNITY", 31, None),
    ],
)
def test_every_channel_is_known_by_its_type(type_: str, number: int, channel: Channel | None) -> None:
    """REST has no other name for a type; a row that is not a message is ignored."""
    found = as_message({**MESSAGE, "messageType": type_, "type": number}, location_id=HERE, conversation=CONVERSATION)
    assert (found.channel if found else None) == channel


def test_an_outbound_row_is_no_message() -> None:
    """An unreadable row is no message either."""
    assert as_message({**MESSAGE, "direction": "outbound"}, location_id=HERE, conversation=CONVERSATION) is None
    assert as_email({**EMAIL, "direction": "outbound"}, location_id=HERE, conversation=CONVERSATION) is None


@pytest.mark.parametrize("nested", [True, False])
def test_an_email_is_the_webhook_that_never_came(nested: bool) -> None:
    """It has the id from webhooks and all that its reply needs, without quoted history."""
    document = {"emailMessage": EMAIL} if nested else EMAIL
    found = as_email(decipher_email(200, {}, json.dumps(document).encode()), location_id=HERE, conversation=CONVERSATION)
    assert isinstance(found, InboundMessage)
    assert (found.id, found.email_message_id, found.thread_id, found.subject) == ("e1", "e1", "thread", "Opening hours")
    assert (found.channel, found.text, found.contact_id) == (Channel.EMAIL, "When do you open?", "live")
