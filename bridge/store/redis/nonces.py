"""Nonces: what distinguishes one call, one lease, one request from all others. They are stored often, so they are short."""

from __future__ import annotations

from secrets import token_urlsafe

# 72 bits, 12 characters.
RANDOM_BYTES = 9


def nonce() -> str:
    """A new one."""
    return token_urlsafe(RANDOM_BYTES)
