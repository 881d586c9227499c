"""The longest message of each channel, and how its length is counted. E-mail has no limit; `splitting` splits longer texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model import Channel
from bridge.policy.formatting import splitting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.policy.formatting.splitting import Measure

# SMS: GHL's help centre; Custom providers carry SMS. FB: Meta's Send API; WhatsApp: its Cloud API's text body. Instagram counts
# bytes ("must be UTF-8 and be a 1000 bytes or less"). Live chat has no known limit; a chat window shows 2,000 well.
# TikTok: 6,000 by Infobip's and respond.io's documents (read 2026-11-30). RCS has SMS' limit, since GHL falls back to SMS.
# Where a vendor says "characters" they are counted as UTF-16 units, the larger count: an emoji is two.
LIMITS: Mapping[Channel, tuple[int, Measure]] = {
    Channel.SMS: (1600, splitting.utf16_units),
    Channel.CUSTOM: (1600, splitting.utf16_units),
    Channel.FB: (2000, splitting.utf16_units),
    Channel.IG: (1000, splitting.utf8_bytes),
    Channel.WHATSAPP: (4096, splitting.utf16_units),
    Channel.LIVE_CHAT: (2000, splitting.utf16_units),
    Channel.GMB: (1500, splitting.utf16_units),
    Channel.RCS: (1600, splitting.utf16_units),
    Channel.TIKTOK: (6000, splitting.utf16_units),
    Channel.UNKNOWN: (1600, splitting.utf16_units),
}
