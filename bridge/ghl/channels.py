"""GHL's names and numbers for kinds of messages, and which of them a contact may be answered on."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.model import Channel


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message: `messageTypeString`, `messageTypeId` and `messageType` of GHL, and the channel it is answered on."""

    name: str
    number: int
    word: str
    channel: Channel


def _plain(word: str) -> str:
    return word.strip().replace(" ", "_").upper()


# Sources: https://marketplace.gohighlevel.com/docs/webhook/InboundMessage (2026-08-30) and the enum of GHL's OpenAPI files;
# WhatsApp, live chat's spelling and the custom kinds were seen on the wire. Left out, as they are no message to answer: 1 call,
# 10 voicemail, 24 IVR, 34 custom call; 4-9, 12-14, 16, 17 campaigns and reviews; 25-28, 31, 38 activities; 30 live chat's info;
# 32, 33 comments; 35 group SMS; 36, 37 internal; and reactions, RCS and TikTok, which have no number.
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
)

_CALLED = {
    word: tuple(kind for kind in KINDS if word in {_plain(kind.name), _plain(kind.word)})
    for one in KINDS
    for word in (_plain(one.name), _plain(one.word))
}

# `messageType` Custom with neither name nor number: some custom provider's, and its reply must go as Custom.
SOME_CUSTOM = Kind("", 0, "Custom", Channel.CUSTOM)


def find_kind(type_string: str, type_word: str, number: int | None) -> Kind | None:
    """Find the kind of a message; None for everything that is no answerable message.

    The first that is not empty of `messageTypeString` and `messageType` decides, each either a TYPE_ name or a word, any case;
    `messageTypeId` decides only between kinds that share a word, or when there is neither.
    """
    given = _plain(type_string) or _plain(type_word)
    if not given:
        return next((kind for kind in KINDS if kind.number == number), None)
    found = _CALLED.get(given, ())
    if len(found) > 1:
        return SOME_CUSTOM if number is None else next((kind for kind in found if kind.number == number), None)
    return found[0] if found else None


def told_word(kind: Kind, type_word: str) -> str:
    """What a provider is told as the channel: the webhook's `messageType`, or the kind's word if that is absent or a TYPE_ name.

    A TYPE_CUSTOM_SMS is told as SMS, which is also how it is replied to.
    """
    if kind.name == "TYPE_CUSTOM_SMS":
        return "SMS"
    return next((known.word for known in KINDS if _plain(known.word) == _plain(type_word)), kind.word)
