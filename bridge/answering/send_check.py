"""The check immediately before a part is sent: lease, standing and rate limit are checked, and the ledger records the send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.case import may_become_stale
from bridge.answering.saving import save, take
from bridge.ghl.access import Need
from bridge.store.lanes.leases import SeenOfLane

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.errors import Retryable
    from bridge.model import Posting


class Stale(Exception):
    """A newer message arrived, so the answer is outdated; nothing was sent."""


class SendCheck:
    """Called immediately before the first byte of each attempt; returning allows it. `given`: at least one was allowed."""

    def __init__(self, case: Case, posting: Posting, channel: str, services: AnswerServices) -> None:
        self._case = case
        self._posting = posting
        self._channel = channel
        self._services = services
        # If an answer is saved immediately, the guards used data from before its question.
        self._judged = case.judged if case.unsaved else None
        self.given = False
        self._refused: tuple[str, float] | None = None

    def refused(self, error: Retryable) -> None:
        """Remember that GHL refused an attempt; the next one records it."""
        if self.given:
            self._refused = str(error), self._services.clock()

    def connecting(self) -> None:
        """Save the answer before a connection is opened, which may take seconds."""
        save(self._case, self._services)

    def __call__(self) -> None:
        """Raises Stale, and what `Lanes.sending` raises."""
        case, posting, services = self._case, self._posting, self._services
        answer = take(case)
        unless_stale = posting.unless_stale and may_become_stale(case.turn)
        recorded = services.lanes.sending(
            case.turn,
            posting,
            at_ms=case.now_ms(services),
            channel=self._channel,
            newest=SeenOfLane(seen=case.turn.waiting - case.skipped, line=case.last.line) if unless_stale else None,
            revision=case.standing.revision,
            seconds=services.post_seconds,
            waited=self._waited(),
            permit=case.ghl_access.permit(case.turn.lane.location_id, Need.POST),
            answer=answer,
            judged=self._judged,
        )
        if not recorded:
            raise Stale
        self.given, self._refused = True, None

    def _waited(self) -> tuple[str, float] | None:
        """The error of the previous try, and how long (s) this one waited after it."""
        if self._refused is None:
            return None
        why, since = self._refused
        return why, self._services.clock() - since

    def take_back(self) -> None:
        """Record that the part is proven absent from GHL."""
        self._services.lanes.not_sent(self._case.turn, self._posting, at_ms=self._case.now_ms(self._services))
