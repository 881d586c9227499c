"""Locations on hold because GHL did not take the API version of a request: released as soon as GHL takes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bridge.errors import OutcomeUnknown, Permanent, Retryable, VersionRefused
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


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionHolds:
    """What it takes to ask GHL once more."""

    redis: Redis
    locations: Locations
    ghl_access: GHLAccess
    ghl: GHL

    def release(self) -> tuple[str, ...]:
        """Ask GHL with the version that is set now, by the first of these locations; answers which are released.

        One suffices: versions are the same for all. Raises Unavailable, and Misconfigured where a location can't be read.
        """
        held = [LocationId(id_) for id_, hold in holds_of(self.redis).items() if hold.side == "version"]
        kept = [record for record in (self.locations.get(id_) for id_ in held) if record]
        if not kept or not self._takes_version(kept[0]):
            return ()
        released = tuple(one.location.id for one in kept)
        for one in kept:
            self.locations.lift_hold(one.location.location_id, why="GHL takes the API version")
        log.info("version_holds.released", locations=len(released))
        return released

    def _takes_version(self, kept: LocationRecord) -> bool:
        """A refusal of another kind says that the version was taken."""
        access = self.ghl_access.open(kept, Need.SWEEP)
        try:
            for look in looks(kept.location.location_id):
                self.ghl.look(look, token=access, seconds=LOOK_SECONDS)
        except (VersionRefused, Retryable, OutcomeUnknown):
            return False
        except Permanent:
            return True
        return True
