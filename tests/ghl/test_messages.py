"""GHL's messages: the fields of a send, and the meaning of the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import (
    BridgeError,
    BudgetExhausted,
    OperatorMustFix,
    OutcomeUnknown,
    Permanent,
    Retryable,
    TokenRefused,
    VersionRefused,
)
from bridge.ghl.messages import body, build, decipher, decipher_contact, decipher_page, decipher_text
from bridge.model import (
    Channel,
    Contact,
    ContactId,
    ConversationId,
    InboundMessage,
    Listed,
    LocationId,
    MessageId,
    Reason,
    Reply,
    Sent,
    Skip,
)

ERRORS = Path(__file__).parent.parent / "samples" / "errors"
REPLY = Reply(type="SMS", contact_id=ContactId("contact"), message="hello")


def inbound(channel: Channel, type_string: str = "", **changes: Any) -> InboundMessage:
    ids: dict[str, Any] = {
        "id": MessageId("m1"),
        "location_id": LocationId("loc"),
        "contact_id": ContactId("contact"),
        "conversation_id": ConversationId("conv"),
        "message_type": channel.value,
        "text": "hi",
        "date_added_ms": 1,
    }
    return InboundMessage(channel=channel, message_type_string=type_string, **{**ids, **changes})


@pytest.mark.parametrize(
    ("channel", "type_string", "sent_as"),
    [
        (Channel.SMS, "TYPE_SMS", "SMS"),
        (Channel.WHATSAPP, "TYPE_WHATSAPP", "WhatsApp"),
        (Channel.FB, "TYPE_FACEBOOK", "FB"),
        (Channel.IG, "TYPE_INSTAGRAM", "IG"),
        (Channel.LIVE_CHAT, "TYPE_LIVE_CHAT", "Live_Chat"),
        (Channel.CUSTOM, "TYPE_CUSTOM_SMS", "SMS"),
        (Channel.CUSTOM, "TYPE_CUSTOM_PROVIDER_SMS", "Custom"),
        (Channel.CUSTOM, "", "Custom"),
        (Channel.SMS, "", "SMS"),
        (Channel.LIVE_CHAT, "TYPE_WEBCHAT", "Live_Chat"),
        (Channel.RCS, "TYPE_RCS", "RCS"),
        (Channel.TIKTOK, "TYPE_TIKTOK", "TIKTOK"),
        (Channel.WHATSAPP, "TYPE_NEW", "WhatsApp"),
    ],
)
def test_a_reply_goes_out_as_what_came_in(channel: Channel, type_string: str, sent_as: str) -> None:
    """Each kind of message is answered with the type that GHL accepts for it, by the same conversation provider."""
    reply = build(inbound(channel, type_string, conversation_provider_id="cp"), "hello", draft=False)
    assert body(reply) == {"type": sent_as, "contactId": "contact", "message": "hello", "conversationProviderId": "cp"}


def test_unset_fields_are_not_sent() -> None:
    """A message without a conversation provider is answered without one."""
    assert body(build(inbound(Channel.SMS), "hello", draft=False)) == {"type": "SMS", "contactId": "contact", "message": "hello"}


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL, Channel.CUSTOM])
def test_a_draft_is_a_comment(channel: Channel) -> None:
    """A draft is only for staff, on every channel."""
    reply = build(inbound(channel, conversation_provider_id="cp", subject="s", thread_id="t"), "hello", draft=True)
    assert body(reply) == {"type": "InternalComment", "contactId": "contact", "message": "hello"}


@pytest.mark.parametrize("draft", [False, True])
def test_gmb_cant_be_sent_to(draft: bool) -> None:
    """For GMB no reply is built."""
    with pytest.raises(ValueError, match="GMB"):
        build(inbound(Channel.GMB, "TYPE_GMB"), "hello", draft=draft)


@pytest.mark.parametrize("type_string", ["TYPE_EMAIL", "TYPE_CUSTOM_EMAIL", "TYPE_CUSTOM_PROVIDER_EMAIL", ""])
def test_an_email_is_answered_in_its_thread(type_string: str) -> None:
    """The reply is HTML with a subject, in the thread, refers to the message, and uses its provider."""
    message = inbound(
        Channel.EMAIL, type_string, subject="Order", thread_id="t", email_message_id="e", conversation_provider_id="cp"
    )
    assert body(build(message, "<p>hello</p>", draft=False)) == {
        "type": "Email",
        "contactId": "contact",
        "html": "<p>hello</p>",
        "subject": "Re: Order",
        "threadId": "t",
        "replyMessageId": "e",
        "conversationProviderId": "cp",
    }


@pytest.mark.parametrize(
    ("subject", "answered"),
    [
        ("Order", "Re: Order"),
        ("Re: Order", "Re: Order"),
        ("RE: Order", "RE: Order"),
        ("", "Re:"),
        ("a\r\nBcc: b", "Re: a Bcc: b"),
    ],
)
def test_a_subject_is_answered_once(subject: str, answered: str) -> None:
    """`Re:` is not repeated, and a subject stays one line."""
    assert build(inbound(Channel.EMAIL, subject=subject), "hello", draft=False).subject == answered


@pytest.mark.parametrize(
    ("document", "ids"),
    [
        ({"messageId": "a", "conversationId": "c"}, ("a",)),
        ({"messageIds": ["a", "b"], "messageId": "a"}, ("a", "b")),
        ({"messageId": "a", "emailMessageId": "e"}, ("a", "e")),
        ({"messageIds": "a", "messageId": None, "emailMessageId": 5}, ()),
        ({}, ()),
    ],
)
def test_every_id_of_a_sent_message_is_kept(document: dict[str, Any], ids: tuple[str, ...]) -> None:
    """All ids that GHL gives a message are stored, each once."""
    sent = decipher(201, {}, json.dumps(document).encode(), reply=REPLY)
    assert sent == Sent(
        message_ids=tuple(map(MessageId, ids)), conversation_id=ConversationId(document.get("conversationId", ""))
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
@pytest.mark.parametrize("unreadable", [b"", b"<html>", b"{", b"[]", b"[" * 100_000, b"\xff\xfe"])
def test_any_2xx_is_sent(status: int, unreadable: bytes) -> None:
    """GHL accepted a message that it answered with 2xx, readable or not."""
    assert decipher(status, {}, unreadable, reply=REPLY) == Sent(message_ids=())


# One row an answer: status, body, what it means, and a word of the message.
CONFIG = [
    (400, {"canonicalCode": "CONVERSATIONS_MSG_CONVERSATION_PROVIDER_MISMATCH"}, OperatorMustFix, "provider"),
    (400, {"message": "Invalid conversationProviderId: x"}, OperatorMustFix, "provider"),
    (401, {"canonicalCode": "CONVERSATIONS_MSG_PROVIDER_NO_ACCESS"}, OperatorMustFix, "owns the conversation provider"),
    (401, {"message": "The token is not authorized for this scope."}, OperatorMustFix, "scope"),
    (401, {"message": "version header is invalid"}, VersionRefused, "GHL_API_VERSION"),
    (410, {"message": "API version 2021-04-15 has been retired"}, VersionRefused, "GHL_API_VERSION"),
    (401, {"message": "This authClass type is not allowed to access this scope."}, OperatorMustFix, "kind of token"),
    (403, {"message": "The token does not have access to this location."}, TokenRefused, "token refused: .*another location"),
    (401, {"message": "Invalid token: access token is invalid"}, TokenRefused, "token refused: it is wrong, expired"),
    (401, {"message": "Invalid JWT"}, TokenRefused, "token refused: it is wrong, expired"),
    (403, {}, TokenRefused, "token refused"),
]
NEVER = [
    (400, {"canonicalCode": "CONVERSATIONS_MSG_NO_EMAIL"}, Permanent, "no e-mail"),
    (400, {"canonicalCode": "CONVERSATIONS_MSG_INVALID_EMAIL"}, Permanent, "not valid"),
    (400, {"canonicalCode": "CONVERSATIONS_MSG_INVALID_EMAILTO"}, Permanent, "none of the contact's"),
    (422, {"canonicalCode": "CONVERSATIONS_MSG_NO_PHONE"}, Permanent, "no phone"),
    (400, {"canonicalCode": "CONVERSATIONS_MSG_CHAT_NO_LONGER_ACTIVE", "arguments": {"channel": "FB"}}, Permanent, "window"),
    (400, {"canonicalCode": "CONVERSATIONS_MSG_NOT_FOUND"}, Permanent, "no such message"),
    (400, {"canonicalCode": "CONVERSATIONS_MSG_RECORDING_NOT_FOUND"}, Permanent, "no such recording"),
    (422, {"canonicalCode": "CONVERSATIONS_MSG_NO_CONTENT"}, Permanent, "no content"),
    (500, {"canonicalCode": "CONVERSATIONS_MSG_NO_CONTENT"}, Permanent, "no content"),
    (422, {"message": "Missing phone number"}, Permanent, "HTTP 422, an object with message$"),
    (422, {"message": ["contactId must be a string"], "error": "x"}, Permanent, "an object with error, message$"),
    (400, {"canonicalCode": "CONVERSATIONS_BRAND_NEW"}, Permanent, "HTTP 400, CONVERSATIONS_BRAND_NEW$"),
    (404, b"<html>", Permanent, "an HTML page$"),
    (409, b"", Permanent, "an empty body$"),
    (308, b"moved", Permanent, "redirect"),
]
LATER = [
    (429, {"message": "Too many requests"}, BudgetExhausted, "HTTP 429"),
    (400, {"canonicalCode": "CONVERSATIONS_CONTACT_NOT_FOUND"}, Retryable, "not there, or not yet"),
    (402, {}, Retryable, "credit or billing"),
    (400, {"message": "Insufficient credits"}, Retryable, "credit or billing"),
    (403, {"message": "Suspended for billing reasons"}, Retryable, "credit or billing"),
]
OPEN = [
    (408, b"", OutcomeUnknown, "may have been"),
    (500, {"message": "Internal server error"}, OutcomeUnknown, "may have been"),
    (502, b"<html>", OutcomeUnknown, "may have been"),
    (599, b"", OutcomeUnknown, "may have been"),
    (101, b"", OutcomeUnknown, "may have been"),
    (700, b"", OutcomeUnknown, "may have been"),
]


@pytest.mark.parametrize(("status", "answer", "kind", "word"), [*CONFIG, *NEVER, *LATER, *OPEN])
def test_a_refusal_says_what_to_do_next(status: int, answer: object, kind: type[BridgeError], word: str) -> None:
    """Each refusal is of exactly one kind: by its code if that is known, else by its text or status."""
    content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    with pytest.raises(BridgeError, match=word) as caught:
        decipher(status, {}, content, reply=REPLY)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("sample", "outcome"),
    [
        ("400_contact_not_found", Retryable),
        ("400_dnd_email", "CONVERSATIONS_MSG_DND_ACTIVE_EMAIL"),
        ("400_dnd_sms", "by its text"),
        ("400_invalid_email", Permanent),
        ("400_unsubscribed", "CONVERSATIONS_MSG_UNSUBSCRIBED"),
        ("401_invalid_token", TokenRefused),
        ("401_no_version_header", VersionRefused),
        ("401_scope", OperatorMustFix),
        ("403_location", TokenRefused),
        ("422_no_content_email", Permanent),
        ("500_internal", OutcomeUnknown),
    ],
)
def test_seen_refusals_are_understood(sample: str, outcome: type[BridgeError] | str) -> None:
    """Every refusal from real use has its meaning; DND and unsubscribed contacts are skipped."""
    recorded = json.loads((ERRORS / f"{sample}.json").read_text())
    content = json.dumps(recorded["body"]).encode()
    if isinstance(outcome, str):
        skip = decipher(recorded["http_status"], {}, content, reply=REPLY)
        assert skip == Skip(Reason.DND, facts=f"GHL refused the SMS: HTTP 400, {outcome}")
        return
    with pytest.raises(BridgeError) as caught:
        decipher(recorded["http_status"], {}, content, reply=REPLY)
    assert type(caught.value) is outcome
    assert recorded["body"]["message"] not in str(caught.value)


def test_every_seen_refusal_is_in_the_table() -> None:
    """A sample that is added to the folder needs its meaning here."""
    assert len(list(ERRORS.glob("*.json"))) == 11


def test_unsubscribed_is_known_by_its_text_too() -> None:
    """An older answer without a code is a Skip too."""
    answer = b'{"message": "Cannot send email as a@example.com has unsubscribed"}'
    assert decipher(400, {}, answer, reply=REPLY) == Skip(Reason.DND, facts="GHL refused the SMS: HTTP 400, by its text")


@pytest.mark.parametrize(
    "answer",
    [
        {"canonicalCode": "+15551234567", "message": "Cannot reach +15551234567"},
        {"canonicalCode": ["CONVERSATIONS"], "a@example.com": "no"},
        {"canonicalCode": "contact a@example.com", "+15551234567": 1},
    ],
)
def test_refusals_quote_no_content(answer: dict[str, Any]) -> None:
    """No phone number, address or text of GHL's answer is in an error that is stored and shown."""
    with pytest.raises(Permanent) as caught:
        decipher(400, {}, json.dumps(answer).encode(), reply=REPLY)
    assert "555" not in str(caught.value)
    assert "example" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "Tue, 03 Nov 2026 10:00:30 GMT", "Date": "Tue, 03 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"Retry-After": "Tue, 03 Nov 2026 10:00:00 GMT", "Date": "Tue, 03 Nov 2026 10:00:30 GMT"}, 0.0),
        ({"Retry-After": "Tue, 03 Nov 2020 10:00:00 -0000"}, 0.0),
        ({"Retry-After": "999999999"}, 86400.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_ghl_asks_for_is_carried(headers: dict[str, str], wait: float | None) -> None:
    """Retry-After is given in seconds, dates by the answer's clock, at most a day, and None if it is unreadable."""
    with pytest.raises(Retryable) as caught:
        decipher(429, headers, b"{}", reply=REPLY)
    assert caught.value.retry_after == wait


ROW = {
    "id": "m2",
    "direction": "outbound",
    "body": "hello \ud83d",
    "dateAdded": "2026-11-03T10:00:00.250Z",
    "userId": "u",
    "source": "app",
    "type": 2,
    "messageType": "TYPE_SMS",
}
LISTED = Listed(
    id=MessageId("m2"),
    direction="outbound",
    text="hello ?",
    date_added_ms=1793700000250,
    user_id="u",
    source="app",
    type="TYPE_SMS",
)


@pytest.mark.parametrize(
    "document", [{"messages": {"lastMessageId": "m2", "nextPage": False, "messages": [ROW]}}, {"messages": [ROW, "no row"]}]
)
def test_a_conversation_is_read_in_both_nestings(document: dict[str, Any]) -> None:
    """The list of messages is read as GHL sends it, and as its documentation shows it."""
    assert decipher_page(200, {}, json.dumps(document).encode()).listed == (LISTED,)


@pytest.mark.parametrize(
    ("listing", "after"),
    [
        ({"nextPage": True, "lastMessageId": "m2", "messages": [ROW]}, "m2"),
        ({"nextPage": True, "messages": [ROW]}, LISTED.id),
        ({"nextPage": False, "lastMessageId": "m2", "messages": [ROW]}, ""),
        ({"nextPage": True, "lastMessageId": "m2", "messages": []}, ""),
    ],
)
def test_a_page_tells_where_the_next_begins(listing: dict[str, Any], after: str) -> None:
    """The next page begins after the last id; there is none if GHL says so or the page is empty."""
    assert decipher_page(200, {}, json.dumps({"messages": listing}).encode()).next_after == after


def test_a_page_tells_the_clock_of_ghl() -> None:
    """The answer's Date is GHL's clock; without it the clock is unknown."""
    said = {"Date": "Sun, 22 Nov 2026 02:00:00 GMT"}
    assert decipher_page(200, said, b'{"messages": []}').at_ms == 1_795_312_800_000
    assert decipher_page(200, {}, b'{"messages": []}').at_ms == 0


@pytest.mark.parametrize("document", [{"message": {"body": "Hello"}}, {"body": "Hello"}])
def test_one_message_is_read_in_both_nestings(document: dict[str, Any]) -> None:
    """A message's text is read as GHL sends it, and as its documentation shows it."""
    assert decipher_text(200, {}, json.dumps(document).encode()) == "Hello"


def test_a_bare_row_is_read() -> None:
    """A missing field is empty, and an unreadable time is 0."""
    empty = Listed(id=MessageId(""), direction="", text="", date_added_ms=0, user_id="", source="", type="")
    assert decipher_page(200, {}, b'{"messages": {"messages": [{}]}}').listed == (empty,)


@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b'{"messages": {}}', b'{"messages": {"messages": 5}}'])
def test_what_is_no_list_is_no_empty_list(content: bytes) -> None:
    """A 2xx without a list does not count as a conversation without messages."""
    with pytest.raises(Retryable, match="can't be read"):
        decipher_page(200, {}, content)


@pytest.mark.parametrize("nested", [True, False])
def test_a_contact_is_read(nested: bool) -> None:
    """Tags, DND and separately blocked channels are read, in both nestings."""
    settings = {
        "SMS": {"status": "active"},
        "Email": {"status": "inactive"},
        "WhatsApp": {"status": "permanent"},
        "FB": None,
        "GMB": {"status": ["active"]},
    }
    contact = {"id": "contact", "tags": ["vip", "ai_off", 5], "dnd": True, "dndSettings": settings}
    content = json.dumps({"contact": contact} if nested else contact).encode()
    assert decipher_contact(200, {}, content, contact_id=ContactId("contact")) == Contact(
        id=ContactId("contact"),
        tags=frozenset({"vip", "ai_off"}),
        dnd=True,
        blocked_channels=frozenset({"SMS", "WhatsApp"}),
    )


def test_a_contact_without_settings_is_free() -> None:
    """A contact with neither tags nor DND is blocked nowhere."""
    content = b'{"contact": {"id": "contact", "tags": null, "dndSettings": null}}'
    assert decipher_contact(200, {}, content, contact_id=ContactId("contact")) == Contact(id=ContactId("contact"))


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"firstName": "John", "lastName": "Smith", "name": "other"}, "John Smith"),
        ({"firstName": "John"}, "John"),
        ({"firstName": None, "lastName": "", "name": "John Smith"}, "John Smith"),
        ({"contactName": "John Smith"}, "John Smith"),
        ({"name": 5}, ""),
    ],
)
def test_a_contact_has_the_name_that_ghl_knows(fields: dict[str, Any], name: str) -> None:
    """It is the first and last name, else the whole name; e-mail address and phone number are unchanged."""
    known = {"id": "contact", "email": "j@example.com", "phone": "+15551234567", **fields}
    found = decipher_contact(200, {}, json.dumps({"contact": known}).encode(), contact_id=ContactId("contact"))
    assert (found.name, found.email, found.phone) == (name, "j@example.com", "+15551234567")


@pytest.mark.parametrize("content", [b"", b"<html>", b"{}", b'{"contact": null}', b'{"contact": []}'])
def test_what_is_no_contact_is_no_free_contact(content: bytes) -> None:
    """A 2xx without a contact does not allow a message."""
    with pytest.raises(Retryable, match="can't be read"):
        decipher_contact(200, {}, content, contact_id=ContactId("contact"))


def test_a_refused_read_is_sorted_like_a_refused_send() -> None:
    """Reads are refused for the same reasons as sends, and the error says which."""
    with pytest.raises(OperatorMustFix, match="contact: HTTP 401"):
        decipher_contact(401, {}, b"{}", contact_id=ContactId("contact"))
    with pytest.raises(Retryable, match="list of messages: HTTP 429"):
        decipher_page(429, {}, b"{}")
