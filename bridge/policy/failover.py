"""Which providers are asked within one attempt, in which order, and which of them may deliver by itself."""

from __future__ import annotations

# So many answers in a row without a claim of delivery, or claims that turned out true, tell who delivers (DESIGN).
KNOWN_AFTER = 3


def who_delivers(how: str, *, unclaimed: int, seen: int) -> str:
    """Who posts a provider's answers: `provider`, `bridge`, or "" as long as that is not known. `how` is its `delivery`."""
    if how != "auto":
        return how
    return "provider" if seen >= KNOWN_AFTER else "bridge" if unclaimed >= KNOWN_AFTER else ""


def order(first: str, fallback: str) -> tuple[str, ...]:
    """The providers of a try; the second is asked only if the first is down or out of tries, and has surely delivered nothing."""
    return (first, fallback) if fallback else (first,)


def order_after_loss(first: str, fallback: str, *, lost: str, absent: bool) -> tuple[str, ...]:
    """The providers of a try after one whose answer was lost: `lost` was asked, and `absent` says that it delivered nothing.

    If that is proven, a lost first provider has had its try, and the fallback's turn has come. If not, only the same one may be
    asked again: another's answer beside its delivery would be a second reply.
    """
    if not absent:
        return (lost if lost in {first, fallback} else first,)
    return (fallback,) if fallback and lost == first else order(first, fallback)
