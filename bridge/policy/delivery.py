"""The delivery of a message after GHL accepted it, from GHL's status words. Pure.

The words are those of `GetMessageResponseDto.status` in GHL's OpenAPI document (2026-06-19). They are in the answer to a post, in
later OutboundMessage events and in lists, in any order, late and repeated, so the highest one counts.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Delivery(StrEnum):
    """`accepted`: GHL accepted it and reported nothing more; `delivered`: it reached the contact; `undelivered`: it did not."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


# The carrier's answer that this number has opted out: undelivered, and an opt-out.
OPT_OUT = "opt_out"

_DELIVERED = frozenset({"delivered", "read", "opened", "clicked", "connected"})
_UNDELIVERED = frozenset({"failed", "undelivered"})


def noted_as(word: str) -> str:
    """The stored form of a status word: `delivered`, `undelivered` or `opt_out`.

    Empty for a word that only means that GHL has the message (`pending`, `sent`, `queued`, `scheduled`), and for an unknown one.
    """
    known = word.strip().lower()
    if known in _DELIVERED:
        return Delivery.DELIVERED
    if known in _UNDELIVERED:
        return Delivery.UNDELIVERED
    return OPT_OUT if known == OPT_OUT else ""


def delivery_of(noted: Sequence[str]) -> Delivery:
    """The delivery of a reply from the stored words of its messages (empty: none): one that failed counts for the whole reply."""
    if any(one in {Delivery.UNDELIVERED, OPT_OUT} for one in noted):
        return Delivery.UNDELIVERED
    return Delivery.DELIVERED if noted and all(one == Delivery.DELIVERED for one in noted) else Delivery.ACCEPTED
