"""Key rotation: stored secrets are sealed again with the newest key."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bridge.operating.operation import Nothing, operation
from bridge.operating.services import AdminServices


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What became of what is sealed.

    `resealed` with the newest key now, `current` before; `unreadable` names what no key opens, `changing` what another process
    seals with another key all the time. `erased` is how many stops of erased contacts are kept: under which key can't be told.
    """

    resealed: int
    current: int
    unreadable: tuple[str, ...]
    changing: tuple[str, ...]
    erased: int


@operation("secrets.rotate", "POST", "/secrets/rotate", about=lambda asked: ("secrets",) if asked else ())
def rotate(services: AdminServices, asked: Nothing) -> Rotated:
    """Seal everything that is kept with the newest key of BRIDGE_SECRET_KEY."""
    del asked
    outcomes = {f"location {one}": services.locations.reseal(one) for one in services.locations.ids()}
    outcomes |= {f"grant of {one}": services.grants.reseal(one) for one in services.grants.owners()}
    outcomes |= {f"what the service said of {one}": services.excerpts.reseal(one) for one in services.excerpts.ids()}
    outcomes |= {f"who {one} is": services.people.reseal(one) for one in services.people.lanes()}
    outcomes["the canary"] = services.canary.reseal()
    # What has expired meanwhile needs no key any more.
    counted = Counter(outcomes.values())
    return Rotated(
        resealed=counted["resealed"],
        current=counted["current"],
        unreadable=tuple(name for name, outcome in outcomes.items() if outcome == "unreadable"),
        changing=tuple(name for name, outcome in outcomes.items() if outcome == "changing"),
        erased=services.erasures.kept(),
    )
