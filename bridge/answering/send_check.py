"""The last word before a part leaves: it may be posted still, is paid for, and that it is going to be stands in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.answering.case import may_become_stale
from bridge.ghl.access import Need
from bridge.store.lanes.leases import Newest

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import Desk
    from bridge.model import Posting


class Stale(Exception):
    """A newer message made the answer stale: nothing was sent."""


class LastWord:
    """Called right before each try's first byte leaves, which it allows by returning. `given`: it did so at least once."""

    def __init__(self, case: Case, posting: Posting, channel: str, desk: Desk) -> None:
        self._case = case
        self._posting = posting
        self._channel = channel
        self._desk = desk
        self.given = False

    def __call__(self) -> None:
        """Raises Stale, and what `Lanes.sending` raises."""
        case, posting, desk = self._case, self._posting, self._desk
        unless_stale = posting.unless_stale and may_become_stale(case.turn)
        noted = desk.lanes.sending(
            case.turn,
            posting,
            at_ms=case.now_ms(desk),
            channel=self._channel,
            newest=Newest(seen=case.turn.waiting - case.skipped, line=case.last.line) if unless_stale else None,
            revision=case.standing.revision,
            seconds=desk.post_seconds,
            bill=case.gate.bill(case.turn.lane.location_id, Need.POST),
        )
        if not noted:
            raise Stale
        self.given = True

    def take_back(self) -> None:
        """It is proven not to be in GHL."""
        self._desk.lanes.not_sent(self._case.turn, self._posting, at_ms=self._case.now_ms(self._desk))
