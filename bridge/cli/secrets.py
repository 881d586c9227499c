"""`ghl-bridge secrets`."""

from __future__ import annotations

from secrets import token_urlsafe

from cryptography.fernet import Fernet


def print_new() -> None:
    """Print the three that a new install needs, in the form of an environment file."""
    print(f"BRIDGE_SECRET_KEY={Fernet.generate_key().decode()}")
    print(f"BRIDGE_ADMIN_TOKEN={token_urlsafe(32)}")
    print(f"BRIDGE_WORKFLOW_SECRET={token_urlsafe(32)}")
