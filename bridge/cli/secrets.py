"""`ghl-bridge secrets`."""

from __future__ import annotations

from secrets import token_urlsafe

from cryptography.fernet import Fernet

from bridge.cli.context import operations
from bridge.cli.output import print_json, working
from bridge.errors import DidNotWork
from bridge.operating.key_rotation import rotate
from bridge.operating.operation import Nothing


def print_new(*, as_json: bool) -> None:
    """Print the three secrets of a new install, as an environment file."""
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


def rotate_all(*, as_json: bool) -> None:
    """Re-encrypt all stored secrets with the newest key. Raises DidNotWork if some could not be re-encrypted."""
    with working("re-encrypting all secrets"):
        rotated = operations()(rotate, Nothing())
    if as_json:
        print_json(rotated)
    else:
        print(f"{rotated.resealed} re-encrypted with the newest key, {rotated.current} already were")
        if rotated.erased:
            print(f"opt-outs of {rotated.erased} erased contact(s) may depend on an older key: keep it after the newest one")
    if rotated.unreadable or rotated.changing:
        names = ", ".join((*rotated.unreadable, *rotated.changing))
        raise DidNotWork(
            f"not re-encrypted: {names}; add the key that decrypts them to BRIDGE_SECRET_KEY, give all processes the same "
            "keys, and run this again"
        )
    if not as_json and not rotated.erased:
        print("older keys may be removed from BRIDGE_SECRET_KEY when every process has the newest one")
