"""Ids that look like GHL's, from a source of randomness that is passed in."""

from __future__ import annotations

import secrets
import string
import uuid
from random import Random

_ALPHABET = string.ascii_letters + string.digits


def source(seed: int | None) -> Random:
    """The source of randomness of one simulator: the system's, or a repeatable one."""
    return secrets.SystemRandom() if seed is None else Random(seed)


def mint(randomness: Random) -> str:
    """Make an id as GHL's records have: 20 letters and digits."""
    return "".join(randomness.choices(_ALPHABET, k=20))


def mint_uuid(randomness: Random) -> str:
    """Make an id as GHL's webhooks have."""
    return str(uuid.UUID(int=randomness.getrandbits(128), version=4))


def mint_phone(randomness: Random) -> str:
    """Make a telephone number from the range that is reserved for fiction."""
    return f"+1555{randomness.randrange(1_000_000, 10_000_000)}"
