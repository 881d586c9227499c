"""Locations on hold because GHL refused the API version of a request: released as soon as GHL accepts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bridge.errors import OutcomeUnknown, Permanent, Retryable, TokenRefused, VersionRefused
from bridge.ghl.access import Need
from bridge.ghl.scopes import looks
from bridge.model import LocationId
from bridge.store.operators.symptoms import holds_of

if TYPE_CHECKING:
    from bridge.access.ghl_access import GHLAccess
    from bridge.ghl.client import GHL
    from bridge.store.locations.records import LocationRecord, Locations
    from bridge.store.redis.connection import Redis

log = structlog.get_logger()

LOOK_SECONDS = 8.0
# If the tokens of this many are refused too, the next check will tell.
MOST_ASKED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionHolds:
    """What is needed to ask GHL again."""

    redis: Redis
    locations: Locations
    ghl_access: GHLAccess
    ghl: GHL

    def release(self) -> tuple[str, ...]:
        """Ask GHL with the current version, through the first location that can tell; returns the released locations.

        One suffices: versions are the same for all. Raises Unavailable, and Misconfigured where a location can't be read.
        """
        held = [LocationId(id_) for id_, hold in holds_of(self.redis).items() if hold.side == "version"]
        records = [record for record in (self.locations.get(id_) for id_ in held) if record]
        answers = (self._takes_version(one) for one in records[:MOST_ASKED])
        if not next((answer for answer in answers if answer is not None), False):
            return ()
        released = tuple(one.location.id for one in records)
        for one in records:
            self.locations.lift_hold(one.location.location_id, why="GHL accepts the API version")
        log.info("version_holds.released", locations=len(released))
        return released

    def _takes_version(self, kept: LocationRecord) -> bool | None:
        """Whether GHL accepts the version for every kind of request; None if the answer doesn't show it.

        A refusal of another kind says that the version was accepted, but a token may be refused before the version is checked.
        """
        access = self.ghl_access.open(kept, Need.SWEEP)
        for look in looks(kept.location.location_id):
            try:
                self.ghl.look(look, token=access, seconds=LOOK_SECONDS)
            except VersionRefused:
                return False
            except (TokenRefused, Retryable, OutcomeUnknown):
                return None
            except Permanent:
                continue
        return True
