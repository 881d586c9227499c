"""The messaging window: how long Meta's channels and TikTok accept replies; later posts would fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model import Channel, Reason, Skip

if TYPE_CHECKING:
    from bridge.model import InboundMessage

# Free-form messages, counted from the contact's last one: https://developers.facebook.com/docs/messenger-platform/policy
# and https://developers.facebook.com/docs/whatsapp/pricing; GHL refuses later ones as CHAT_NO_LONGER_ACTIVE.
# TikTok: 48 h, and 10 messages since the contact's last one, by two of its partners' documents (Qiscus, Chatfuel; 2026-11).
HOURS = {Channel.FB: 24, Channel.IG: 24, Channel.WHATSAPP: 24, Channel.TIKTOK: 48}


def judge_window(message: InboundMessage, *, now_ms: int) -> Skip | None:
    """Judge whether a reply may still be posted. `message` is the contact's last one; without a date it is new.

    It is real time: closed hours and holds count.
    """
    most = HOURS.get(message.channel)
    hours = (now_ms - message.date_added_ms) / 3_600_000
    if most is None or not message.date_added_ms or hours <= most:
        return None
    return Skip(Reason.TOO_OLD, f"{hours:.1f} h after the contact's last message, {message.channel} accepts replies for {most} h")
