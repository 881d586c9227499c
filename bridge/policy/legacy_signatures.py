"""Decides whether an event with only GHL's legacy RSA signature is still accepted.

GHL announced the end of RSA for 2026-07-01, then for 2026-09-01 (webhook guide). Its Node SDK 3.1.0 says that the header is no
longer sent, its Python SDK still checks it: that is why the app's own events decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.settings import LegacySignatures

UNUSED_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class SignaturesSeen:
    """The signatures of the app's events (ms, 0: never).

    `ed25519_since_ms` is the first valid Ed25519 signature after the newest event with RSA alone, `ed25519_at_ms` the newest one.
    """

    ed25519_since_ms: int = 0
    ed25519_at_ms: int = 0
    rsa_at_ms: int = 0


def takes_legacy(setting: LegacySignatures, seen: SignaturesSeen) -> bool:
    """Whether an RSA signature alone is enough. With `auto`, it is until seven days of Ed25519 without such an event."""
    if setting == "auto":
        return seen.ed25519_at_ms - seen.ed25519_since_ms < UNUSED_MS
    return setting == "1"
