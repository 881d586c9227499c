"""`ghl-bridge secrets`."""

from __future__ import annotations

from secrets import token_urlsafe

from cryptography.fernet import Fernet

from bridge.cli.door import print_json


def print_new(*, as_json: bool) -> None:
    """Print the three that a new install needs, in the form of an environment file."""
    fresh = {
        "BRIDGE_SECRET_KEY": Fernet.generate_key().decode(),
        "BRIDGE_ADMIN_TOKEN": token_urlsafe(32),
        "BRIDGE_WORKFLOW_SECRET": token_urlsafe(32),
    }
    if as_json:
        print_json(fresh)
        return
    for name, value in fresh.items():
        print(f"{name}={value}")
