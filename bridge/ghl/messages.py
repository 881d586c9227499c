"""GHL's messages and contacts as plain values: what to send, and what its answers mean.

https://marketplace.gohighlevel.com/docs/ghl/conversations/send-a-new-message and what was seen in the field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.errors import OperatorMustFix, Retryable
from bridge.ghl import fields
from bridge.ghl.events import MAX_ATTACHMENTS, MAX_TEXT
from bridge.ghl.fields import blocked_channels, call_seconds, moment_ms
from bridge.ghl.refusals import code_of, is_dnd, refusal
from bridge.model import Channel, Contact, ContactId, ConversationId, Listed, MessageId, Reason, Reply, Sent, Skip
from bridge.wire.answers import as_text, date_ms, json_object, part, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.model import InboundMessage

# The type of the reply for a type of message; other types are answered by their channel. GHL refuses an SMS in reply to
# TYPE_CUSTOM_PROVIDER_SMS because a phone number is missing. The two custom e-mail types are an inference.
SEND_AS = {
    "TYPE_CUSTOM_SMS": "SMS",
    "TYPE_CUSTOM_PROVIDER_SMS": "Custom",
    "TYPE_CUSTOM_EMAIL": "Email",
    "TYPE_CUSTOM_PROVIDER_EMAIL": "Email",
    "TYPE_TIKTOK": "TIKTOK",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePage:
    """One page of a conversation's list, newest first; `rows` are the same as GHL wrote them.

    `next_after` is the id after which the next page begins (empty: this is the last), `at_ms` is GHL's clock at its answer (0:
    unknown).
    """

    listed: tuple[Listed, ...]
    next_after: MessageId
    at_ms: int
    rows: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """The text and the file URLs of GHL's record of a message; both may be empty."""

    text: str
    attachments: tuple[str, ...]


def build(message: InboundMessage, text: str, *, draft: bool) -> Reply:
    """Address one part of an answer to the channel of `message`, or write it as a comment for staff. An e-mail is HTML.

    Raises ValueError for GMB, to which GHL can't send; the guards skip such messages before.
    """
    if message.channel is Channel.GMB:
        raise ValueError("GHL can't send to GMB")
    if draft:
        return Reply(type="InternalComment", contact_id=message.contact_id, message=text)
    type_ = SEND_AS.get(message.message_type_string, message.channel.value)
    if type_ == "Email":
        return _email(message, text)
    return Reply(
        type=type_,
        contact_id=message.contact_id,
        message=text,
        conversation_provider_id=message.conversation_provider_id,
    )


def body(reply: Reply) -> dict[str, str]:
    """Write a reply as the JSON of `POST /conversations/messages`, set fields only. There is no `conversationId`."""
    fields = {
        "type": reply.type,
        "contactId": reply.contact_id,
        "message": reply.message,
        "html": reply.html,
        "subject": reply.subject,
        "threadId": reply.thread_id,
        "replyMessageId": reply.reply_message_id,
        "conversationProviderId": reply.conversation_provider_id,
    }
    return {name: value for name, value in fields.items() if value}


def decipher(status: int, headers: Mapping[str, str], body: bytes, *, reply: Reply) -> Sent | Skip:
    """Read the answer to a send. Any 2xx is Sent, readable or not: sending again after one has doubled messages.

    A refusal because of DND or an unsubscription is a Skip. Error messages contain the status, the code and the keys, no content.

    Raises:
        BudgetExhausted: 429: not sent.
        Retryable: not sent, may succeed later: 429 with the wait that GHL asks for, a contact too new, credit or billing.
        OutcomeUnknown: 408, 5xx and anything that is not an answer to a send: it may have been sent.
        OperatorMustFix: the token or the conversation provider is refused.
        Permanent: any other refusal.
    """
    document = json_object(body) or {}
    if 200 <= status < 300:  # noqa: PLR2004 - the protocol's own numbers, here and below
        conversation_id = ConversationId(as_text(document.get("conversationId")))
        return Sent(message_ids=_ids(document), conversation_id=conversation_id, status=as_text(document.get("status")))
    if is_dnd(status, body):
        return Skip(Reason.DND, facts=f"GHL refused the {reply.type}: HTTP {status}, {code_of(body) or 'by its text'}")
    raise refusal(status, headers, body, what=reply.type)


def decipher_page(status: int, headers: Mapping[str, str], body: bytes) -> MessagePage:
    """Read `GET /conversations/{id}/messages`, newest first as GHL lists them; nested as observed, or flat as documented.

    Raises as `decipher`, and Retryable for a 2xx without such a list.
    """
    document = _read(status, headers, body, what="list of messages")
    listing = document["messages"] if isinstance(document.get("messages"), dict) else document
    rows = listing.get("messages")
    if not isinstance(rows, list):
        raise Retryable(f"GHL's list of messages can't be read: HTTP {status}, {shape(body)}")
    rows = [row for row in rows if isinstance(row, dict)]
    listed = tuple(map(_listed, rows))
    more = listing.get("nextPage") is True and listed
    last = as_text(listing.get("lastMessageId")) or (listed[-1].id if listed else "")
    return MessagePage(listed=listed, next_after=MessageId(last if more else ""), at_ms=date_ms(headers), rows=tuple(rows))


def check_allowed(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Check only whether the token was accepted; a missing record is not a refusal.

    Raises TokenRefused, OperatorMustFix, BudgetExhausted, Retryable and OutcomeUnknown.
    """
    if 200 <= status < 300:  # noqa: PLR2004 - the protocol's own numbers
        return
    error = refusal(status, headers, body, what="look")
    if isinstance(error, OperatorMustFix) or status not in {400, 404, 422}:
        raise error


def decipher_search(status: int, headers: Mapping[str, str], body: bytes, *, contact_id: ContactId) -> ConversationId:
    """Read `GET /conversations/search` for a contact's conversation; empty if there is none. Raises as the others."""
    document = _read(status, headers, body, what="search for a conversation")
    rows = document.get("conversations")
    if not isinstance(rows, list):
        raise Retryable(f"GHL's list of conversations can't be read: HTTP {status}, {shape(body)}")
    found = (as_text(part(row, "id")) for row in rows if as_text(part(row, "contactId")) == contact_id)
    return ConversationId(next(found, ""))


def check_taken(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Check the answer to a change of a contact: any 2xx is success. Raises as `decipher`."""
    _read(status, headers, body, what="contact")


def decipher_text(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """Read the text of `GET /conversations/messages/{id}`; nested as observed, or flat as documented. Raises as the others."""
    document = _read(status, headers, body, what="message")
    return as_text(part(document.get("message", document), "body"))


def decipher_content(status: int, headers: Mapping[str, str], body: bytes) -> Content:
    """Read text and files of `GET /conversations/messages/{id}`. Raises as the others."""
    message = _read(status, headers, body, what="message")
    message = part(message, "message") or message
    text, urls = part(message, "body"), part(message, "attachments")
    return Content(fields.text(text, limit=MAX_TEXT), fields.addresses(urls, most=MAX_ATTACHMENTS))


def decipher_contact(status: int, headers: Mapping[str, str], body: bytes, *, contact_id: ContactId) -> Contact:
    """Read `GET /contacts/{id}`. Raises as `decipher`, and Retryable for a 2xx without a contact."""
    document = _read(status, headers, body, what="contact")
    contact = document.get("contact", document)
    if not as_text(part(contact, "id")):
        raise Retryable(f"GHL's contact can't be read: HTTP {status}, {shape(body)}")
    tags, settings = contact.get("tags"), contact.get("dndSettings")
    return Contact(
        id=contact_id,
        name=_name(contact),
        first_name=as_text(contact.get("firstName")),
        last_name=as_text(contact.get("lastName")),
        email=as_text(contact.get("email")),
        phone=as_text(contact.get("phone")),
        tags=frozenset(as_text(tag) for tag in tags if as_text(tag)) if isinstance(tags, list) else frozenset(),
        dnd=contact.get("dnd") is True,
        blocked_channels=frozenset(blocked_channels(settings) if isinstance(settings, dict) else ()),
    )


def _name(contact: dict[str, Any]) -> str:
    both = f"{as_text(contact.get('firstName'))} {as_text(contact.get('lastName'))}".strip()
    return both or as_text(contact.get("name")) or as_text(contact.get("contactName"))


def _email(message: InboundMessage, html: str) -> Reply:
    subject = " ".join(message.subject.split())
    return Reply(
        type="Email",
        contact_id=message.contact_id,
        html=html,
        subject=subject if subject.lower().startswith("re:") else f"Re: {subject}".strip(),
        thread_id=message.thread_id,
        reply_message_id=message.email_message_id,
        conversation_provider_id=message.conversation_provider_id,
    )


def _ids(document: dict[str, Any]) -> tuple[MessageId, ...]:
    many = document.get("messageIds")
    named = [*(many if isinstance(many, list) else []), document.get("messageId"), document.get("emailMessageId")]
    return tuple(dict.fromkeys(MessageId(as_text(id_)) for id_ in named if as_text(id_)))


def _read(status: int, headers: Mapping[str, str], body: bytes, *, what: str) -> dict[str, Any]:
    if not 200 <= status < 300:  # noqa: PLR2004
        raise refusal(status, headers, body, what=what)
    return json_object(body) or {}


def _listed(row: dict[str, Any]) -> Listed:
    return Listed(
        id=MessageId(as_text(row.get("id"))),
        direction=as_text(row.get("direction")),
        text=as_text(row.get("body")),
        date_added_ms=moment_ms(row.get("dateAdded")),
        user_id=as_text(row.get("userId")),
        source=as_text(row.get("source")),
        type=as_text(row.get("messageType")),
        status=as_text(row.get("status")),
        conversation_provider_id=as_text(row.get("conversationProviderId")),
        email_message_ids=_email_ids(row),
        call_seconds=call_seconds(part(row.get("meta"), "callDuration"), part(row.get("meta"), "callStatus")),
        attachments=fields.addresses(row.get("attachments"), most=MAX_ATTACHMENTS),
    )


def _email_ids(row: dict[str, Any]) -> tuple[MessageId, ...]:
    ids = part(row.get("meta"), "email", "messageIds")
    return tuple(MessageId(as_text(id_)) for id_ in ids if as_text(id_)) if isinstance(ids, list) else ()
