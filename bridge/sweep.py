"""The sweep: finds inbound messages in GHL whose webhook never arrived, and accepts them.

    search -> conversations that the contact wrote in last -> newer than what is recorded? -> read -> unanswered -> accept

It is limited: each run reads a maximum number of pages and conversations, and the next run continues. Its requests to GHL have
the lowest priority.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from bridge.errors import BudgetExhausted, OperatorMustFix, Permanent, Retryable
from bridge.ghl.access import Need
from bridge.ghl.conversations import as_email, as_message
from bridge.model import Channel
from bridge.policy.sweeping import horizon_ms, unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bridge.access.ghl_access import GHLAccess
    from bridge.ghl.access import Access
    from bridge.ghl.client import GHL
    from bridge.ghl.conversations import Conversations, FoundConversation
    from bridge.model import InboundMessage, Listed, MessageId
    from bridge.store.lanes.swept import SweptMessages as Store
    from bridge.store.locations.records import LocationRecord
    from bridge.store.locations.sweeps import DueSweep

log = structlog.get_logger()

READ_SECONDS = 10.0
MOST_PAGES = 5
MOST_READ = 100
MOST_PAGES_OF_ONE = 3
# More messages of one e-mail thread are probably an imported archive.
MOST_EMAILS = 10
SWEEP_SECONDS = 45.0
# Webhooks use another id for an e-mail than the list.
EMAIL_TYPES = frozenset({"TYPE_EMAIL", "TYPE_CUSTOM_EMAIL", "TYPE_CUSTOM_PROVIDER_EMAIL"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepServices:
    """The dependencies of the sweep. `clock` is monotonic (s)."""

    ghl_access: GHLAccess
    ghl: GHL
    store: Store
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The range of a sweep: messages since `since_ms`, starting at `cursor_ms` if it is set, else at the newest.

    `since_ms` and `now_ms` are by Redis' clock, `cursor_ms` by GHL's (ms). `dry_run`: nothing is accepted.
    """

    since_ms: int
    now_ms: int
    cursor_ms: int = 0
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A message that was found, and the result of accepting it; `missing` in a dry run."""

    message: InboundMessage
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """The result of a sweep: `cursor_ms` is where the next one continues, 0 if it is complete.

    `why` is the reason if it stopped early, and `wait` how long GHL asked to wait (s).
    """

    taken: tuple[Taken, ...]
    cursor_ms: int = 0
    why: str = ""
    wait: float = 0.0


def span_of(kept: LocationRecord, due: DueSweep) -> Span:
    """The range of a location's next sweep."""
    since = horizon_ms(
        now_ms=due.now_ms,
        activated_ms=kept.activated_at_ms,
        since_ms=due.progress.since_ms,
        max_age_seconds=kept.location.max_age_seconds,
    )
    return Span(since_ms=since, now_ms=due.now_ms, cursor_ms=due.progress.cursor_ms)


def sweep(kept: LocationRecord, span: Span, sweep_services: SweepServices) -> Swept:
    """Sweep a location once. Raises OperatorMustFix if GHL refuses the token, and Unavailable."""
    run = _Run(kept, span, sweep_services)
    try:
        run.go()
    except (BudgetExhausted, Retryable) as error:
        return Swept(taken=tuple(run.taken), cursor_ms=run.cursor_ms, why=str(error), wait=error.retry_after or 0.0)
    return Swept(taken=tuple(run.taken), cursor_ms=run.cursor_ms)


class _Run:
    """A sweep in progress: its results and its position."""

    def __init__(self, kept: LocationRecord, span: Span, sweep_services: SweepServices) -> None:
        self._kept = kept
        self._span = span
        self._sweep_services = sweep_services
        self._access: Access = sweep_services.ghl_access.open(kept, Need.SWEEP)
        self._end = sweep_services.clock() + SWEEP_SECONDS
        self._read = 0
        self.taken: list[Taken] = []
        self.cursor_ms = span.cursor_ms

    def go(self) -> None:
        """Read pages until the start of the range, or until the limits of one run."""
        for _ in range(MOST_PAGES):
            before_ms = self.cursor_ms
            page = self._search()
            since = self._span.since_ms + (page.at_ms - self._span.now_ms if page.at_ms else 0)
            fresh = [found for found in page.found if found.last_ms > since]
            for found, recorded in self._candidates(fresh):
                # The next run continues with this one.
                self.cursor_ms = found.last_ms + 1
                if self._read >= MOST_READ or self._sweep_services.clock() > self._end:
                    return
                self._look_into(found, since_ms=max(since, recorded))
            if len(fresh) < len(page.found) or not page.next_before_ms or page.next_before_ms == before_ms:
                self.cursor_ms = 0
                return
            self.cursor_ms = page.next_before_ms

    def _search(self) -> Conversations:
        location_id = self._kept.location.location_id
        return self._sweep_services.ghl.conversations(
            location_id, token=self._access, seconds=READ_SECONDS, before_ms=self.cursor_ms
        )

    def _candidates(self, fresh: Sequence[FoundConversation]) -> Iterator[tuple[FoundConversation, int]]:
        """Conversations whose newest message is the contact's and newer than the recorded one, each with its time."""
        inbound = [found for found in fresh if found.inbound]
        recorded = self._sweep_services.store.recorded(self._kept.location.location_id, [found.contact_id for found in inbound])
        for found in inbound:
            if found.last_ms > recorded[found.contact_id]:
                yield found, recorded[found.contact_id]

    def _look_into(self, found: FoundConversation, *, since_ms: int) -> None:
        self._read += 1
        try:
            messages = self._messages(found, since_ms=since_ms)
        except OperatorMustFix:
            raise
        except Permanent as error:
            # A conversation that was deleted in the meantime must not stop the others.
            log.warning("sweep.not_read", location_id=self._kept.location.id, why=str(error))
            return
        outcomes = self._take(messages)
        self.taken += [Taken(message=message, outcome=outcome) for message, outcome in zip(messages, outcomes, strict=True)]

    def _take(self, messages: Sequence[InboundMessage]) -> Sequence[str]:
        store = self._sweep_services.store
        if not self._span.dry_run:
            return store.take(messages)
        return ["duplicate" if store.is_known(message) else "missing" for message in messages]

    def _messages(self, found: FoundConversation, *, since_ms: int) -> list[InboundMessage]:
        messages: list[InboundMessage] = []
        location_id = self._kept.location.location_id
        for listed, row in unanswered(self._rows(found, since_ms), since_ms=since_ms):
            if listed.type in EMAIL_TYPES:
                messages += self._emails(found, listed.email_message_ids, since_ms=since_ms)
            elif message := as_message(row, location_id=location_id, conversation=found):
                messages.append(message)
        return messages

    def _rows(self, found: FoundConversation, since_ms: int) -> Iterator[tuple[Listed, Mapping[str, Any]]]:
        page = self._sweep_services.ghl.page(found.conversation_id, token=self._access, seconds=READ_SECONDS)
        for _ in range(MOST_PAGES_OF_ONE):
            yield from zip(page.listed, page.rows, strict=True)
            if not page.next_after or (page.listed and page.listed[-1].date_added_ms <= since_ms):
                return
            page = self._sweep_services.ghl.page(
                found.conversation_id, token=self._access, seconds=READ_SECONDS, after=page.next_after
            )

    def _emails(self, found: FoundConversation, ids: Sequence[MessageId], *, since_ms: int) -> list[InboundMessage]:
        """The contact's e-mails of a thread; only read if the location answers e-mail."""
        if Channel.EMAIL not in self._kept.location.channels:
            return []
        messages = []
        for id_ in ids[-MOST_EMAILS:]:
            row = self._sweep_services.ghl.email(id_, token=self._access, seconds=READ_SECONDS)
            message = as_email(row, location_id=self._kept.location.location_id, conversation=found)
            if message and message.date_added_ms > since_ms:
                messages.append(message)
        return messages
