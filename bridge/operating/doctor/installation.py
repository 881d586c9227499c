"""Checks the installation: settings, Redis, broker, GHL, and each of its locations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.errors import BridgeError, NotKnown
from bridge.ghl.signature import read_keys
from bridge.model import Role
from bridge.operating.diagnosis import DOCTOR, diagnose, shorten
from bridge.operating.doctor.findings import DoctorReport, Finding, attempt, note
from bridge.operating.doctor.locations import examine_location
from bridge.operating.doctor.process import examine_descriptors
from bridge.operating.doctor.signatures import examine_signatures
from bridge.operating.operation import operation
from bridge.operating.reach import everywhere
from bridge.operating.services import AdminServices
from bridge.settings import Settings
from bridge.store.operators.symptoms import Symptoms, look
from bridge.store.redis.installation import installation_id
from bridge.time_zones import Releases, releases
from bridge.times import ago_ms, iso
from bridge.wire.calls import Wire

# With more locations a check would take minutes: then each is checked by its id.
MOST_LOCATIONS = 20
REACH_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorQuery:
    """The location to check; all if it is empty."""

    location_id: Annotated[str, Field(max_length=64)] = ""


@operation("doctor", "GET", "/doctor", role=Role.OPERATE, reach=everywhere)
def examine(services: AdminServices, asked: DoctorQuery) -> DoctorReport:
    """Find missing settings and unreachable services, and say what to do about each."""
    return DoctorReport(tuple(_once(_findings(services, asked.location_id))))


def _once(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Report each cause once: omit later findings with a sentence that was already reported for the installation.

    The same sentence for two locations is two problems.
    """
    reported: set[str] = set()
    for finding in findings:
        if finding.ok or finding.says not in reported:
            yield finding
        if not finding.ok and not finding.what.startswith("location "):
            reported.add(finding.says)


def _findings(services: AdminServices, only: str) -> Iterator[Finding]:
    here = services.settings
    with ThreadPoolExecutor(1) as beside:  # two stuck servers are awaited at the same time
        broker = beside.submit(copy_context().run, attempt, "broker", lambda: _broker(services))
        yield from _of_this_process(here)
        yield from _state(services, only)
        yield broker.result()
    reached = attempt("GHL", lambda: _reach(here.ghl_api_url))
    yield reached
    yield from _locations(services, only, reached=reached.ok)


def _of_this_process(here: Settings) -> Iterator[Finding]:
    yield attempt("REDIS_URL", lambda: here.state_url and "set")
    yield attempt("BRIDGE_SECRET_KEY", lambda: f"set, {len(here.fernet_keys)} key(s)")
    yield attempt("GHL_WEBHOOK_KEYS", lambda: _keys(here))
    yield Finding("time zones", ok=True, says=_time_zones(releases()))
    yield examine_descriptors(here)


def _broker(services: AdminServices) -> str:
    from bridge import broker  # noqa: PLC0415 - kombu: the receiver serves this operation, and loads it only then

    return broker.look(services.settings.broker, broker.queue_of(installation_id(services.redis)))


def _keys(here: Settings) -> str:
    read_keys(here.ghl_webhook_keys)
    return "readable"


def _time_zones(at_hand: Releases) -> str:
    """The release of the time zone data for business hours."""
    if at_hand.reads_package:
        system = at_hand.system or "none with a known release"
        return f"release {at_hand.package}, from the tzdata package (the system has {system})"
    return f"release {at_hand.system}, from the system (the tzdata package has {at_hand.package})"


def _state(services: AdminServices, only: str) -> Iterator[Finding]:
    try:
        symptoms = look(services.redis, replicas=services.settings.confirm_replicas)
        refused = services.feeds.last_refused()
        signatures = examine_signatures(services)
    except BridgeError as error:
        yield Finding("Redis", ok=False, says=str(error))
        return
    yield Finding("Redis", ok=True, says=f"reachable, {symptoms.gauges.lanes} lane(s) scheduled")
    yield from _judged(symptoms, only)
    yield signatures
    if refused:
        at, code = refused
        came = f"the newest arrived {ago_ms(at, symptoms.now_ms)} ({iso(at)}) and was refused as {code}"
        yield note("refused webhooks", f"{came}: it was forged, or keys or secrets don't match")


def _judged(symptoms: Symptoms, only: str) -> Iterator[Finding]:
    """The diagnosis, without holds and providers that are down, which are reported with their locations."""
    troubles = {trouble.cause: trouble for trouble in diagnose(symptoms)}
    missing = ", ".join(symptoms.missing_durability)
    durability = f"accepted messages may be lost, missing: {missing}" if missing else "append-only file, synced always"
    yield Finding("durability", ok=troubles.pop("durability", None) is None, says=durability)
    alive = troubles.pop("no_workers", None) is None
    says = f"{symptoms.gauges.workers} alive" if alive else "none alive: start `celery -A workers worker`"
    yield Finding("workers", ok=alive, says=says)
    told_here = [each for each in troubles.values() if not (each.critical and each.location_id)]
    for trouble in shorten([each for each in told_here if not only or each.location_id in {"", only}]):
        more = "" if trouble.command == DOCTOR else f" `{trouble.command}`"
        yield Finding(trouble.name.lower(), ok=not trouble.critical, says=trouble.says + more, note=not trouble.critical)


def _reach(url: str) -> str:
    """Check an address. Any answer is a success: it shows that name, network and TLS work."""
    wire = Wire()
    try:
        answer = wire.call("GET", url, headers={}, seconds=REACH_SECONDS)
    finally:
        wire.close()
    return f"{url} answers ({answer.status})"


def _locations(services: AdminServices, only: str, *, reached: bool) -> Iterator[Finding]:
    try:
        records = services.locations.all()
    except BridgeError as error:
        yield Finding("locations", ok=False, says=str(error))
        return
    if only and not any(each.location.id == only for each in records):
        raise NotKnown(f"location {only} is not known; `ghl-bridge locations list` shows the known ones")
    says = f"{len(records)} known" if records else "none yet: `ghl-bridge locations apply FILE`"
    yield Finding("locations", ok=bool(records), says=says)
    if unconfigured := services.installs.unconfigured():
        yield note("locations", f"{len(unconfigured)} with the app but no settings: start with `ghl-bridge locations template`")
    few = bool(only) or len(records) <= MOST_LOCATIONS
    if not few:
        yield note("locations", f"more than {MOST_LOCATIONS}: `doctor --location ID` checks one, including its logins")
    for each in records:
        if only in {"", each.location.id}:
            yield from examine_location(services, each, ask=few, ask_ghl=few and reached)
