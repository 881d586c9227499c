"""The texts for the contact, and the parts in which they are posted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model import Channel
from bridge.policy.formatting import Shaped, carried_as, shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.answering.case import Case
    from bridge.locations import Location
    from bridge.model import Completion


def texts_of(completion: Completion, location: Location) -> tuple[str, ...]:
    """The texts for the contact: the answer and, with a handover, the location's own message."""
    message = location.handover.message.strip() if completion.handover and location.handover else ""
    return tuple(text for text in (completion.text, message) if text)


def shaped_for(case: Case, texts: Sequence[str]) -> Shaped:
    """The texts formatted for the channel: each as separate parts, or together as one e-mail or comment."""
    location, channel = case.kept.location, carried_as(case.last)
    if location.mode == "draft":
        return Shaped(parts=("\n\n".join(texts),))
    if channel is Channel.EMAIL:
        texts = ["\n\n".join(texts)]
    each = [shape(text, channel, sms_max_segments=location.sms_max_segments) for text in texts]
    return Shaped(parts=tuple(part for one in each for part in one.parts), shortened=any(one.shortened for one in each))
