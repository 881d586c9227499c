"""Formats an answer for a channel: from a provider's Markdown to the parts to post.

`markdown` parses it, `plain` and `mail` write it, `sms` reduces the cost of an SMS, `splitting` applies the length `limits`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.model import Channel
from bridge.policy.formatting import mail, plain, sms, splitting
from bridge.policy.formatting.limits import LIMITS

if TYPE_CHECKING:
    from bridge.model import InboundMessage

# As many as TikTok accepts after a contact's message (`policy.messaging_window`).
_MOST_TIKTOKS = 10
# TikTok refuses links; "Book here: https://..." keeps its words.
_LINK = re.compile(r":?[ \t]*https?://\S+?(?=[.,;!?)\]]*(?:\s|$))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """A formatted answer: its parts in order; HTML for e-mail, plain text otherwise.

    No parts: the answer is empty (white space, a divider). `shortened`: its end was cut off for `sms_max_segments`, or
    links and what is beyond ten messages were left out for TikTok. `segments` is the number of SMS segments of all parts, 0 on
    other channels.
    """

    parts: tuple[str, ...]
    shortened: bool = False
    segments: int = 0


def shape(text: str, channel: Channel, *, sms_max_segments: int) -> Shaped:
    """Format a provider's answer for a channel (see `carried_as`). Never raises, for any text."""
    shaped = plain.from_markdown(text)
    if channel is Channel.EMAIL:
        return Shaped(parts=(mail.from_markdown(text),) if shaped else ())
    limit, measure = LIMITS[channel]
    if channel is Channel.TIKTOK:
        without = _LINK.sub("", shaped).strip()
        parts = splitting.split(without, limit, measure)
        return Shaped(parts=parts[:_MOST_TIKTOKS], shortened=without != shaped or len(parts) > _MOST_TIKTOKS)
    if channel is not Channel.SMS:
        return Shaped(parts=splitting.split(shaped, limit, measure))
    folded = sms.fold(shaped)
    parts = splitting.split(folded, limit, measure)
    capped = sms.cap(parts, sms_max_segments)
    return Shaped(parts=capped, shortened=capped != parts, segments=sum(map(sms.count_segments, capped)))


def carried_as(message: InboundMessage) -> Channel:
    """The channel whose limits apply to the answer to `message`: SMS if GHL sends it as SMS, with any conversation provider."""
    return Channel.SMS if message.channel is Channel.CUSTOM and message.message_type == "SMS" else message.channel
