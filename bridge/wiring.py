"""The only module that builds concrete objects from settings. None of them opens a connection before it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.access.ghl_access import GHLAccess
from bridge.access.installing import Installing
from bridge.access.token_refresh import TokenRefresh
from bridge.addresses import is_this_machine
from bridge.answering.media_reader import MediaReader
from bridge.answering.services import AnswerServices
from bridge.completion.providers import Providers
from bridge.flow import AcceptServices
from bridge.ghl.client import GHL
from bridge.ghl.oauth import chooser
from bridge.ghl.routes import route
from bridge.ghl.signature import read_keys
from bridge.ghl.tokens import build_tokens
from bridge.metrics import GHL_REQUEST, Tally
from bridge.store.figures.list_lags import ListLags
from bridge.store.figures.signatures import Signatures
from bridge.store.lanes.excerpts import Excerpts
from bridge.store.lanes.generations import Generations
from bridge.store.lanes.identities import Identities
from bridge.store.lanes.inbox import Inbox
from bridge.store.lanes.leases import Lanes
from bridge.store.lanes.people import ContactNames
from bridge.store.lanes.rollback_looks import RollbackLooks
from bridge.store.lanes.situations import Situations
from bridge.store.lanes.standings import Standings
from bridge.store.lanes.swept import SweptMessages
from bridge.store.limits.budget import Budgets
from bridge.store.limits.circuits import Circuits
from bridge.store.limits.media_reads import MediaReads
from bridge.store.locations.grants import Grants
from bridge.store.locations.installs import Installs
from bridge.store.locations.records import Locations
from bridge.store.operators.dead_letters import DeadLetters
from bridge.store.redis.canary import Canary
from bridge.store.redis.confirmations import Confirmation
from bridge.store.redis.connection import connect, connect_async, connect_without_retries
from bridge.store.redis.schema import take_over
from bridge.sweep import SweepServices
from bridge.wire.calls import Wire
from bridge.wire.destinations import only_public
from bridge.wire.downloads import Downloads

if TYPE_CHECKING:
    from bridge.answering.services import LeaseKeeper
    from bridge.settings import Settings
    from bridge.store.redis.connection import Redis
    from bridge.wire.calls import Observe

ACCEPT_SECONDS = 1.0
POST_SECONDS = 15.0
SHORTEST_BETWEEN_PROBES, LONGEST_BETWEEN_PROBES = 0.2, 30.0


def build_accept_services(settings: Settings, redis: Redis, tally: Tally) -> AcceptServices:
    """The receiver's dependencies for accepting; `redis` is for rare calls, `tally` counts signatures. Raises Misconfigured."""
    accepting = connect_async(settings.state_url, seconds=ACCEPT_SECONDS)
    # Without a key no location can have been applied, and no contact erased.
    keys = settings.fernet_keys if settings.secret_key else ()
    inbox = Inbox(
        accepting,
        retention_ms=settings.retention_ms,
        seconds=ACCEPT_SECONDS,
        fernet_keys=keys,
        confirmation=Confirmation(settings.confirm_replicas),
    )
    return AcceptServices(
        keys=read_keys(settings.ghl_webhook_keys),
        signatures=Signatures(accepting, tally, legacy=settings.ghl_legacy_signatures),
        inbox=inbox,
        installs=build_installs(settings, redis),
        app_id=settings.ghl_app_id,
        workflow_secrets=settings.workflow_secrets,
        secret_keys=keys,
    )


def build_installs(settings: Settings, redis: Redis) -> Installs:
    """The store of installs."""
    return Installs(redis, retention_ms=settings.retention_ms)


def build_grants(settings: Settings, redis: Redis) -> Grants:
    """The store of grants. Raises Misconfigured without a secret key."""
    return Grants(redis, fernet_keys=settings.fernet_keys)


def build_ghl_access(settings: Settings, redis: Redis, wire: Wire, budgets: Budgets | None = None) -> GHLAccess:
    """Access to GHL with locations' tokens. Raises Misconfigured."""
    return GHLAccess(build_token_refresh(settings, redis, wire), budgets or Budgets(redis))


def build_token_refresh(settings: Settings, redis: Redis, wire: Wire) -> TokenRefresh:
    """The renewal of grants. Raises Misconfigured."""
    return TokenRefresh(build_grants(settings, redis), build_tokens(settings, wire))


def build_swept_messages(settings: Settings, redis: Redis) -> SweptMessages:
    """The store that accepts messages found by the sweep. Raises Misconfigured without a secret key."""
    return SweptMessages(redis, retention_ms=settings.retention_ms, fernet_keys=settings.fernet_keys)


def build_sweep_services(settings: Settings, redis: Redis, tally: Tally | None = None) -> SweepServices:
    """The dependencies of the sweep. Raises Misconfigured."""
    wire = Wire()
    ghl_access, ghl = build_ghl_access(settings, redis, wire), build_ghl(settings, wire.observed(_of_ghl(tally or Tally())))
    return SweepServices(ghl_access=ghl_access, ghl=ghl, store=build_swept_messages(settings, redis))


def install_link(settings: Settings) -> str:
    """The URL to install the app; empty if no app is configured."""
    tokens = build_tokens(settings, Wire())
    return chooser(tokens.app) if tokens else ""


def build_installing(settings: Settings, redis: Redis) -> Installing | None:
    """The handler of marketplace installs; None if no app is configured. Raises Misconfigured without a secret key."""
    tokens = build_tokens(settings, Wire())
    if tokens is None or not tokens.app.redirect_url:
        return None
    return Installing(tokens, build_grants(settings, redis), build_installs(settings, redis), fernet_keys=settings.fernet_keys)


def build_redis(settings: Settings) -> Redis:
    """A Redis client for everything except accepting and heartbeats. Raises Misconfigured."""
    return connect(settings.state_url)


def build_redis_for_health(settings: Settings) -> Redis:
    """A Redis client with short timeouts, for health checks. Raises Misconfigured."""
    return connect_without_retries(settings.state_url, seconds=ACCEPT_SECONDS)


def begin(settings: Settings) -> None:
    """Check the schema version and the encryption keys at the start of a process. Raises Misconfigured and Unavailable."""
    redis = build_redis_for_health(settings)
    take_over(redis)
    if settings.secret_key:
        Canary(redis, settings.fernet_keys).check()


def build_lanes(settings: Settings, redis: Redis, budgets: Budgets | None = None) -> Lanes:
    """The store of lanes: schedule, leases, turns. A lease reserves its turn's look-ups from `budgets`."""
    confirmation, lease = Confirmation(settings.confirm_replicas), settings.lease_seconds
    return Lanes(redis, lease_seconds=lease, retention_ms=settings.retention_ms, budgets=budgets, confirmation=confirmation)


def build_heartbeat_lanes(settings: Settings) -> Lanes:
    """The store of lanes with a separate client, whose timeout is a third of a lease: a later answer is useless."""
    return build_lanes(settings, connect_without_retries(settings.state_url, seconds=settings.lease_seconds / 3))


def build_locations(settings: Settings, redis: Redis) -> Locations:
    """The store of locations. Raises Misconfigured without a secret key."""
    return Locations(redis, fernet_keys=settings.fernet_keys, retention_ms=settings.retention_ms)


def build_situations(settings: Settings, redis: Redis) -> Situations:
    """The store of situations."""
    return Situations(redis, retention_ms=settings.retention_ms)


def build_standings(settings: Settings, redis: Redis) -> Standings:
    """The store of contacts' standings."""
    return Standings(redis, retention_ms=settings.retention_ms)


def build_dead_letters(settings: Settings, redis: Redis) -> DeadLetters:
    """The store of dead letters."""
    return DeadLetters(redis, retention_ms=settings.retention_ms)


def build_excerpts(settings: Settings, redis: Redis) -> Excerpts:
    """The store of services' error texts. Raises Misconfigured without a secret key."""
    return Excerpts(redis, fernet_keys=settings.fernet_keys)


def build_providers(settings: Settings, tally: Tally | None = None) -> Providers:
    """The completion services, with an HTTP client that connects only to addresses that providers may have.

    GHL_API_URL and BRIDGE_ALERT_URL come from the operator's environment, so their addresses are not restricted.
    """
    wire = Wire() if settings.allow_private_urls else Wire(resolve=only_public())
    return Providers(wire, settings, tally=tally or Tally())


def build_media_reader(settings: Settings, redis: Redis) -> MediaReader:
    """The reader of files. It connects only to public addresses, or to this machine if GHL is simulated there."""
    wire = Wire() if settings.allow_private_urls else Wire(resolve=only_public())
    simulated = is_this_machine(urlsplit(settings.ghl_api_url).hostname or "")
    downloads = Downloads(Wire(resolve=only_public()), simulated=simulated)
    return MediaReader(downloads, wire, MediaReads(redis), allow_private=settings.allow_private_urls)


def build_ghl(settings: Settings, wire: Wire | None = None) -> GHL:
    """The client of GHL, in the API version of the settings."""
    return GHL(wire or Wire(), settings.ghl_api_url, version=settings.ghl_api_version)


def build_circuits(settings: Settings, redis: Redis) -> Circuits:
    """The store of circuits. The interval of probes is the first retry delay."""
    first = settings.retry_delays[0] if settings.retry_delays else LONGEST_BETWEEN_PROBES
    return Circuits(redis, every=min(max(first, SHORTEST_BETWEEN_PROBES), LONGEST_BETWEEN_PROBES))


def build_answer_services(settings: Settings, redis: Redis, heartbeat: LeaseKeeper, tally: Tally) -> AnswerServices:
    """The dependencies of answering; `tally` counts the requests. Raises Misconfigured."""
    wire, budgets = Wire(), Budgets(redis)
    return AnswerServices(
        lanes=build_lanes(settings, redis, budgets),
        identities=Identities(redis, retention_ms=settings.retention_ms),
        standings=build_standings(settings, redis),
        situations=build_situations(settings, redis),
        locations=build_locations(settings, redis),
        ghl_access=build_ghl_access(settings, redis, wire, budgets),
        ghl=build_ghl(settings, wire.observed(_of_ghl(tally))),
        providers=build_providers(settings, tally),
        circuits=build_circuits(settings, redis),
        media=build_media_reader(settings, redis),
        excerpts=build_excerpts(settings, redis),
        heartbeat=heartbeat,
        list_lags=ListLags(redis),
        people=ContactNames(redis, settings.fernet_keys, settings.retention_ms) if settings.console_show_text else None,
        generations=Generations(redis),
        rollback_looks=RollbackLooks(redis, retention_ms=settings.retention_ms),
        retry_delays=settings.retry_delays,
        readback=settings.readback_seconds,
        post_seconds=min(POST_SECONDS, settings.lease_seconds / 2),
        secrets=settings.secrets,
    )


def _of_ghl(tally: Tally) -> Observe:
    def observe(method: str, path: str, ended: str, seconds: float) -> None:
        tally.time(GHL_REQUEST, route(method, path), ended, seconds=seconds)

    return observe
