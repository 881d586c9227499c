"""The one place where concrete things are built from settings. Nothing here is opened before it is used."""

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
from bridge.store.lanes.excerpts import Excerpts
from bridge.store.lanes.identities import Identities
from bridge.store.lanes.inbox import Inbox
from bridge.store.lanes.leases import Lanes
from bridge.store.lanes.people import ContactNames
from bridge.store.lanes.situations import Situations
from bridge.store.lanes.standings import Standings
from bridge.store.lanes.swept import SweptMessages
from bridge.store.limits.budget import Budgets
from bridge.store.limits.circuits import Circuits
from bridge.store.limits.media_reads import MediaReads
from bridge.store.locations.grants import Grants
from bridge.store.locations.installs import Installs
from bridge.store.locations.records import Locations
from bridge.store.operators.audit import Audit
from bridge.store.operators.dead_letters import DeadLetters
from bridge.store.operators.erasures import Erasures
from bridge.store.redis.canary import Canary
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


def build_accept_services(settings: Settings, redis: Redis) -> AcceptServices:
    """What the receiver needs; `redis` is for what comes seldom. Raises Misconfigured."""
    accepting = connect_async(settings.state_url, seconds=ACCEPT_SECONDS)
    # Without a key no location could have been applied, nor a contact erased.
    keys = settings.fernet_keys if settings.secret_key else ()
    inbox = Inbox(accepting, retention_ms=_retention_ms(settings), seconds=ACCEPT_SECONDS, fernet_keys=keys)
    installs = build_installs(settings, redis)
    return AcceptServices(
        keys=read_keys(settings.ghl_webhook_keys),
        inbox=inbox,
        installs=installs,
        app_id=settings.ghl_app_id,
        workflow_secrets=settings.workflow_secrets,
        secret_keys=keys,
    )


def build_installs(settings: Settings, redis: Redis) -> Installs:
    """Where the app is installed."""
    return Installs(redis, retention_ms=_retention_ms(settings))


def build_grants(settings: Settings, redis: Redis) -> Grants:
    """The tokens of installs. Raises Misconfigured without a secret key."""
    return Grants(redis, fernet_keys=settings.fernet_keys)


def build_ghl_access(settings: Settings, redis: Redis, wire: Wire) -> GHLAccess:
    """Who may speak to GHL. Raises Misconfigured."""
    return GHLAccess(build_token_refresh(settings, redis, wire), Budgets(redis))


def build_token_refresh(settings: Settings, redis: Redis, wire: Wire) -> TokenRefresh:
    """The renewal of grants. Raises Misconfigured."""
    return TokenRefresh(build_grants(settings, redis), build_tokens(settings, wire))


def build_swept_messages(settings: Settings, redis: Redis) -> SweptMessages:
    """What the sweep finds. Raises Misconfigured without a secret key."""
    return SweptMessages(redis, retention_ms=_retention_ms(settings), fernet_keys=settings.fernet_keys)


def build_sweep_services(settings: Settings, redis: Redis, tally: Tally | None = None) -> SweepServices:
    """What the sweep needs. Raises Misconfigured."""
    wire = Wire()
    ghl_access, ghl = build_ghl_access(settings, redis, wire), GHL(wire.observed(_of_ghl(tally or Tally())), settings.ghl_api_url)
    return SweepServices(ghl_access=ghl_access, ghl=ghl, store=build_swept_messages(settings, redis))


def install_link(settings: Settings) -> str:
    """Where the app can be installed; empty where none is set up."""
    tokens = build_tokens(settings, Wire())
    return chooser(tokens.app) if tokens else ""


def build_installing(settings: Settings, redis: Redis) -> Installing | None:
    """Marketplace installs; None where no app is set up. Raises Misconfigured without a secret key."""
    tokens = build_tokens(settings, Wire())
    if tokens is None or not tokens.app.redirect_url:
        return None
    return Installing(tokens, build_grants(settings, redis), build_installs(settings, redis), fernet_keys=settings.fernet_keys)


def build_redis(settings: Settings) -> Redis:
    """A client for everything but accepting and heartbeats. Raises Misconfigured."""
    return connect(settings.state_url)


def build_redis_for_health(settings: Settings) -> Redis:
    """A client that tells soon whether Redis answers. Raises Misconfigured."""
    return connect_without_retries(settings.state_url, seconds=ACCEPT_SECONDS)


def begin(settings: Settings) -> None:
    """What a process does first with its state: know its schema, and open it. Raises Misconfigured and Unavailable."""
    redis = build_redis_for_health(settings)
    take_over(redis)
    if settings.secret_key:
        Canary(redis, settings.fernet_keys).check()


def build_lanes(settings: Settings, redis: Redis) -> Lanes:
    """The schedule and the turns."""
    return Lanes(redis, lease_seconds=settings.lease_seconds, retention_ms=_retention_ms(settings))


def build_heartbeat_lanes(settings: Settings) -> Lanes:
    """The same through a client of its own: an answer that takes longer than a third of a lease comes too late anyway."""
    return build_lanes(settings, connect_without_retries(settings.state_url, seconds=settings.lease_seconds / 3))


def build_locations(settings: Settings, redis: Redis) -> Locations:
    """The locations. Raises Misconfigured without a secret key."""
    return Locations(redis, fernet_keys=settings.fernet_keys, retention_ms=_retention_ms(settings))


def build_situations(settings: Settings, redis: Redis) -> Situations:
    """How things stand with contacts and their locations."""
    return Situations(redis, retention_ms=_retention_ms(settings))


def build_standings(settings: Settings, redis: Redis) -> Standings:
    """What is noted of contacts."""
    return Standings(redis, retention_ms=_retention_ms(settings))


def build_dead_letters(settings: Settings, redis: Redis) -> DeadLetters:
    """The dead letters."""
    return DeadLetters(redis, retention_ms=_retention_ms(settings))


def build_excerpts(settings: Settings, redis: Redis) -> Excerpts:
    """What services said when they failed. Raises Misconfigured without a secret key."""
    return Excerpts(redis, fernet_keys=settings.fernet_keys)


def build_audit(settings: Settings, redis: Redis) -> Audit:
    """Who changed what."""
    return Audit(redis, retention_ms=_retention_ms(settings))


def build_erasures(settings: Settings, redis: Redis) -> Erasures:
    """What removes contacts. Raises Misconfigured without a secret key."""
    return Erasures(redis, fernet_keys=settings.fernet_keys, retention_ms=_retention_ms(settings))


def build_providers(settings: Settings, tally: Tally | None = None) -> Providers:
    """The completion services, on a wire that reaches only where providers may be.

    GHL_API_URL and BRIDGE_ALERT_URL are the operator's own word in the environment and reached wherever they are.
    """
    wire = Wire() if settings.allow_private_urls else Wire(resolve=only_public())
    return Providers(wire, settings, tally=tally or Tally())


def build_media_reader(settings: Settings, redis: Redis) -> MediaReader:
    """What reads files. These are reached at public addresses alone, or on this machine where GHL itself is simulated there."""
    wire = Wire() if settings.allow_private_urls else Wire(resolve=only_public())
    simulated = is_this_machine(urlsplit(settings.ghl_api_url).hostname or "")
    downloads = Downloads(Wire(resolve=only_public()), simulated=simulated)
    return MediaReader(downloads, wire, MediaReads(redis), allow_private=settings.allow_private_urls)


def build_ghl(settings: Settings) -> GHL:
    """GHL, for what an operator asks of it."""
    return GHL(Wire(), settings.ghl_api_url)


def build_circuits(settings: Settings, redis: Redis) -> Circuits:
    """What is known of providers that are down. Who is out for long is asked as often as a message's first retry comes."""
    first = settings.retry_delays[0] if settings.retry_delays else LONGEST_BETWEEN_PROBES
    return Circuits(redis, every=min(max(first, SHORTEST_BETWEEN_PROBES), LONGEST_BETWEEN_PROBES))


def build_answer_services(settings: Settings, redis: Redis, heartbeat: LeaseKeeper, tally: Tally) -> AnswerServices:
    """What a worker needs to answer; how its requests went is counted in `tally`. Raises Misconfigured."""
    wire = Wire()
    return AnswerServices(
        lanes=build_lanes(settings, redis),
        identities=Identities(redis, retention_ms=_retention_ms(settings)),
        standings=build_standings(settings, redis),
        situations=build_situations(settings, redis),
        locations=build_locations(settings, redis),
        ghl_access=build_ghl_access(settings, redis, wire),
        ghl=GHL(wire.observed(_of_ghl(tally)), settings.ghl_api_url),
        providers=build_providers(settings, tally),
        circuits=build_circuits(settings, redis),
        media=build_media_reader(settings, redis),
        excerpts=build_excerpts(settings, redis),
        heartbeat=heartbeat,
        list_lags=ListLags(redis),
        people=ContactNames(redis, fernet_keys=settings.fernet_keys, retention_ms=settings.retention_ms)
        if settings.console_show_text
        else None,
        retry_delays=settings.retry_delays,
        readback=settings.readback_seconds,
        post_seconds=min(POST_SECONDS, settings.lease_seconds / 2),
        secrets=settings.secrets,
    )


def _of_ghl(tally: Tally) -> Observe:
    def observe(method: str, path: str, ended: str, seconds: float) -> None:
        tally.time(GHL_REQUEST, route(method, path), ended, seconds=seconds)

    return observe


def _retention_ms(settings: Settings) -> int:
    return settings.retention_ms
