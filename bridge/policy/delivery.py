"""What became of a message after GHL had taken it: GHL's words for that, and what they come to.

The words are those of `GetMessageResponseDto.status` in GHL's OpenAPI document (2026-06-19). They come in the answer to a post,
in later OutboundMessage events and in lists; in any order, late and repeated, so that the highest one heard counts. Pure.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Delivery(StrEnum):
    """`accepted`: GHL took it and has not said more; `delivered`: it reached the contact; `undelivered`: it did not."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


# The carrier's answer that this number wants no more messages: undelivered, and a stop.
OPT_OUT = "opt_out"

_DELIVERED = frozenset({"delivered", "read", "opened", "clicked", "connected"})
_UNDELIVERED = frozenset({"failed", "undelivered"})


def noted_as(word: str) -> str:
    """What a status word is noted as: `delivered`, `undelivered` or `opt_out`.

    Empty for one that says no more than that GHL has the message (`pending`, `sent`, `queued`, `scheduled`), or an unknown one.
    """
    known = word.strip().lower()
    if known in _DELIVERED:
        return Delivery.DELIVERED
    if known in _UNDELIVERED:
        return Delivery.UNDELIVERED
    return OPT_OUT if known == OPT_OUT else ""


def delivery_of(noted: Sequence[str]) -> Delivery:
    """What a reply's messages come to, by what is noted of each (empty: nothing): one that failed counts for the whole reply."""
    if any(one in {Delivery.UNDELIVERED, OPT_OUT} for one in noted):
        return Delivery.UNDELIVERED
    return Delivery.DELIVERED if noted and all(one == Delivery.DELIVERED for one in noted) else Delivery.ACCEPTED
