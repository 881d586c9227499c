"""Which providers one attempt asks, in which order, and which of them may deliver by itself."""

from __future__ import annotations

# After this many answers in a row without a claim of delivery, or with true claims, it is known who delivers.
KNOWN_AFTER = 3


def who_delivers(how: str, *, unclaimed: int, seen: int) -> str:
    """Who posts a provider's answers: `provider`, `bridge`, or "" if it is not known yet. `how` is the setting `delivery`."""
    if how != "auto":
        return how
    return "provider" if seen >= KNOWN_AFTER else "bridge" if unclaimed >= KNOWN_AFTER else ""


def order(first: str, fallback: str) -> tuple[str, ...]:
    """The providers of an attempt. The second is asked only if the first is down or failed, and certainly delivered nothing."""
    return (first, fallback) if fallback else (first,)


def order_after_loss(first: str, fallback: str, *, lost: str, absent: bool) -> tuple[str, ...]:
    """The providers of an attempt after the answer of provider `lost` was lost; `absent`: it is proven that it delivered nothing.

    With this proof, the fallback is asked next if the first provider was the lost one. Without it, only the same provider may be
    asked again, because an answer of another one could be a second reply.
    """
    if not absent:
        return (lost if lost in {first, fallback} else first,)
    return (fallback,) if fallback and lost == first else order(first, fallback)
