"""The whole flow on one page: accepting a webhook, and answering a lane.

    accept   bytes -> verify -> parse -> one durable write -> answer for the sender
    answer   lane -> lease -> guards -> completion -> saved -> guards -> ledger -> post -> ledger -> released

Every error in `answer` is handled in one place (`policy.retry`): a retry, a wait, or a dead letter. After a crash the lane stays
leased until the lease expires; then the lane is due again, and the ledger shows the next worker which steps were done.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar, assert_never
from uuid import uuid4

import structlog
from anyio import to_thread

from bridge.answering.asking import obtain
from bridge.answering.away import send_away
from bridge.answering.case import open_case
from bridge.answering.dead_lettering import write_dead_letter
from bridge.answering.ghl_outage import wait_after, wait_for_ghl
from bridge.answering.guarding import guard
from bridge.answering.handover import hand_over
from bridge.answering.media_looks import look_for_files
from bridge.answering.media_reading import read_files, unreadable
from bridge.answering.posting import HEARD, deliver
from bridge.answering.resolving import Resolved, resolve, resolve_joined
from bridge.answering.rollback_look import look_back
from bridge.answering.saving import save_rest
from bridge.errors import BridgeError, BudgetExhausted, Fenced, Unavailable
from bridge.ghl import events, signature, workflow, workflow_secrets
from bridge.model import (
    Again,
    AppChange,
    Completion,
    ContactUpdate,
    Dead,
    Ended,
    Ignored,
    InboundMessage,
    OutboundMessage,
    Reason,
    Skip,
    Status,
    WebhookAnswer,
)
from bridge.policy import retry, transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Lane, Turn
    from bridge.store.figures.signatures import Signatures
    from bridge.store.lanes.inbox import Accepted, Inbox
    from bridge.store.locations.installs import Installs

log = structlog.get_logger()

Event = TypeVar("Event")

REOPEN_SECONDS = 30.0
QUICKLY_PARSED_BYTES = 16 * 1024
LISTED_SECONDS = 8.0  # by then GHL lists the webhook's message
REASONS = frozenset({"unknown_location", "overflow", "not_inbound", "stop_word", "unconfigured"})  # outcomes that need no answer


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptServices:
    """The dependencies of accepting webhooks."""

    keys: signature.PublicKeys
    signatures: Signatures
    inbox: Inbox
    installs: Installs
    app_id: str
    workflow_secrets: tuple[str, ...] = ()
    secret_keys: tuple[str, ...] = ()


async def accept(body: bytes, headers: Mapping[str, str], services: AcceptServices) -> WebhookAnswer:
    """Accept a marketplace webhook. Raises Unauthorized; Unavailable if the message may not be stored."""
    scheme = signature.verify(body, headers, services.keys)
    await services.signatures.admit(scheme)
    event = await _parse(body, partial(events.parse, app_id=services.app_id))
    services.signatures.note(scheme, event)
    match event:
        case InboundMessage():
            return _told(event, event.id, await services.inbox.accept(event))
        case OutboundMessage():
            await services.inbox.observe(event)
            return _told(event, event.id, "not_inbound")
        case ContactUpdate():
            await services.inbox.update(event)
            return WebhookAnswer(status="ignored", reason=Reason.NOT_A_MESSAGE)
        case AppChange():
            # Uninstalling an agency is rare and needs slow scripts.
            await to_thread.run_sync(services.installs.note, event)
            return WebhookAnswer(status="ignored", reason=Reason.NOT_A_MESSAGE)
        case Ignored():
            return await _ignore(event, services)
        case _:
            assert_never(event)


async def accept_workflow(body: bytes, headers: Mapping[str, str], path_secret: str, services: AcceptServices) -> WebhookAnswer:
    """Accept a workflow webhook. Raises as `accept`. The location must be known before its secret can be checked."""
    secrets = workflow_secrets.presented(headers, path_secret)
    parse = partial(workflow.parse, content_type=headers.get("content-type", ""), fresh_id=f"workflow-{uuid4().hex}")
    event = await _parse(body, parse)
    own = await services.inbox.workflow_hash(event.location_id) if event.location_id else ""
    shared, keys = services.workflow_secrets, services.secret_keys
    workflow_secrets.verify(secrets, event.location_id, own=own, shared=shared, keys=keys)
    if isinstance(event, Ignored):
        if event.reason is Reason.UNPARSEABLE and event.location_id and event.contact_id:
            # The message exists in GHL, even if its webhook can't be parsed.
            await services.inbox.sweep_soon(event.location_id, seconds=LISTED_SECONDS)
        return await _ignore(event, services)
    return _told(event, event.id, await services.inbox.accept(event, marketplace=False))


async def _parse(body: bytes, parse: Callable[[bytes], Event]) -> Event:
    """Parse a large body in a thread, because an HTML e-mail may take a tenth of a second or more."""
    return await to_thread.run_sync(parse, body) if len(body) > QUICKLY_PARSED_BYTES else parse(body)


async def _ignore(event: Ignored, services: AcceptServices) -> WebhookAnswer:
    """Record a contact's call or voicemail in the timeline, so that `explain` can say why it got no answer."""
    if event.reason is Reason.NOT_A_MESSAGE and event.message_id and event.contact_id and event.location_id:
        outcome = await services.inbox.note(event)
        if outcome != "skipped":
            return _told(event, event.message_id, outcome)
    ids = {"message_id": event.message_id, "conversation_id": event.conversation_id}
    return WebhookAnswer(status="ignored", reason=event.reason, **ids)


def _told(
    event: InboundMessage | OutboundMessage | Ignored, message_id: str, outcome: Accepted | Literal["not_inbound"]
) -> WebhookAnswer:
    ids = {"message_id": message_id, "conversation_id": event.conversation_id}
    if outcome in REASONS:
        return WebhookAnswer(status="ignored", reason=Reason(outcome), **ids)
    return WebhookAnswer(status=outcome, **ids)


def answer(lane: Lane, services: AnswerServices) -> None:
    """Process a lane once. Raises Unavailable if Redis is unreachable: then the lease expires and the lane is due again."""
    turn = services.lanes.lease(lane)
    if turn is None:
        return
    with services.heartbeat.keeping(turn):
        try:
            _answer(turn, services)
        except Fenced as fenced:
            log.warning("turn.fenced", lane=str(lane), turn=turn.id, why=str(fenced))


def _answer(turn: Turn, services: AnswerServices) -> None:
    case = _open(turn, services)
    if case is None:
        return
    outcome = _attempt(case, services)
    save_rest(case, services)
    if not isinstance(outcome, Resolved):
        _conclude(case, outcome, services)
    elif anew := services.lanes.reread(turn):
        _answer(anew, services)


def _open(turn: Turn, services: AnswerServices) -> Case | None:
    """Open the case. If that fails (for example because of a wrong key), the turn waits without using an attempt."""
    try:
        return open_case(turn, services)
    except (Fenced, Unavailable):
        raise
    except Exception as error:  # noqa: BLE001 - left leased, the turn would end as one that kills its workers
        why = str(error) if isinstance(error, BridgeError) else retry.words(error)
        log.error("turn.not_opened", lane=str(turn.lane), turn=turn.id, why=why)  # noqa: TRY400 - its text may hold anything
        ids = [message.id for message in transcript.choose(turn.messages, turn.answered)]
        services.lanes.again(turn, ids, Again(wait=REOPEN_SECONDS, why=why, counts=False, looks=turn.looks, unopened=True))
        return None


def _attempt(case: Case, services: AnswerServices) -> Ended | Again | Dead | Resolved:
    """Make one attempt. Every error becomes a retry, a wait or a dead letter."""
    try:
        return _work(case, services)
    except (Fenced, Unavailable):
        raise
    except Exception as error:  # noqa: BLE001 - a fault of our own must not lose a message either
        if not isinstance(error, BudgetExhausted):
            log.warning("turn.failed", lane=str(case.turn.lane), turn=case.turn.id, error=retry.words(error))
        made, delays, readback, looks = case.turn.attempts, services.retry_delays, services.readback, case.looks
        return wait_after(case, error) or retry.decide(error, attempts=made, delays=delays, readback=readback, looks=looks)


def _work(case: Case, services: AnswerServices) -> Ended | Again | Dead | Resolved:
    if case.turn.unfinished > retry.MOST_UNFINISHED_LEASES:
        return Dead(error=f"{case.turn.unfinished - 1} workers in a row crashed during this turn")
    unclear = wait_for_ghl(case) or resolve(case, services) or look_back(case, services) or look_for_files(case, services)
    if unclear:
        return unclear
    forbidden = None if case.completion else guard(case, services)
    if isinstance(forbidden, Skip):
        return _tell(case, case.ended(Status.SKIPPED, forbidden), services)
    completion = forbidden or read_files(case, services) or obtain(case, services)
    outcome = _deliver(case, completion, services) if isinstance(completion, Completion) else completion
    return _tell(case, unreadable(case, outcome), services) if isinstance(outcome, Ended) else outcome


def _tell(case: Case, ended: Ended, services: AnswerServices) -> Ended:
    """Send the away message if the location is closed, or closed before the contact got an answer."""
    if ended.status is Status.SKIPPED and ended.reason is Reason.OUTSIDE_HOURS:
        send_away(case, services)
    return ended


def _deliver(case: Case, completion: Completion, services: AnswerServices) -> Ended | Again | Resolved:
    """Post the answer. If a message without an id joined the turn and is a duplicate, the answer is not outdated."""
    outcome = deliver(case, completion, services)
    while isinstance(outcome, Again) and outcome.stale and resolve_joined(case, services):
        outcome = deliver(case, completion, services)
    if outcome is HEARD:
        return Resolved()
    return hand_over(case, completion, outcome, services) if isinstance(outcome, Ended) else outcome


def _conclude(case: Case, outcome: Ended | Again | Dead, services: AnswerServices) -> None:
    match outcome:
        case Ended():
            services.lanes.end(case.turn, outcome)
            log.info("turn.ended", lane=str(case.turn.lane), turn=case.turn.id, status=outcome.status, reason=outcome.reason)
        case Again():
            services.lanes.again(case.turn, case.ids, outcome, excerpt=case.excerpt)
            log.info("turn.again", lane=str(case.turn.lane), turn=case.turn.id, wait_seconds=outcome.wait, why=outcome.why)
        case Dead():
            dead_lettered = write_dead_letter(case, outcome, services)
            log.error(
                "turn.dead" if dead_lettered else "turn.held", lane=str(case.turn.lane), turn=case.turn.id, error=outcome.error
            )
        case _:
            assert_never(outcome)
