"""Checks which of GHL's signatures the app's events have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.metrics import SIGNATURES
from bridge.operating.doctor.findings import Finding, note
from bridge.policy.legacy_signatures import takes_legacy
from bridge.store.figures.counts import Counts
from bridge.store.figures.signatures import signatures_seen
from bridge.store.redis.connection import now_ms
from bridge.times import ago_ms, iso

if TYPE_CHECKING:
    from bridge.operating.services import AdminServices
    from bridge.policy.legacy_signatures import SignaturesSeen

NAME = "webhook signatures"


def examine_signatures(services: AdminServices) -> Finding:
    """Report events with only the legacy RSA signature, because GHL has announced its end. Raises Unavailable."""
    setting = services.settings.ghl_legacy_signatures
    seen, now = signatures_seen(services.redis), now_ms(services.redis)
    totals = Counts(services.redis).totals()
    accepted, refused = (totals.get(SIGNATURES.field(kind), 0) for kind in ("rsa", "rsa_refused"))
    if refused:
        more = "if GHL sends nothing else to this app, set GHL_LEGACY_SIGNATURES=1"
        return note(NAME, f"{refused} event(s) with the legacy RSA signature alone were refused: {more}")
    takes = takes_legacy(setting, seen)
    if accepted and takes:
        return note(NAME, f"{_legacy(accepted, seen, now)}: GHL has announced the end of that signature")
    says = "all events have Ed25519 signatures" if seen.ed25519_at_ms else "no event has arrived within 30 days"
    return Finding(NAME, ok=True, says=f"{says}; the legacy RSA signature alone {'is still accepted' if takes else 'is refused'}")


def _legacy(taken: int, seen: SignaturesSeen, now: int) -> str:
    newest = f", the newest {ago_ms(seen.rsa_at_ms, now)} ({iso(seen.rsa_at_ms)})" if seen.rsa_at_ms else ""
    return f"{taken} event(s) came with the legacy RSA signature alone{newest}"
