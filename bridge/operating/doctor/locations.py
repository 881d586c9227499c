"""Examines one location: does anything stand between it and its replies, and do GHL and the provider accept its logins."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.errors import BridgeError, TokenRefused
from bridge.ghl.access import Need
from bridge.ghl.scopes import WRITING, looks
from bridge.locations import Location
from bridge.operating.doctor.findings import Finding, attempt, fail, note
from bridge.operating.doctor.other_bots import examine_other_bots
from bridge.operating.holds import cure_of, why_held
from bridge.operating.installs import logins
from bridge.operating.services import AdminServices
from bridge.policy.guards import DEAF_AFTER
from bridge.store.limits.circuits import open_circuits
from bridge.store.locations.records import LocationRecord
from bridge.store.redis.connection import now_ms
from bridge.times import ago_ms, iso

LOOK_SECONDS = 8.0
# Anybody may post to the webhook endpoints as often as they like.
SHORT_SECRET = 16
# So long after a marketplace event its likes are relied upon (scripts/standing.lua).
HEARS_MS = 7 * 24 * 3600 * 1000


def examine_location(services: AdminServices, kept: LocationRecord, *, ask: bool, ask_ghl: bool) -> Iterator[Finding]:
    """Everything about one location. `ask` and `ask_ghl`: also ask its completion services, and GHL, which takes seconds."""
    location = kept.location
    name = f"location {location.id}"
    yield _state(name, kept)
    yield _events(name, services, kept)
    yield from _takeover(name, services, kept)
    yield from _workflow_secret(name, services, kept)
    if ask_ghl and (location.ghl_token or kept.installed_at_ms):
        yield from _logins(name, services, kept)
    else:
        yield attempt(f"{name} ghl_token", lambda: _token(services, kept))
    yield attempt(f"{name} provider", lambda: _provider(services, location, location.provider, ask=ask))
    if location.fallback_provider:
        yield attempt(f"{name} fallback_provider", lambda: _provider(services, location, location.fallback_provider, ask=ask))
    if "assistable" in {location.provider, location.fallback_provider}:
        yield from _who_delivers(kept)


def _state(name: str, kept: LocationRecord) -> Finding:
    what = f"{name} state"
    if kept.hold_since_ms:
        resume = f"`locations resume {kept.location.id}`"
        says = f"on hold: {why_held(kept.hold_why)}. {cure_of(kept.hold_why)}: {resume}"
        return Finding(what, ok=False, says=says)
    if kept.uninstalled_at_ms:
        return Finding(what, ok=False, says="the app was uninstalled there: nothing can be posted until it is installed again")
    if kept.paused:
        return note(what, f"paused by an operator: `locations resume {kept.location.id}`")
    if kept.location.mode == "off":
        return note(what, "mode = off: nothing is answered")
    return Finding(what, ok=True, says="not on hold")


def _events(name: str, services: AdminServices, kept: LocationRecord) -> Finding:
    if not kept.last_event_at_ms:
        minutes = kept.location.reconcile_minutes
        if not minutes:
            return note(f"{name} events", "none has come yet: is the app installed there, and its webhook URL right?")
        return Finding(f"{name} events", ok=True, says=f"none yet; GHL is searched for messages every {minutes:g} min")
    at = kept.last_event_at_ms
    return Finding(f"{name} events", ok=True, says=f"the newest came {ago_ms(at, now_ms(services.redis))} ({iso(at)})")


def _takeover(name: str, services: AdminServices, kept: LocationRecord) -> Iterator[Finding]:
    """Events that tell of what leaves spare the look into GHL's list."""
    silent = kept.location.mode == "live" and kept.location.takeover_seconds != 0 and kept.unheard >= DEAF_AFTER
    if silent and now_ms(services.redis) - kept.marketplace_at_ms < HEARS_MS:
        deaf = f"{kept.unheard} replies in a row of which no OutboundMessage event told"
        cost = "to see who steps in, GHL's list is read before each reply, which costs requests and seconds"
        yield note(f"{name} takeover", f"{deaf}: {cost}; subscribe the app to OutboundMessage")


def _workflow_secret(name: str, services: AdminServices, kept: LocationRecord) -> Iterator[Finding]:
    """Without a secret a workflow's webhooks are refused: said where nothing comes another way."""
    own = kept.location.workflow_secret
    secrets = [own.get_secret_value()] if own and own.get_secret_value() else services.settings.workflow_secrets
    cure = "`ghl-bridge secrets new` prints one"
    if not secrets and not kept.last_event_at_ms and not kept.location.reconcile_minutes:
        unset = "neither BRIDGE_WORKFLOW_SECRET nor its workflow_secret is set: workflow webhooks are refused"
        yield note(f"{name} workflow_secret", f"{unset}; {cure}")
    if any(len(secret) < SHORT_SECRET for secret in secrets):
        yield note(f"{name} workflow_secret", f"one of less than {SHORT_SECRET} characters may be guessed; {cure}")


def _token(services: AdminServices, kept: LocationRecord) -> str:
    login = logins(services, [kept])[kept.location.id]
    if login.token_trouble:
        fail(login.token_trouble)
    return "set" if login.token == "file" else "by the install of the app"  # noqa: S105 - where it comes from


def _logins(name: str, services: AdminServices, kept: LocationRecord) -> Iterator[Finding]:
    """The token, then each scope; a token that is refused needs no word on its scopes."""
    access = services.ghl_access.open(kept, Need.SWEEP)
    for number, look in enumerate(looks(kept.location.location_id)):
        try:
            services.ghl.look(look, token=access, seconds=LOOK_SECONDS)
        except TokenRefused as error:
            yield Finding(f"{name} ghl_token", ok=False, says=str(error))
            return
        except BridgeError as error:
            found = Finding(f"{name} scope {look.scope}", ok=False, says=str(error))
        else:
            found = Finding(f"{name} scope {look.scope}", ok=True, says="GHL lets the token read")
        if number == 0:
            yield attempt(f"{name} ghl_token", lambda: f"{_token(services, kept)}, and GHL lets it in")
        yield found
    yield from examine_other_bots(name, services, access)
    writing = ", ".join(f"{scope} ({what})" for scope, what in WRITING.items())
    says = f"only writing shows what may be written: {writing}; --send-test CONTACT tries the first"
    yield Finding(f"{name} scopes", ok=True, says=says)


def _provider(services: AdminServices, location: Location, provider: str, *, ask: bool) -> str:
    """Its settings suffice, nobody has found it down, and its address answers: to OPTIONS, which asks for nothing."""
    service = services.providers.service(location, provider)
    down = open_circuits(services.redis).get(services.providers.circuit(location, provider))
    if down:
        fail(f"{provider} is down: {down.waiting} conversation(s) wait for it and are answered when it is back")
    if not ask:
        return f"{provider} has what it needs"
    answer = services.providers.wire.call("OPTIONS", service.url, headers={}, seconds=LOOK_SECONDS)
    return f"{provider} has what it needs; {service.url} answers ({answer.status})"


def _who_delivers(kept: LocationRecord) -> Iterator[Finding]:
    """Two bots in one conversation answer each other's contacts twice: said before the first message of a location."""
    what = f"location {kept.location.id} assistable"
    if kept.location.assistable.delivery == "provider":
        late = "delivery = provider: what Assistable has answered can't be guarded, split or superseded by the bridge"
        yield note(what, late)
    if not kept.last_event_at_ms and kept.location.mode == "live":
        twice = (
            "if this assistant has an Active Tag, Assistable answers contacts with that tag by itself, beside the bridge: take "
            "the tag away, or keep the bridge from these contacts by off_tags"
        )
        yield note(what, twice)
