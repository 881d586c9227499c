"""GHL's workflow webhooks, which contain few ids → the same InboundMessage as marketplace events, or the reason to ignore it.

The free "Webhook" action has a fixed format with the user's pairs under `customData`; the user of a "Custom Webhook" writes its
body, as JSON or as a form. Facts: a capture of 2026-08-04 (tests/samples/captured), and https://help.gohighlevel.com.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from bridge.ghl import fields, raw_body
from bridge.ghl.channels import Kind, find_kind, told_word, unknown_kind
from bridge.ghl.email.own_words import own_text
from bridge.ghl.events import MAX_TEXT, is_inbound
from bridge.model import Channel, ContactId, ConversationId, Ignored, InboundMessage, LocationId, MessageId, Reason

if TYPE_CHECKING:
    from bridge.model import Listed

_MAX_BODY = 1_048_576
_MAX_WORD = 100
_MAX_SUBJECT = 1_000
_MAX_PAIRS = 500

# A webhook without a channel counts as an SMS, until GHL's record of the message shows its channel.
_UNTOLD = Kind("", 0, "SMS", Channel.SMS)


def parse(body: bytes, *, content_type: str, fresh_id: str) -> InboundMessage | Ignored:
    """Turn the raw body into a message or the reason to ignore it. Never raises, whatever the bytes.

    A message without an id gets `fresh_id` and is `provisional`.
    """
    root = _read(body, content_type)
    if root is None:
        return _ignored(_Told(raw_body.ids(body)), Reason.UNPARSEABLE)
    values = _Told(root)
    type_ = values.value("type")
    word = fields.text(type_, limit=_MAX_WORD)
    kind = _kind(type_) or (unknown_kind(word) if word else None)
    if reason := _why_ignored(values, kind):
        return _ignored(values, reason)
    if kind is None or not values.id("location_id") or not values.id("contact_id"):
        return _ignored(values, Reason.UNPARSEABLE if kind else Reason.NOT_A_MESSAGE)
    return _message(values, kind, fresh_id)


def adopt(message: InboundMessage, listed: Listed) -> InboundMessage:
    """The message with id, time, channel and conversation provider of GHL's record."""
    known = find_kind(listed.type, "", None)
    if known:
        message = replace(message, channel=known.channel, message_type=told_word(known, ""), message_type_string=known.name)
    # The id of an e-mail in marketplace events is not its id in lists.
    email_id = listed.email_message_ids[0] if listed.email_message_ids else MessageId("")
    return replace(
        message,
        id=email_id or listed.id,
        provisional=False,
        date_added_ms=listed.date_added_ms or message.date_added_ms,
        conversation_provider_id=listed.conversation_provider_id or message.conversation_provider_id,
        email_message_id=email_id or message.email_message_id,
    )


class _Told:
    """The values of a webhook, wherever they are: first in the user's pairs, then at the root, then in GHL's objects."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self._custom = _object(root, "customData")
        self._message = _object(root, "message")
        # In a custom webhook, `message` is the text.
        self._text = {"message": root.get("message")} if isinstance(root.get("message"), str) else {}

    def value(self, name: str) -> object:
        """The first value that is not empty."""
        return next((found for found in self._values(name) if found not in (None, "")), None)

    def id(self, name: str) -> str:
        """The first usable id, else the empty string."""
        return next((found for each in self._values(name) if (found := fields.identifier(each))), "")

    @property
    def has_message(self) -> bool:
        """Whether the webhook mentions a message, even without a value."""
        return "message" in self.root or "message" in self._custom or bool(self.id("message_id"))

    def _values(self, name: str) -> list[object]:
        camel = name.partition("_")[0] + name.partition("_")[2].capitalize()
        own = [place.get(key) for place in (self._custom, self.root) for key in (name, camel)]
        match name:
            case "message":
                return [self._custom.get("message"), self._message.get("body"), self._text.get("message")]
            case "type":
                places = (self._custom, self.root)
                # A user's `type` may mean anything; it counts if it is the name of a channel.
                own_types = [place.get("type") for place in places if _kind(place.get("type"))]
                return [
                    *(place.get(key) for place in places for key in ("channel", "message_type", "messageType")),
                    self._message.get("type"),
                    *own_types,
                ]
            case "location_id" | "contact_id" | "message_id":
                return [*own, _object(self.root, name.removesuffix("_id")).get("id")]
            case _:
                return [*own, self._message.get(name), self._message.get(camel)]


def _read(body: bytes, content_type: str) -> dict[str, Any] | None:
    document = None if raw_body.may_contradict_itself(body) else fields.read_event(body)
    document = document or raw_body.read(body)
    if document is not None or "json" in content_type.lower() or body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return document
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_PAIRS)) or None
    except ValueError:
        return None


def _object(root: dict[str, Any], name: str) -> dict[str, Any]:
    found = root.get(name)
    return found if isinstance(found, dict) else {}


def _kind(told: object) -> Kind | None:
    """The kind of a message by a number, a word or a TYPE_ name."""
    if told is None:
        return _UNTOLD
    number = fields.number(told)
    if number is not None:
        return find_kind("", "", number)
    word = fields.text(told, limit=_MAX_WORD)
    return find_kind("", word, None) or find_kind(f"TYPE_{word}", "", None)


def _why_ignored(told: _Told, kind: Kind | None) -> Reason | None:
    if not told.has_message:
        return Reason.NOT_A_MESSAGE
    if not is_inbound(told.value("direction")):
        return Reason.NOT_INBOUND
    # GHL's test runs send empty values. A message with an id is stored, so that `explain` shows it.
    if kind and not told.id("message_id") and not _text(told, kind).strip():
        return Reason.BLANK
    return None


def _message(told: _Told, kind: Kind, fresh_id: str) -> InboundMessage:
    return InboundMessage(
        id=MessageId(told.id("message_id") or fresh_id),
        provisional=not told.id("message_id"),
        location_id=LocationId(told.id("location_id")),
        contact_id=ContactId(told.id("contact_id")),
        conversation_id=ConversationId(told.id("conversation_id")),
        channel=kind.channel,
        message_type=told_word(kind, ""),
        message_type_string=kind.name,
        text=_text(told, kind),
        date_added_ms=fields.moment_ms(told.value("date_added")),
        subject=_subject(told),
    )


def _text(told: _Told, kind: Kind) -> str:
    if kind.channel is not Channel.EMAIL:
        return fields.text(told.value("message"), limit=MAX_TEXT)
    own = own_text(fields.text(told.value("message"), limit=_MAX_BODY), subject=_subject(told))
    return fields.text(own, limit=MAX_TEXT)


def _subject(told: _Told) -> str:
    return " ".join(fields.text(told.value("subject"), limit=_MAX_SUBJECT).split())


def _ignored(told: _Told, reason: Reason) -> Ignored:
    return Ignored(
        reason=reason,
        location_id=LocationId(told.id("location_id")),
        contact_id=ContactId(told.id("contact_id")),
        conversation_id=ConversationId(told.id("conversation_id")),
        message_id=MessageId(told.id("message_id")),
        event_type="workflow webhook",
    )
