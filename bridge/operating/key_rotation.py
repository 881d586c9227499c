"""Key rotation: re-encrypts stored secrets with the newest key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bridge.model import Role
from bridge.operating.operation import Nothing, operation
from bridge.operating.reach import everywhere
from bridge.operating.services import AdminServices


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """The result of a key rotation.

    `resealed` counts secrets that were re-encrypted, `current` those that already had the newest key. `unreadable` names secrets
    that no key decrypts, `changing` those that another process keeps encrypting with another key. `erased` counts the opt-outs of
    erased contacts; it can't be determined which key they depend on.
    """

    resealed: int
    current: int
    unreadable: tuple[str, ...]
    changing: tuple[str, ...]
    erased: int


@operation(
    "secrets.rotate",
    "POST",
    "/secrets/rotate",
    about=lambda asked: ("secrets",) if asked else (),
    role=Role.ADMIN,
    reach=everywhere,
)
def rotate(services: AdminServices, asked: Nothing) -> Rotated:
    """Re-encrypt all stored secrets with the newest key of BRIDGE_SECRET_KEY."""
    del asked
    outcomes = {f"location {one}": services.locations.reseal(one) for one in services.locations.ids()}
    outcomes |= {f"grant of {one}": services.grants.reseal(one) for one in services.grants.owners()}
    outcomes |= {f"the service's error text of {one}": services.excerpts.reseal(one) for one in services.excerpts.ids()}
    outcomes |= {f"who {one} is": services.people.reseal(one) for one in services.people.lanes()}
    outcomes["the canary"] = services.canary.reseal()
    # Secrets that expired in the meantime are not counted.
    counted = Counter(outcomes.values())
    return Rotated(
        resealed=counted["resealed"],
        current=counted["current"],
        unreadable=tuple(name for name, outcome in outcomes.items() if outcome == "unreadable"),
        changing=tuple(name for name, outcome in outcomes.items() if outcome == "changing"),
        erased=services.erasures.kept(),
    )
