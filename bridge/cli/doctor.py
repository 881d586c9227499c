"""`ghl-bridge doctor`: what is missing, what can't be reached, and what to do about it."""

from __future__ import annotations

import socket
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.cli.door import console, print_json, settings
from bridge.errors import BridgeError, DidNotWork, WrongInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bridge.locations import Location
    from bridge.settings import Settings
    from bridge.store.locations import Kept
    from bridge.wire.calls import Wire

DEFAULT_PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `ok`, or what is wrong and what to do. A `note` is worth knowing and nothing wrong."""

    what: str
    ok: bool
    says: str
    note: bool = False

    @property
    def word(self) -> str:
        """How it begins on its line."""
        return "note" if self.note else "ok" if self.ok else "PROBLEM"


def run(*, location: str, as_json: bool) -> None:
    """Look at everything; raises DidNotWork if anything is wrong, after it was printed."""
    findings = list(examine(settings(), location))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            console().print(f"{finding.word:<7}  {finding.what}: {finding.says}", markup=False, soft_wrap=True)
    wrong = sum(not finding.ok for finding in findings)
    if wrong:
        raise DidNotWork(f"{wrong} problem(s) found")


def examine(here: Settings, location: str) -> Iterator[Finding]:
    """Every check, in the order in which one would mend things."""
    from bridge.wire.calls import Wire

    yield from _settings(here)
    yield from _redis(here)
    yield _try("broker", lambda: _reach_broker(here))
    yield _try("GHL", lambda: _reach(here.ghl_api_url, Wire()))
    yield from _locations(here, location)


def _settings(here: Settings) -> Iterator[Finding]:
    yield _try("REDIS_URL", lambda: here.state_url and "set")
    yield _try("BRIDGE_SECRET_KEY", lambda: f"set, {len(here.fernet_keys)} key(s)")
    yield _try("GHL_WEBHOOK_KEYS", lambda: _keys(here))


def _keys(here: Settings) -> str:
    from bridge.ghl.signature import read_keys

    read_keys(here.ghl_webhook_keys)
    return "readable"


def _redis(here: Settings) -> Iterator[Finding]:
    from bridge.store.health import check
    from bridge.wiring import build_redis

    try:
        health = check(build_redis(here))
    except BridgeError as error:
        yield Finding("Redis", ok=False, says=str(error))
        return
    yield Finding("Redis", ok=True, says=f"reachable, {health.waiting_lanes} lane(s) scheduled")
    missing = ", ".join(health.missing_durability)
    yield Finding(
        "durability", ok=not missing, says=f"missing for a 202 to be kept: {missing}" if missing else "append-only, synced always"
    )
    says = f"{health.workers} alive" if health.workers else "none alive: start `celery -A workers worker`"
    yield Finding("workers", ok=bool(health.workers), says=says)


def _reach_broker(here: Settings) -> str:
    """A connection that is opened and closed: name, network and port are right, whatever the broker is."""
    address = urlsplit(here.broker)
    try:
        host, port = address.hostname or "127.0.0.1", address.port or DEFAULT_PORTS.get(address.scheme, 0)
    except ValueError:
        raise DidNotWork("BROKER_URL has a port that is no number") from None
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError as error:
        raise DidNotWork(
            f"nothing answers at {host}:{port} ({error.strerror or type(error).__name__}): check BROKER_URL"
        ) from None
    return f"{address.scheme} at {host}:{port} answers"


def _reach(url: str, wire: Wire, method: str = "GET") -> str:
    """Any answer at all will do: it means that name, network and TLS are right."""
    try:
        answer = wire.call(method, url, headers={}, seconds=5.0)
    finally:
        wire.close()
    return f"{url} answers ({answer.status})"


def _locations(here: Settings, only: str) -> Iterator[Finding]:
    from bridge.wiring import build_locations, build_redis

    try:
        kept = build_locations(here, build_redis(here)).all()
    except BridgeError as error:
        yield Finding("locations", ok=False, says=str(error))
        return
    if only and not any(each.location.id == only for each in kept):
        raise WrongInput(f"location {only} is not known; `ghl-bridge locations list` shows the ones that are")
    says = f"{len(kept)} known" if kept else "none yet: `ghl-bridge locations apply FILE`"
    yield Finding("locations", ok=bool(kept), says=says)
    for each in kept:
        if only in {"", each.location.id}:
            yield from _location(here, each)


def _location(here: Settings, kept: Kept) -> Iterator[Finding]:
    location = kept.location
    name = f"location {location.id}"
    held = f"on hold: {kept.hold_why} refused three logins in a row; apply a new token, or `locations resume {location.id}`"
    yield Finding(f"{name} state", ok=not kept.hold_since_ms, says=held if kept.hold_since_ms else "not on hold")
    yield _try(f"{name} ghl_token", lambda: "set" if location.ghl_token else _fail("missing: nothing can be posted"))
    yield _try(f"{name} provider", lambda: _provider(here, location, location.provider))
    if location.fallback_provider:
        yield _try(f"{name} fallback_provider", lambda: _provider(here, location, location.fallback_provider))
    if "assistable" in {location.provider, location.fallback_provider}:
        yield from _who_delivers(kept)


def _provider(here: Settings, location: Location, provider: str) -> str:
    """Its settings suffice, and its address answers: to OPTIONS, which asks for nothing."""
    from bridge.wiring import build_providers

    providers = build_providers(here)
    service = providers.service(location, provider)
    return f"{provider} has what it needs; {_reach(service.url, providers.wire, 'OPTIONS')}"


def _who_delivers(kept: Kept) -> Iterator[Finding]:
    """Two bots in one conversation answer each other's contacts twice: said before the first message of a location."""
    what = f"location {kept.location.id} assistable"
    if kept.location.assistable.delivery == "provider":
        late = "delivery = provider: what Assistable has answered can't be guarded, split or superseded by the bridge"
        yield Finding(what, ok=True, says=late, note=True)
    if not kept.last_event_at_ms:
        twice = (
            "if this assistant has an Active Tag, Assistable answers contacts with that tag by itself, beside the bridge: take "
            "the tag away, or keep the bridge from these contacts by off_tags"
        )
        yield Finding(what, ok=True, says=twice, note=True)


def _fail(says: str) -> str:
    raise DidNotWork(says)


def _try(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ok=True, says=look())
    except BridgeError as error:
        return Finding(what, ok=False, says=str(error))
