"""What answering needs: the bridge's stores, GHL, providers, and the heartbeat that keeps leases."""

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
    from bridge.store.lanes.identities import Identities
    from bridge.store.lanes.leases import Lanes
    from bridge.store.lanes.people import ContactNames
    from bridge.store.lanes.situations import Situations
    from bridge.store.lanes.standings import Standings
    from bridge.store.limits.circuits import Circuits
    from bridge.store.locations.records import Locations


class LeaseKeeper(Protocol):
    """Keeps leases alive while their turns are worked on."""

    def keeping(self, turn: Turn) -> AbstractContextManager[None]:
        """Renew the turn's lease until the block ends."""
        ...

    def posting(self, turn: Turn) -> AbstractContextManager[None]:
        """Mark the block in which a post may be under way: a shutdown waits for it."""
        ...

    def posted(self, turn: Turn) -> None:
        """Let the mark stay until the turn is kept no longer: only its end takes note of what was posted."""
        ...


class CompleterBuilder(Protocol):
    """Builds a location's completers."""

    def __call__(self, location: Location, name: str, *, may_deliver: bool, patient: bool = True) -> Completer:
        """The completer of this name for this location, `patient` with faults that pass in seconds.

        Raises OperatorMustFix when its settings don't suffice.
        """
        ...

    def circuit(self, location: Location, name: str) -> str:
        """What the provider of this name shares with whoever asks it at the same address with the same login."""
        ...

    def takes_history(self, location: Location, name: str) -> bool:
        """Whether the provider of this name is to be told what was said before."""
        ...

    def takes_files(self, location: Location, name: str) -> TakesFiles:
        """What the provider of this name can be given of files."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerServices:
    """What answering needs, built once per worker.

    Waits and durations are seconds, `clock` is monotonic; `secrets` are the environment's own; without `people`, nobody's
    name is kept.
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
    retry_delays: tuple[float, ...]
    readback: tuple[float, ...]
    post_seconds: float
    secrets: tuple[str, ...] = ()
    people: ContactNames | None = None
    clock: Callable[[], float] = time.monotonic
