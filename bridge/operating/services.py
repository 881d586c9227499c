"""The stores and clients that operations use."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from bridge.operating.admin_auth import AdminAuth
from bridge.store.figures.counts import Counts
from bridge.store.figures.last_events import LastEvents
from bridge.store.figures.live_events import LiveEvents
from bridge.store.figures.reports import DailyCounts
from bridge.store.lanes.people import ContactNames
from bridge.store.lanes.positions import LanePositions
from bridge.store.lanes.timelines import Timelines
from bridge.store.locations.sweeps import Sweeps
from bridge.store.operators.audit import Audit
from bridge.store.operators.conversation_lists import ConversationLists
from bridge.store.operators.ended_logins import EndedLogins
from bridge.store.operators.erasures import Erasures
from bridge.store.operators.interventions import Interventions
from bridge.store.operators.login_rate_limit import LoginRateLimit
from bridge.store.operators.operators import Operators
from bridge.store.operators.resends import Resends
from bridge.store.redis.canary import Canary
from bridge.wire.calls import Wire
from bridge.wiring import (
    build_dead_letters,
    build_excerpts,
    build_ghl,
    build_ghl_access,
    build_grants,
    build_installs,
    build_locations,
    build_providers,
    build_redis,
    build_situations,
    build_standings,
    build_sweep_services,
    install_link,
)

if TYPE_CHECKING:
    from bridge.access.ghl_access import GHLAccess
    from bridge.completion.providers import Providers
    from bridge.ghl.client import GHL
    from bridge.settings import Settings
    from bridge.store.lanes.excerpts import Excerpts
    from bridge.store.lanes.situations import Situations
    from bridge.store.lanes.standings import Standings
    from bridge.store.locations.grants import Grants
    from bridge.store.locations.installs import Installs
    from bridge.store.locations.records import Locations
    from bridge.store.operators.dead_letters import DeadLetters
    from bridge.store.redis.connection import Redis
    from bridge.sweep import SweepServices


class AdminServices:
    """The stores and clients of operations, each built at its first use, so that a missing setting affects only some of them.

    Every property raises Misconfigured if a setting that it needs is missing.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    # Whether the operator is limited to some locations.
    is_limited = False

    def sees(self, location_id: str) -> bool:
        """Whether the operator may see this location."""
        del location_id
        return True

    @cached_property
    def redis(self) -> Redis:
        """The client of the Redis that holds the state."""
        return build_redis(self.settings)

    @cached_property
    def locations(self) -> Locations:
        """The locations."""
        return build_locations(self.settings, self.redis)

    @cached_property
    def canary(self) -> Canary:
        """The check of encryption keys."""
        return Canary(self.redis, self.settings.fernet_keys)

    @cached_property
    def dead_letters(self) -> DeadLetters:
        """The dead letters."""
        return build_dead_letters(self.settings, self.redis)

    @cached_property
    def conversation_lists(self) -> ConversationLists:
        """Lists of conversations."""
        return ConversationLists(self.redis, retention_ms=self.settings.retention_ms)

    @cached_property
    def interventions(self) -> Interventions:
        """Operators' actions in a conversation."""
        return Interventions(self.redis, retention_ms=self.settings.retention_ms)

    @cached_property
    def resends(self) -> Resends:
        """The resending of undelivered replies."""
        return Resends(self.redis, retention_ms=self.settings.retention_ms)

    @cached_property
    def timelines(self) -> Timelines:
        """The timelines of contacts."""
        return Timelines(self.redis)

    @cached_property
    def places(self) -> LanePositions:
        """The positions of lanes in the schedule."""
        return LanePositions(self.redis)

    @cached_property
    def situations(self) -> Situations:
        """Settings and standings, read together."""
        return build_situations(self.settings, self.redis)

    @cached_property
    def standings(self) -> Standings:
        """The standings of contacts."""
        return build_standings(self.settings, self.redis)

    @cached_property
    def erasures(self) -> Erasures:
        """Erasing of contacts' data."""
        return Erasures(self.redis, fernet_keys=self.settings.fernet_keys, retention_ms=self.settings.retention_ms)

    @cached_property
    def excerpts(self) -> Excerpts:
        """Error texts of completion services."""
        return build_excerpts(self.settings, self.redis)

    @cached_property
    def people(self) -> ContactNames:
        """The names of contacts."""
        return ContactNames(self.redis, fernet_keys=self.settings.fernet_keys, retention_ms=self.settings.retention_ms)

    @cached_property
    def feeds(self) -> LastEvents:
        """The times of the newest webhooks."""
        return LastEvents(self.redis)

    @cached_property
    def audit(self) -> Audit:
        """The audit log."""
        return Audit(self.redis, retention_ms=self.settings.retention_ms)

    @cached_property
    def providers(self) -> Providers:
        """The completion services."""
        return build_providers(self.settings)

    @cached_property
    def admin_auth(self) -> AdminAuth:
        """Authentication for the admin API and the console."""
        return AdminAuth(self.settings.admin_token, LoginRateLimit(self.redis), EndedLogins(self.redis), self.operators)

    @cached_property
    def operators(self) -> Operators:
        """The named operators."""
        return Operators(self.redis)

    @cached_property
    def counts(self) -> Counts:
        """Counts of messages and webhooks."""
        return Counts(self.redis)

    @cached_property
    def daily_counts(self) -> DailyCounts:
        """The daily counts of reports."""
        return DailyCounts(self.redis)

    @cached_property
    def live(self) -> LiveEvents:
        """The stream of the newest events."""
        return LiveEvents(self.redis)

    @cached_property
    def installs(self) -> Installs:
        """The installs of the app."""
        return build_installs(self.settings, self.redis)

    @cached_property
    def grants(self) -> Grants:
        """The tokens of installs."""
        return build_grants(self.settings, self.redis)

    @cached_property
    def sweeps(self) -> Sweeps:
        """The schedule of sweeps."""
        return Sweeps(self.redis)

    @cached_property
    def sweep_services(self) -> SweepServices:
        """The dependencies of the sweep."""
        return build_sweep_services(self.settings, self.redis)

    @cached_property
    def install_link(self) -> str:
        """The URL to install the app."""
        return install_link(self.settings)

    @cached_property
    def ghl_access(self) -> GHLAccess:
        """Access to GHL with a location's tokens."""
        return build_ghl_access(self.settings, self.redis, Wire())

    @cached_property
    def ghl(self) -> GHL:
        """The client of GHL."""
        return build_ghl(self.settings)

    def close(self) -> None:
        """Close all connections."""
        if "redis" in self.__dict__:
            self.redis.close()
