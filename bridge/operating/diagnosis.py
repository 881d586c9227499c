"""The list of current problems, for the console, the admin API, alerts, `doctor` and readiness.

Pure: `store.operators.symptoms` reads the state, this module judges it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bridge.operating.conversation_troubles import (
    handovers,
    other_bots,
    reply_caps,
    spoken_stops,
    undelivered,
    unknown_types,
)
from bridge.operating.holds import cure_of, why_held
from bridge.operating.rollback_trouble import rollbacks
from bridge.operating.trouble import Trouble, counted
from bridge.store.limits.circuits import GHL_CIRCUITS, GHL_READS
from bridge.times import iso

if TYPE_CHECKING:
    from bridge.store.operators.symptoms import Symptoms

OVERDUE_SECONDS = 60.0
# A worker that is restarted, or that starts after the receiver, needs no alert.
WORKERLESS_SECONDS = 60.0
# A claim is only made for a free slot, so its turn normally begins within milliseconds.
UNHEARD_SECONDS = 30.0
# One or two may come from an internet scan.
MOST_REFUSED_WEBHOOKS = 5
# At most this many problems of one name are listed separately; a page with a thousand holds would be unreadable.
MOST_OF_A_NAME = 5

DOCTOR = "ghl-bridge doctor"


def diagnose(symptoms: Symptoms) -> tuple[Trouble, ...]:
    """List the problems in `symptoms`, worst first."""
    return (
        *_writes(symptoms),
        *rollbacks(symptoms),
        *_installation(symptoms),
        *_wake_ups(symptoms),
        *_unopened(symptoms),
        *_ghl(symptoms),
        *_holds(symptoms),
        *_providers(symptoms),
        *_dead_letters(symptoms),
        *_durability(symptoms),
        *_missed_webhooks(symptoms),
        *_refused_webhooks(symptoms),
        *reply_caps(symptoms),
        *undelivered(symptoms),
        *unknown_types(symptoms),
        *spoken_stops(symptoms),
        *other_bots(symptoms),
        *handovers(symptoms),
    )


def shorten(troubles: Sequence[Trouble]) -> tuple[Trouble, ...]:
    """Shorten the list for a page: the first `MOST_OF_A_NAME` problems of each name, and how many more there are."""
    return tuple(_shortened(troubles))


def _shortened(troubles: Sequence[Trouble]) -> Iterator[Trouble]:
    total, seen = Counter(trouble.name for trouble in troubles), Counter[str]()
    for trouble in troubles:
        name = trouble.name
        seen[name] += 1
        more = total[name] - MOST_OF_A_NAME
        if seen[name] <= MOST_OF_A_NAME:
            yield trouble
        elif seen[name] == MOST_OF_A_NAME + 1:
            kind = trouble.cause.partition(":")[0]
            says = f"The same problem with {counted(more, 'other', 'others')}."
            command = "ghl-bridge locations list"
            yield Trouble(cause=f"{kind}:more", name=name, says=says, command=command, critical=trouble.critical)


def _writes(symptoms: Symptoms) -> Iterator[Trouble]:
    """A state without a location comes first, because every message is answered 429 until there is one."""
    if symptoms.tried.refused:
        yield Trouble(
            cause="writes_refused",
            name="Writes refused",
            says=f"{symptoms.tried.refused}. Webhooks are answered 429 until it does.",
            command=DOCTOR,
            critical=True,
        )
    elif not symptoms.tried.had_location:
        yield Trouble(
            cause="no_location",
            name="No location",
            says="This Redis never had a location: it is new, not the one used before, or emptied. Messages are answered 429.",
            command="ghl-bridge locations apply FILE",
            critical=True,
            alert_after_seconds=WORKERLESS_SECONDS,
        )


def _installation(symptoms: Symptoms) -> Iterator[Trouble]:
    gauges = symptoms.gauges
    if not gauges.workers:
        yield Trouble(
            cause="no_workers",
            name="No workers",
            says="No worker is alive: messages are accepted and wait, but none is answered.",
            command=DOCTOR,
            critical=True,
            alert_after_seconds=WORKERLESS_SECONDS,
        )
    if gauges.oldest_overdue_seconds > OVERDUE_SECONDS:
        yield Trouble(
            cause="overdue",
            name="Overdue",
            says=f"A conversation has waited {gauges.oldest_overdue_seconds:.0f} s longer than it should.",
            command=DOCTOR,
            critical=True,
            since=iso(symptoms.now_ms - gauges.overdue_ms),
        )


def _wake_ups(symptoms: Symptoms) -> Iterator[Trouble]:
    waited = symptoms.gauges.unheard_ms / 1000
    if waited > UNHEARD_SECONDS and symptoms.gauges.workers:
        yield Trouble(
            cause="unheard",
            name="Wake-ups not received",
            says=f"A conversation was claimed, but no worker began it for {waited:.0f} s: the broker does not deliver.",
            command=DOCTOR,
            critical=True,
            since=iso(symptoms.now_ms - symptoms.gauges.unheard_ms),
        )


def _unopened(symptoms: Symptoms) -> Iterator[Trouble]:
    """Reported without delay, because a short failure of Redis has no such symptom."""
    if symptoms.gauges.unopened_ms:
        yield Trouble(
            cause="unopened",
            name="Conversations not readable",
            says="A conversation waits because a worker can't read its location: another key, or settings of a newer version.",
            command=DOCTOR,
            critical=True,
            since=iso(symptoms.now_ms - symptoms.gauges.unopened_ms),
        )


def _ghl(symptoms: Symptoms) -> Iterator[Trouble]:
    """GHL's circuits, which all locations share. The one for posts is reported only if GHL answers other requests."""
    down = [symptoms.down[circuit] for circuit in GHL_CIRCUITS if circuit in symptoms.down]
    if not down:
        return
    what = "GHL is down" if GHL_READS in symptoms.down else "GHL accepts no messages"
    waiting = counted(sum(each.waiting for each in down), "conversation waits", "conversations wait")
    yield Trouble(
        cause="ghl_down",
        name="GHL failing",
        says=f"{what}: {waiting} without using attempts. When GHL recovers, all are answered, the oldest first.",
        command=DOCTOR,
        critical=True,
        since=iso(min(each.since_ms for each in down)),
    )


def _holds(symptoms: Symptoms) -> Iterator[Trouble]:
    for location, hold in symptoms.holds.items():
        yield Trouble(
            cause=f"hold:{location}",
            name="Location on hold",
            says=f"Location {location} is on hold: {why_held(hold.side)}. {cure_of(hold.side)}.",
            command=DOCTOR if hold.side == "version" else f"ghl-bridge locations resume {location}",
            critical=True,
            since=iso(hold.since_ms),
            location_id=location,
        )


def _providers(symptoms: Symptoms) -> Iterator[Trouble]:
    for circuit, down in symptoms.down.items():
        if circuit in GHL_CIRCUITS:
            continue
        shared = f"for location {down.location_id} and all others with the same login"
        yield Trouble(
            cause=f"provider:{circuit}",
            name="Provider failing",
            says=f"The completion service {down.name} is down {shared}. Waiting messages are answered when it is back.",
            command=f"ghl-bridge doctor --location {down.location_id}",
            critical=True,
            since=iso(down.since_ms),
            location_id=down.location_id,
        )


def _dead_letters(symptoms: Symptoms) -> Iterator[Trouble]:
    count = symptoms.gauges.dead_letters
    if count:
        yield Trouble(
            cause="dead_letters",
            name="Dead letters",
            says=f"{counted(count, 'dead letter needs', 'dead letters need')} a decision.",
            command="ghl-bridge dead-letters list",
        )


def _durability(symptoms: Symptoms) -> Iterator[Trouble]:
    if symptoms.missing_durability:
        yield Trouble(
            cause="durability",
            name="Durability missing",
            says=f"Redis may lose acknowledged writes: {', '.join(symptoms.missing_durability)}.",
            command=DOCTOR,
            critical=True,
        )


def _missed_webhooks(symptoms: Symptoms) -> Iterator[Trouble]:
    for location in symptoms.missed:
        yield Trouble(
            cause=f"missed:{location}",
            name="Webhooks missed",
            says=f"Location {location}: a sweep found messages whose webhook never arrived. Check the app's webhooks in GHL.",
            command=f"ghl-bridge doctor --location {location}",
            location_id=location,
        )


def _refused_webhooks(symptoms: Symptoms) -> Iterator[Trouble]:
    if symptoms.refused_webhooks >= MOST_REFUSED_WEBHOOKS:
        yield Trouble(
            cause="signatures_refused",
            name="Signatures refused",
            says=f"{symptoms.refused_webhooks:,} webhooks in the last ten minutes had a wrong signature or secret.",
            command=DOCTOR,
        )
