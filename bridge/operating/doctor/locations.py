"""Checks one location: whether anything prevents replies, and whether GHL and the provider accept its logins."""

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
# The webhook endpoints have no limit on wrong secrets, so short ones can be guessed.
SHORT_SECRET = 16
# After a marketplace event the bridge relies on events for this time (parts/standings.lua).
HEARS_MS = 7 * 24 * 3600 * 1000


def examine_location(services: AdminServices, kept: LocationRecord, *, ask: bool, ask_ghl: bool) -> Iterator[Finding]:
    """All checks of one location. `ask`, `ask_ghl`: also call its completion services and GHL, which takes seconds."""
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
        return Finding(what, ok=False, says="the app was uninstalled: nothing can be posted until it is installed again")
    if kept.paused:
        return note(what, f"paused by an operator: `locations resume {kept.location.id}`")
    if kept.location.mode == "off":
        return note(what, "mode = off: no message is answered")
    return Finding(what, ok=True, says="not on hold")


def _events(name: str, services: AdminServices, kept: LocationRecord) -> Finding:
    if not kept.last_event_at_ms:
        minutes = kept.location.reconcile_minutes
        if not minutes:
            return note(f"{name} events", "none has arrived yet: check that the app is installed, and its webhook URL")
        return Finding(f"{name} events", ok=True, says=f"none yet; GHL is searched for messages every {minutes:g} min")
    at = kept.last_event_at_ms
    return Finding(f"{name} events", ok=True, says=f"the newest arrived {ago_ms(at, now_ms(services.redis))} ({iso(at)})")


def _takeover(name: str, services: AdminServices, kept: LocationRecord) -> Iterator[Finding]:
    """If no event reports outbound messages, GHL's list is read before each reply."""
    silent = kept.location.mode == "live" and kept.location.takeover_seconds != 0 and kept.unheard >= DEAF_AFTER
    if silent and now_ms(services.redis) - kept.marketplace_at_ms < HEARS_MS:
        deaf = f"no OutboundMessage event reported the last {kept.unheard} replies"
        cost = "to notice messages from people, GHL's list is read before each reply, which costs requests and seconds"
        yield note(f"{name} takeover", f"{deaf}: {cost}; subscribe the app to OutboundMessage")


def _workflow_secret(name: str, services: AdminServices, kept: LocationRecord) -> Iterator[Finding]:
    """Without a secret, workflow webhooks are refused; reported if no message arrives in another way."""
    own = kept.location.workflow_secret
    secrets = [own.get_secret_value()] if own and own.get_secret_value() else services.settings.workflow_secrets
    cure = "`ghl-bridge secrets new` prints one"
    if not secrets and not kept.last_event_at_ms and not kept.location.reconcile_minutes:
        unset = "neither BRIDGE_WORKFLOW_SECRET nor its workflow_secret is set: workflow webhooks are refused"
        yield note(f"{name} workflow_secret", f"{unset}; {cure}")
    if any(len(secret) < SHORT_SECRET for secret in secrets):
        yield note(f"{name} workflow_secret", f"a secret with fewer than {SHORT_SECRET} characters can be guessed; {cure}")


def _token(services: AdminServices, kept: LocationRecord) -> str:
    login = logins(services, [kept])[kept.location.id]
    if login.token_trouble:
        fail(login.token_trouble)
    return "set" if login.token == "file" else "from the install of the app"  # noqa: S105 - where it comes from


def _logins(name: str, services: AdminServices, kept: LocationRecord) -> Iterator[Finding]:
    """Check the token, then each scope. If the token is refused, the scopes are not checked."""
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
            found = Finding(f"{name} scope {look.scope}", ok=True, says="the token can read")
        if number == 0:
            yield attempt(f"{name} ghl_token", lambda: f"{_token(services, kept)}, and GHL accepts it")
        yield found
    yield from examine_other_bots(name, services, access)
    writing = ", ".join(f"{scope} ({what})" for scope, what in WRITING.items())
    says = f"write access can only be tested by writing: {writing}; --send-test CONTACT tests the first"
    yield Finding(f"{name} scopes", ok=True, says=says)


def _provider(services: AdminServices, location: Location, provider: str, *, ask: bool) -> str:
    """Check that the settings are complete, that no circuit is open, and that the address answers an OPTIONS request."""
    service = services.providers.service(location, provider)
    down = open_circuits(services.redis).get(services.providers.circuit(location, provider))
    if down:
        fail(f"{provider} is down: {down.waiting} conversation(s) wait for it and are answered when it is back")
    if not ask:
        return f"{provider} has all settings"
    answer = services.providers.wire.call("OPTIONS", service.url, headers={}, seconds=LOOK_SECONDS)
    return f"{provider} has all settings; {service.url} answers ({answer.status})"


def _who_delivers(kept: LocationRecord) -> Iterator[Finding]:
    """Warn of a second bot before the first message of a location: contacts would get two answers."""
    what = f"location {kept.location.id} assistable"
    if kept.location.assistable.delivery == "provider":
        late = "delivery = provider: the bridge can't check, split or replace replies that Assistable posts"
        yield note(what, late)
    if not kept.last_event_at_ms and kept.location.mode == "live":
        twice = (
            "if this assistant has an Active Tag, Assistable also answers contacts with that tag by itself: remove the tag, "
            "or add it to off_tags"
        )
        yield note(what, twice)
