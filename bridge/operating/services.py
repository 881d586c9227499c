"""The stores and clients that operations use."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from bridge.operating.admin_auth import AdminAuth
from bridge.store.figures.counts import Counts
from bridge.store.figures.last_events import LastEvents
from bridge.store.figures.live_events import LiveEvents
from bridge.store.lanes.people import ContactNames
from bridge.store.lanes.positions import LanePositions
from bridge.store.lanes.timelines import Timelines
from bridge.store.locations.sweeps import Sweeps
from bridge.store.operators.conversation_lists import ConversationLists
from bridge.store.operators.interventions import Interventions
from bridge.store.operators.logins import Logins
from bridge.store.redis.canary import Canary
from bridge.wire.calls import Wire
from bridge.wiring import (
    build_audit,
    build_dead_letters,
    build_erasures,
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
    from bridge.store.operators.audit import Audit
    from bridge.store.operators.dead_letters import DeadLetters
    from bridge.store.operators.erasures import Erasures
    from bridge.store.redis.connection import Redis
    from bridge.sweep import SweepServices


class AdminServices:
    """The stores behind operations, each built when it is first used: what is missing for one must not hinder another.

    Every property raises Misconfigured when a setting that it needs is missing.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def redis(self) -> Redis:
        """The state."""
        return build_redis(self.settings)

    @cached_property
    def locations(self) -> Locations:
        """The locations."""
        return build_locations(self.settings, self.redis)

    @cached_property
    def canary(self) -> Canary:
        """Whose keys are at work."""
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
        """What operators make happen in a conversation."""
        return Interventions(self.redis, retention_ms=self.settings.retention_ms)

    @cached_property
    def timelines(self) -> Timelines:
        """What happened."""
        return Timelines(self.redis)

    @cached_property
    def places(self) -> LanePositions:
        """Where lanes stand."""
        return LanePositions(self.redis)

    @cached_property
    def situations(self) -> Situations:
        """How things stand with contacts and their locations."""
        return build_situations(self.settings, self.redis)

    @cached_property
    def standings(self) -> Standings:
        """What is noted of contacts."""
        return build_standings(self.settings, self.redis)

    @cached_property
    def erasures(self) -> Erasures:
        """What removes contacts."""
        return build_erasures(self.settings, self.redis)

    @cached_property
    def excerpts(self) -> Excerpts:
        """What services said when they failed."""
        return build_excerpts(self.settings, self.redis)

    @cached_property
    def people(self) -> ContactNames:
        """Who contacts are."""
        return ContactNames(self.redis, fernet_keys=self.settings.fernet_keys, retention_ms=self.settings.retention_ms)

    @cached_property
    def feeds(self) -> LastEvents:
        """What came last."""
        return LastEvents(self.redis)

    @cached_property
    def audit(self) -> Audit:
        """Who changed what."""
        return build_audit(self.settings, self.redis)

    @cached_property
    def providers(self) -> Providers:
        """The completion services."""
        return build_providers(self.settings)

    @cached_property
    def admin_auth(self) -> AdminAuth:
        """Who may use the admin API and the console."""
        return AdminAuth(self.settings.admin_token, Logins(self.redis))

    @cached_property
    def counts(self) -> Counts:
        """What was counted."""
        return Counts(self.redis)

    @cached_property
    def live(self) -> LiveEvents:
        """The newest events."""
        return LiveEvents(self.redis)

    @cached_property
    def installs(self) -> Installs:
        """Where the app is installed."""
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
        """What the sweep needs."""
        return build_sweep_services(self.settings, self.redis)

    @cached_property
    def install_link(self) -> str:
        """Where the app can be installed."""
        return install_link(self.settings)

    @cached_property
    def ghl_access(self) -> GHLAccess:
        """Who may speak to GHL for a location."""
        return build_ghl_access(self.settings, self.redis, Wire())

    @cached_property
    def ghl(self) -> GHL:
        """GHL, for what an operator asks for."""
        return build_ghl(self.settings)

    def close(self) -> None:
        """Give the connections back."""
        if "redis" in self.__dict__:
            self.redis.close()
