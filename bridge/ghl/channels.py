"""GHL's names and numbers for message types, and the channel on which each is answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bridge.model import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.model import InboundMessage


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message: `messageTypeString`, `messageTypeId` and `messageType` of GHL, and the channel it is answered on."""

    name: str
    number: int
    word: str
    channel: Channel


def _plain(word: str) -> str:
    return word.strip().replace(" ", "_").upper()


# Sources: https://marketplace.gohighlevel.com/docs/webhook/InboundMessage (2026-08-30) and the enum of GHL's OpenAPI files
# (2026-06-19); WhatsApp, live chat's spelling and the custom kinds were seen on the wire. RCS and TikTok have no number, and are
# sent as the OpenAPI files' `SendMessageBody` has it. Web chat is sent as Live_Chat, the one chat that can be sent to there.
KINDS = (
    Kind("TYPE_SMS", 2, "SMS", Channel.SMS),
    Kind("TYPE_EMAIL", 3, "Email", Channel.EMAIL),
    Kind("TYPE_FACEBOOK", 11, "FB", Channel.FB),
    Kind("TYPE_GMB", 15, "GMB", Channel.GMB),
    Kind("TYPE_INSTAGRAM", 18, "IG", Channel.IG),
    Kind("TYPE_WHATSAPP", 19, "WhatsApp", Channel.WHATSAPP),
    Kind("TYPE_CUSTOM_SMS", 20, "Custom", Channel.CUSTOM),
    Kind("TYPE_CUSTOM_EMAIL", 21, "Custom", Channel.EMAIL),
    Kind("TYPE_CUSTOM_PROVIDER_SMS", 22, "Custom", Channel.CUSTOM),
    Kind("TYPE_CUSTOM_PROVIDER_EMAIL", 23, "Custom", Channel.EMAIL),
    Kind("TYPE_LIVE_CHAT", 29, "Live_Chat", Channel.LIVE_CHAT),
    Kind("TYPE_WEBCHAT", 5, "WebChat", Channel.LIVE_CHAT),
    Kind("TYPE_ALL_IN_ONE_CHAT", 0, "ALL_IN_ONE_CHAT", Channel.LIVE_CHAT),
    Kind("TYPE_RCS", 0, "RCS", Channel.RCS),
    Kind("TYPE_TIKTOK", 0, "TIKTOK", Channel.TIKTOK),
)

# The channel of a reply to these is inferred: a location may map them to another channel, like unknown types.
_INFERRED = frozenset({"TYPE_WEBCHAT", "TYPE_ALL_IN_ONE_CHAT"})

# Types that have no text to answer, by their names without TYPE_ and by their numbers. A form submission is not one: it has a
# text, and a location may want it answered (`types`).
_NOT_TEXTS = frozenset(
    {"CALL", "PHONE", "VOICEMAIL", "IVR_CALL", "CUSTOM_CALL", "GROUP_SMS", "SMS_REACTION", "REVIEW", "LIVE_CHAT_INFO_MESSAGE"}
    | {"FACEBOOK_COMMENT", "INSTAGRAM_COMMENT", "TIKTOK_COMMENT", "SMS_REVIEW_REQUEST", "SMS_NO_SHOW_REQUEST"}
)
_NOT_TEXTS_BEGIN = ("CAMPAIGN_", "ACTIVITY_", "INTERNAL")
_NOT_TEXT_NUMBERS = frozenset({1, 4, *range(6, 11), *range(12, 15), 16, 17, *range(24, 29), *range(30, 39)})

_CALLED = {
    word: tuple(kind for kind in KINDS if word in {_plain(kind.name), _plain(kind.word)})
    for one in KINDS
    for word in (_plain(one.name), _plain(one.word))
}

# `messageType` Custom without name and number: a custom provider's message, whose reply must be sent as Custom.
SOME_CUSTOM = Kind("", 0, "Custom", Channel.CUSTOM)


def find_kind(type_string: str, type_word: str, number: int | None) -> Kind | None:
    """Find the kind of a message; None if it is not a message that can be answered.

    `messageTypeString` decides, or `messageType` if that is empty; each is a TYPE_ name or a word, in any case. `messageTypeId`
    decides only between kinds with the same word, or if both are empty.
    """
    name = _plain(type_string) or _plain(type_word)
    if not name:
        return next((kind for kind in KINDS if number and kind.number == number), None)
    found = _CALLED.get(name, ())
    if len(found) > 1:
        return SOME_CUSTOM if number is None else next((kind for kind in found if kind.number == number), None)
    return found[0] if found else None


def kind_of(type_string: str, type_word: str, number: int | None) -> Kind | None:
    """The kind of a message, with `Channel.UNKNOWN` if its type is not known; None for a type that has no text.

    The arguments are those of `find_kind`. GHL adds types: a text of a new type must not be dropped like a call.
    """
    known = find_kind(type_string, type_word, number)
    return known or unknown_kind(type_string or type_word, number)


def unknown_kind(name: str, number: int | None = None) -> Kind | None:
    """The kind for a type that is not in the table, such as a form submission; None for a type that has no text."""
    plain = _plain(name).removeprefix("TYPE_")
    if plain in _NOT_TEXTS or plain.startswith(_NOT_TEXTS_BEGIN) or number in _NOT_TEXT_NUMBERS:
        return None
    return Kind(f"TYPE_{plain or number or 'NONE'}", number or 0, name or str(number or ""), Channel.UNKNOWN)


def by_settings(message: InboundMessage, types: Mapping[str, Channel]) -> InboundMessage:
    """The message on the channel that the location's `types` give for its type; unchanged if none, or if the type is known."""
    mapped = message.channel is Channel.UNKNOWN or message.message_type_string in _INFERRED
    channel = types.get(message.message_type_string) if mapped else None
    return replace(message, channel=channel, message_type=channel.value) if channel else message


def advice_if_refused(message: InboundMessage) -> str:
    """What an operator can do if GHL refuses a reply on an inferred channel; empty if the channel was not inferred."""
    name = message.message_type_string
    if name not in _INFERRED or message.channel is not Channel.LIVE_CHAT:
        return ""
    return f'the message came by {name}, which is answered as {message.channel}: map it with types = {{ {name} = "SMS" }}'


def told_word(kind: Kind, type_word: str) -> str:
    """The name of the channel for providers: the webhook's `messageType`, or the kind's word if that is absent or a TYPE_ name.

    For TYPE_CUSTOM_SMS it is SMS, which is also the channel of the reply.
    """
    if kind.name == "TYPE_CUSTOM_SMS":
        return "SMS"
    return next(
        (known.word for known in KINDS if known.channel is kind.channel and _plain(known.word) == _plain(type_word)), kind.word
    )
