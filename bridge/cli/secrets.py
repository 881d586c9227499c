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


def rotate_all(*, as_json: bool) -> None:
    """Seal everything that is kept with the newest key. Raises DidNotWork when some of it could not be."""
    with working("sealing everything again"):
        rotated = operations()(rotate, Nothing())
    if as_json:
        print_json(rotated)
    else:
        print(f"{rotated.resealed} sealed again with the newest key, {rotated.current} were before")
        if rotated.erased:
            print(
                f"the stops of {rotated.erased} erased contact(s) may be kept under an older key: keep it, behind the newest one"
            )
    if rotated.unreadable or rotated.changing:
        names = ", ".join((*rotated.unreadable, *rotated.changing))
        raise DidNotWork(
            f"not sealed again: {names}; put the key that opens it into BRIDGE_SECRET_KEY, give all processes the same keys, "
            "and run this again"
        )
    if not as_json and not rotated.erased:
        print("older keys may be taken out of BRIDGE_SECRET_KEY, once every process has the newest one")
