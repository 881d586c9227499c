"""Meta's messaging window: how long its channels take replies; later posts would fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model import Channel, Reason, Skip

if TYPE_CHECKING:
    from bridge.model import InboundMessage

# Free-form messages, counted from the contact's last one: https://developers.facebook.com/docs/messenger-platform/policy
# and https://developers.facebook.com/docs/whatsapp/pricing; GHL refuses later ones as CHAT_NO_LONGER_ACTIVE.
HOURS = 24
_CHANNELS = frozenset({Channel.FB, Channel.IG, Channel.WHATSAPP})


def judge_window(message: InboundMessage, *, now_ms: int) -> Skip | None:
    """Judge whether a reply may still be posted. `message` is the contact's last one; without a date it is new.

    By the clock on the wall: neither closed hours nor a hold stop it.
    """
    if message.channel not in _CHANNELS or not message.date_added_ms:
        return None
    hours = (now_ms - message.date_added_ms) / 3_600_000
    if hours <= HOURS:
        return None
    return Skip(Reason.TOO_OLD, f"{hours:.1f} h after the contact's last message, {message.channel} takes replies for {HOURS} h")
