"""Whether an event may be signed with RSA only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.policy.legacy_signatures import UNUSED_MS, SignaturesSeen, takes_legacy

if TYPE_CHECKING:
    from bridge.settings import LegacySignatures

NEVER = SignaturesSeen()
SIX_DAYS = SignaturesSeen(ed25519_since_ms=1, ed25519_at_ms=UNUSED_MS)
SEVEN_DAYS = SignaturesSeen(ed25519_since_ms=1, ed25519_at_ms=1 + UNUSED_MS)


@pytest.mark.parametrize(
    ("setting", "seen", "takes"),
    [
        ("auto", NEVER, True),
        ("auto", SIX_DAYS, True),
        ("auto", SEVEN_DAYS, False),
        ("1", SEVEN_DAYS, True),
        ("0", NEVER, False),
    ],
)
def test_rsa_alone_is_taken_until_ed25519_has_come_for_seven_days(
    setting: LegacySignatures, seen: SignaturesSeen, takes: bool
) -> None:
    """`auto` waits for seven days of Ed25519 without an RSA-only event; `1` and `0` don't wait."""
    assert takes_legacy(setting, seen) is takes
