"""Failover: ask a location's provider and, if it is down, its fallback.

Only one of them answers, and a provider that is down uses no attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from bridge.answering import media, saving
from bridge.answering.excerpts import excerpt_of
from bridge.answering.history import history
from bridge.errors import CutOff, Fenced, OutcomeUnknown, OutOfResources, Permanent, Retryable, ServiceDown
from bridge.model import Again
from bridge.policy import failover, transcript
from bridge.store.lanes.excerpts import knowledge_patch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Completion, Question, Turn
    from bridge.store.lanes.answers import AnswerDetails
    from bridge.store.lanes.excerpts import SealedExcerpt
    from bridge.store.lanes.patch import ExcerptPatch
    from bridge.store.lanes.results import Admission

log = structlog.get_logger()

# A lane that waits for a provider is woken when it answers again. It also checks at this interval, because messages become too
# old.
LONGEST_WAIT_SECONDS = 600.0
# How long the lease of a question's record counts as held, and how much of it must be left then.
CHECKED_SECONDS, HELD = 1.0, 0.5


@dataclass(frozen=True, slots=True)
class Shut:
    """A provider whose circuit is open."""

    circuit: str


@dataclass(frozen=True, slots=True)
class AskedProvider:
    """A provider that is being asked: name, circuit, start time (ms, Redis' clock), and whether it may deliver by itself."""

    name: str
    circuit: str
    at_ms: int
    may_deliver: bool


def ask(case: Case, names: Sequence[str], services: AnswerServices) -> Completion | Again:
    """Ask these providers in order until one answers.

    Returns Again if all are down, or an unknown outcome must be resolved first.

    Raises Retryable (a temporary error, nothing was delivered), OutcomeUnknown, and Permanent if the location's own provider
    refused, or if its answer was cut off and no fallback answered.
    """
    shut: list[str] = []
    fault: Retryable | None = None
    cut_off: CutOff | None = None
    for name in names:
        try:
            outcome = _ask(case, name, services)
        except Retryable as error:
            fault = error
        except Permanent as error:
            if name == case.kept.location.provider and isinstance(error, CutOff):
                cut_off = error
                continue
            if name == case.kept.location.provider:
                raise
            fault = fault or Retryable(f"fallback {name} can't be used: {error}")
        else:
            if not isinstance(outcome, Shut):
                return outcome
            shut.append(outcome.circuit)
    if cut_off:
        raise cut_off
    if fault and not shut:
        raise fault
    return _wait(case, fault, shut, services)


def _wait(case: Case, fault: Retryable | None, shut: Sequence[str], services: AnswerServices) -> Again:
    """Wait for the provider that answers first: the one that is down, or the other one after its error. Uses no attempt."""
    wait, why = LONGEST_WAIT_SECONDS, "the provider is down; it is asked again as soon as it answers"
    if fault:
        delays = services.retry_delays or (LONGEST_WAIT_SECONDS,)
        usual = delays[min(case.turn.attempts, len(delays) - 1)]
        # Nothing is counted here, so a provider that asks for an immediate retry must not be asked without a limit.
        wait, why = max(usual, fault.retry_after or 0), f"{why}; meanwhile {fault}"
    return Again(wait=wait, why=why, counts=False, circuits=tuple(shut))


def _ask(case: Case, name: str, services: AnswerServices) -> Completion | Again | Shut:
    location, turn = case.kept.location, case.turn
    circuit = services.providers.circuit(location, name)
    question = _question(case, name, services)
    asked = AskedProvider(name, circuit, at_ms=case.now_ms(services), may_deliver=_may_deliver(case, name))
    person, case.person = case.person, ""
    admitted = services.lanes.asking(
        turn,
        case.ids,
        at_ms=asked.at_ms,
        provider=name,
        may_deliver=asked.may_deliver,
        circuit=circuit,
        seconds=location.provider_timeout_seconds,
        listed=case.listed,
        person=person,
        is_first=not (case.asked or turn.asked or turn.replayed),
    )
    case.asked = True
    if admitted.circuit == "open":
        return Shut(circuit)
    case.looks = 0
    try:
        return _complete(case, asked, question, services, admitted)
    except OutOfResources as error:
        # No provider was asked, so no circuit changes.
        services.lanes.unanswered(
            turn, at_ms=case.now_ms(services), provider=name, why=str(error), may_deliver=asked.may_deliver, excerpt=None
        )
        raise
    except (OutcomeUnknown, Retryable, Permanent) as error:
        excerpt = excerpt_of(case, error, question, name, services)
        case.excerpt = excerpt or case.excerpt
        return _tell(case, asked, error, excerpt, services)


def _complete(case: Case, asked: AskedProvider, question: Question, services: AnswerServices, admitted: Admission) -> Completion:
    location, turn = case.kept.location, case.turn
    fence, patient = partial(_fence, turn, admitted, services) if asked.may_deliver else None, admitted.circuit == "closed"
    completer = services.providers(location, asked.name, may_deliver=asked.may_deliver, patient=patient, before_send=fence)
    answer = completer.complete(question, seconds=location.provider_timeout_seconds)
    case.completion = replace(answer, provider=asked.name)
    if warned := case.completion.evidence.get("warnings"):
        log.warning("provider.doubtful", lane=str(turn.lane), turn=turn.id, provider=asked.name, warnings=warned)
    now_ms = case.now_ms(services)
    details: AnswerDetails = {
        "at_ms": now_ms,
        "seconds": (now_ms - asked.at_ms) / 1000,
        "may_deliver": asked.may_deliver,
        "may_claim": location.delivery_of(asked.name) != "bridge",
        "circuit": asked.circuit,
        "knowledge": _knowledge(case, answer, asked.name, services),
    }
    saving.keep(case, case.completion, details, services)
    case.excerpt = None
    return case.completion


def _fence(turn: Turn, admitted: Admission, services: AnswerServices) -> None:
    """Check the lease right before a request to a provider that may deliver. Raises Fenced.

    If the turn was given back or its lease lost meanwhile, another worker may have asked too, and two deliveries can't be undone.
    The record of the question has checked the lease; that counts for a moment, unless this process gave the turn back.
    """
    if services.heartbeat.gave_back(turn):
        raise Fenced(f"the lease of {turn.lane} was given back")
    now = services.clock()
    if now - admitted.asked_at > CHECKED_SECONDS or admitted.held_until - now < services.lanes.lease_seconds * HELD:
        services.lanes.hold(turn)


def _knowledge(case: Case, answer: Completion, name: str, services: AnswerServices) -> ExcerptPatch | None:
    """The texts on which the answer is based, if the location stores them."""
    keep = case.kept.location.evidence_texts and answer.knowledge
    return knowledge_patch(case.turn, services.excerpts.seal(answer.knowledge, provider=name)) if keep else None


def _question(case: Case, name: str, services: AnswerServices) -> Question:
    contact = case.looked_up[0] if case.looked_up else None
    question = media.tell(transcript.ask(case.messages, case.turn.carried), case, name, services)
    earlier = history(case, services) if services.providers.takes_history(case.kept.location, name) else ()
    return replace(question, history=earlier, session_id=case.turn.session, contact=contact)


def _tell(
    case: Case,
    asked: AskedProvider,
    error: OutcomeUnknown | Retryable | Permanent,
    excerpt: SealedExcerpt | None,
    services: AnswerServices,
) -> Again | Shut:
    """Record the error for the provider's circuit. Raises it again, unless the provider is down, which uses no attempt."""
    turn, unknown = case.turn, isinstance(error, OutcomeUnknown)
    if not isinstance(error, OutcomeUnknown):
        now_ms = case.now_ms(services)
        services.lanes.unanswered(
            turn, at_ms=now_ms, provider=asked.name, why=str(error), may_deliver=asked.may_deliver, excerpt=excerpt
        )
    elif asked.may_deliver and error.answered:
        services.lanes.doubtful(turn, asked_at_ms=asked.at_ms)
    if not (unknown or isinstance(error, ServiceDown)):
        services.circuits.passed(asked.circuit, turn.lane)
        raise error
    if not services.circuits.fault(asked.circuit, turn, name=asked.name, asked_at_ms=asked.at_ms):
        raise error
    log.warning("provider.down", lane=str(turn.lane), provider=asked.name, circuit=asked.circuit, why=str(error))
    if unknown:
        return Again(wait=services.readback[0] if services.readback else 0, why=f"outcome unknown: {error}", counts=False)
    return Shut(asked.circuit)


def _may_deliver(case: Case, name: str) -> bool:
    record = case.kept
    return failover.who_delivers(record.location.delivery_of(name), unclaimed=record.unclaimed, seen=record.seen) != "bridge"
