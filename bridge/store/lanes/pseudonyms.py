"""Pseudonyms of contacts: a digest under which an erased contact's opt-outs stay stored."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.model import Lane


def digests(lane: Lane, fernet_keys: Iterable[str]) -> tuple[str, ...]:
    """The pseudonyms of a contact, hexadecimal SHA-256 digests, one per key (base64), newest key first.

    Without the key, nobody can tell which contact a pseudonym belongs to.
    """
    return tuple(
        hmac.digest(urlsafe_b64decode(fernet_key), b"erased contact\0" + str(lane).encode(), "sha256").hex()
        for fernet_key in fernet_keys
    )
