"""The dependencies of answering: stores, GHL, providers, and the heartbeat that keeps leases."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from bridge.access.ghl_access import GHLAccess
    from bridge.answering.media_reader import MediaReader
    from bridge.completion import Completer, TakesFiles
    from bridge.ghl.client import GHL
    from bridge.locations import Location
    from bridge.model import Turn
    from bridge.store.figures.list_lags import ListLags
    from bridge.store.lanes.excerpts import Excerpts
    from bridge.store.lanes.generations import Generations
    from bridge.store.lanes.identities import Identities
    from bridge.store.lanes.leases import Lanes
    from bridge.store.lanes.people import ContactNames
    from bridge.store.lanes.rollback_looks import RollbackLooks
    from bridge.store.lanes.situations import Situations
    from bridge.store.lanes.standings import Standings
    from bridge.store.limits.circuits import Circuits
    from bridge.store.locations.records import Locations


class LeaseKeeper(Protocol):
    """Keeps leases alive while turns are in progress."""

    def keeping(self, turn: Turn) -> AbstractContextManager[None]:
        """Renew the turn's lease until the block ends."""
        ...

    def posting(self, turn: Turn) -> AbstractContextManager[None]:
        """Mark the block in which a post may be in progress: a shutdown waits for it."""
        ...

    def posted(self, turn: Turn) -> None:
        """Keep the mark until the turn ends, because only its end records the post."""
        ...

    def gave_back(self, turn: Turn) -> bool:
        """Whether this process gave the turn back, because it stops."""
        ...


class CompleterBuilder(Protocol):
    """Builds a location's completers."""

    def __call__(
        self,
        location: Location,
        name: str,
        *,
        may_deliver: bool,
        patient: bool = True,
        before_send: Callable[[], None] | None = None,
    ) -> Completer:
        """The completer of this provider for this location; `patient`: it retries temporary errors within seconds.

        `before_send` is called immediately before each request is sent; it prevents the request by raising.
        Raises OperatorMustFix if settings are missing.
        """
        ...

    def circuit(self, location: Location, name: str) -> str:
        """The key of the circuit that this provider shares with all others at the same address with the same login."""
        ...

    def takes_history(self, location: Location, name: str) -> bool:
        """Whether this provider needs the earlier messages with each question."""
        ...

    def takes_files(self, location: Location, name: str) -> TakesFiles:
        """Which files this provider accepts: `no`, `links` or `images`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerServices:
    """The dependencies of answering, built once per worker.

    Waits and durations are in seconds, `clock` is monotonic, `secrets` are those of the settings. Without `people`, no names are
    stored.
    """

    lanes: Lanes
    identities: Identities
    standings: Standings
    situations: Situations
    locations: Locations
    ghl_access: GHLAccess
    ghl: GHL
    providers: CompleterBuilder
    circuits: Circuits
    media: MediaReader
    excerpts: Excerpts
    heartbeat: LeaseKeeper
    list_lags: ListLags
    generations: Generations
    rollback_looks: RollbackLooks
    retry_delays: tuple[float, ...]
    readback: tuple[float, ...]
    post_seconds: float
    secrets: tuple[str, ...] = ()
    people: ContactNames | None = None
    clock: Callable[[], float] = time.monotonic
