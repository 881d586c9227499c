"""GHL's channels and their names in webhooks, in the REST API and in a send."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChannelKind:
    """One kind of message.

    `sent_as` is the `type` of `POST /conversations/messages`, empty if nothing can be sent; `dnd_key` is its key in a
    contact's `dndSettings`, empty if only the contact's `dnd` counts; `numbers` and `widget` are webhook keys.
    """

    name: str
    type_string: str
    type_id: int
    sent_as: str
    dnd_key: str = ""
    numbers: bool = False
    widget: bool = False
    window: bool = False


SMS = ChannelKind("SMS", "TYPE_SMS", 2, "SMS", "SMS", numbers=True, widget=True)
EMAIL = ChannelKind("Email", "TYPE_EMAIL", 3, "Email", "Email")
FACEBOOK = ChannelKind("FB", "TYPE_FACEBOOK", 11, "FB", "FB", window=True)
GMB = ChannelKind("GMB", "TYPE_GMB", 15, "", "GMB")
INSTAGRAM = ChannelKind("IG", "TYPE_INSTAGRAM", 18, "IG", window=True)
WHATSAPP = ChannelKind("WhatsApp", "TYPE_WHATSAPP", 19, "WhatsApp", "WhatsApp", numbers=True, window=True)
CUSTOM_SMS = ChannelKind("Custom", "TYPE_CUSTOM_SMS", 20, "SMS", "SMS")
CUSTOM_PROVIDER_SMS = ChannelKind("Custom", "TYPE_CUSTOM_PROVIDER_SMS", 22, "Custom")
LIVE_CHAT = ChannelKind("Live_Chat", "TYPE_LIVE_CHAT", 29, "Live_Chat", widget=True)
COMMENT = ChannelKind("InternalComment", "TYPE_INTERNAL_COMMENT", 37, "InternalComment")

_ALL = (SMS, EMAIL, FACEBOOK, GMB, INSTAGRAM, WHATSAPP, CUSTOM_SMS, CUSTOM_PROVIDER_SMS, LIVE_CHAT, COMMENT)
BY_TYPE_STRING = {channel.type_string: channel for channel in _ALL}
# The name means the first of the two custom channels; the other is found by its type string.
BY_NAME = {channel.name: channel for channel in reversed(_ALL)}


def named(name: str) -> ChannelKind | None:
    """Find a channel by its name in webhooks (`FB`) or by its type string (`TYPE_FACEBOOK`)."""
    return BY_TYPE_STRING.get(name) or BY_NAME.get(name)


def sent_as(kind: str, *, provider_id: str, answering: ChannelKind | None = None) -> ChannelKind | None:
    """Find the channel of a send.

    An SMS through a conversation provider is filed as that provider's, unless it answers a plain SMS: the official sample of
    one carries a provider's id too.
    """
    if kind == "SMS" and provider_id:
        return SMS if answering is SMS else CUSTOM_SMS
    if kind == "Custom":
        return CUSTOM_PROVIDER_SMS
    channel = BY_NAME.get(kind)
    return channel if channel and channel.sent_as else None
