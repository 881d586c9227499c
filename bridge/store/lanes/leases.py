"""Lanes: every step of a turn, written only by the holder of the lease."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from bridge.errors import AlreadySent, Fenced, NotConfirmed, StandingChanged
from bridge.model import ConversationId, MessageId
from bridge.store.lanes import dead_lettering, steps
from bridge.store.lanes.answers import along, patch_of
from bridge.store.lanes.results import Admission, ReleaseResult, StateAfterStep, StepResult
from bridge.store.lanes.schedule import Schedule, ScheduleOptions
from bridge.store.lanes.situations import read_situation
from bridge.store.lanes.step_done import StepDone, check_left
from bridge.store.lanes.turns import read_ledger
from bridge.store.limits.budget import budget_exhausted
from bridge.store.limits.circuits import PROBE_MARGIN_SECONDS
from bridge.store.locations.records import FIELDS
from bridge.store.redis.confirmations import NO_CONFIRMATION
from bridge.store.redis.connection import reaching, rows
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import key, prefix_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from bridge.model import Again, Completion, Dead, Ended, InboundMessage, Lane, PastMessage, Posted, Posting, Situation, Turn
    from bridge.store.lanes.answers import AnswerDetails, UnsavedAnswer
    from bridge.store.lanes.excerpts import SealedExcerpt
    from bridge.store.lanes.patch import Conditions, Patch, Permit

REFUSED_LOGINS_UNTIL_HOLD = 3
# How long the confirmation of the record before a post may take (s).
NOTE_SECONDS = 1.0
NO_CONVERSATION = ConversationId("")


@dataclass(frozen=True, slots=True)
class SeenOfLane:
    """What a turn has read of its lane: the number of messages, and the line (channel and conversation provider) of its own."""

    seen: int
    line: str


class Lanes(Schedule):
    """The schedule and the steps of turns. Every method is one round trip and raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, **options: Unpack[ScheduleOptions]) -> None:
        super().__init__(redis, **options)
        self._record = redis.register_script(script("record"))
        self._release = redis.register_script(script("release"))
        self._confirmation = options.get("confirmation", NO_CONFIRMATION)

    def ours(self, lane: Lane, ids: Sequence[MessageId]) -> frozenset[MessageId]:
        """Which of these messages the bridge posted, or its provider is known to have posted."""
        with reaching(f"look for own messages of {lane}"):
            found = self._redis.mget([key("own", lane.location_id, id_) for id_ in ids]) if ids else []
        return frozenset(id_ for id_, by in zip(ids, found, strict=True) if by)

    def asking(
        self,
        turn: Turn,
        ids: Sequence[MessageId],
        *,
        at_ms: int,
        provider: str = "",
        may_deliver: bool,
        circuit: str,
        seconds: float,
        listed: Sequence[PastMessage] | None = None,
        person: str = "",
        is_first: bool = False,
    ) -> Admission:
        """Record that a provider is called, for `seconds` at most; in the ledger too if it may deliver by itself.

        GHL's list of the conversation, if it was read, and the contact's names (`ContactNames.sealed`) are stored, whatever the
        result. `is_first`: the turn has asked no provider before. Returns `open`, and records nothing, if the provider's
        `circuit` is open; `probe` if this turn probes it.
        """
        about = {"may_deliver": may_deliver, "is_first": is_first}
        patch = steps.asking(turn, ids, at_ms=at_ms, provider=provider, listed=listed, **about)
        longest = round((seconds + PROBE_MARGIN_SECONDS) * 1000)
        done = self._step(turn, patch, circuit={"id": circuit, "longest": longest}, person=person)
        return Admission(done.admitted, asked_at=done.asked_at, held_until=done.asked_at + done.left_ms / 1000)

    def unanswered(
        self, turn: Turn, *, at_ms: int, provider: str, why: str, may_deliver: bool, excerpt: SealedExcerpt | None = None
    ) -> None:
        """Record that a provider certainly delivered nothing, and store its answer as an excerpt."""
        patch = steps.unanswered(turn, at_ms=at_ms, provider=provider, why=why, may_deliver=may_deliver, excerpt=excerpt)
        self._step(turn, patch)

    def doubtful(self, turn: Turn, *, asked_at_ms: int) -> None:
        """Record that a provider which may have delivered gave an answer that doesn't say whether it did."""
        self._step(turn, steps.doubtful(asked_at_ms=asked_at_ms))

    def answered(
        self,
        turn: Turn,
        ids: Sequence[MessageId],
        completion: Completion,
        *,
        conversation_id: ConversationId = NO_CONVERSATION,
        **details: Unpack[AnswerDetails],
    ) -> StateAfterStep:
        """Save a provider's answer and the question's messages; a crash then causes no second completion.

        Returns the state afterwards, with a pause of `conversation_id`.
        """
        patch = patch_of(turn, ids, completion, details)
        done = self._step(turn, patch, look={"conversation": conversation_id, "fields": FIELDS})
        return StateAfterStep(read_situation(done.situation, read_at=done.asked_at), read_ledger(rows(done.ledger)))

    def sending(
        self,
        turn: Turn,
        posting: Posting,
        *,
        at_ms: int,
        channel: str,
        newest: SeenOfLane | None = None,
        revision: int,
        seconds: float = 0.0,
        permit: Permit | None = None,
        waited: tuple[str, float] | None = None,
        answer: UnsavedAnswer | None = None,
        judged: Situation | None = None,
    ) -> bool:
        """Record that a part is about to be posted. Returns False, and records nothing, if messages after `newest` have arrived.

        `waited`: GHL's refusal of the attempt before, and the wait (s) after it. `answer` is saved in the same call, also if an
        error is raised, unless the lease is lost. `judged`: what the guards used, if that was long ago.

        Raises Fenced unless the lease lasts at least `seconds` more; StandingChanged, and records nothing, if the standing no
        longer has this `revision`, the location may not send, or its settings are not those of `judged`; AlreadySent if GHL has
        reported the part meanwhile, or the provider has delivered the answer; BudgetExhausted if GHL's rate limit does not allow
        the request of `permit`.
        """
        done = self._step(
            turn,
            {**steps.sending(posting, at_ms=at_ms, channel=channel, waited=waited), **along(turn, answer, judged, now_ms=at_ms)},
            least=[round(seconds * 1000)],
            unless_newer={"seen": newest.seen, "line": newest.line} if newest else None,
            revision=[revision],
            permit=permit,
            confirm=True,
        )
        if done.code == StepResult.THERE:
            raise AlreadySent(f"part {posting.part} of {turn.lane} is in GHL already")
        if done.code == StepResult.CHANGED:
            raise StandingChanged(f"the standing of {turn.lane} has changed")
        if done.code == StepResult.NO_ROOM:
            raise budget_exhausted(turn.lane.location_id, done.left_ms)
        if done.code == StepResult.WRITTEN:
            # Redis' answer may have been delayed, and the lease has become shorter meanwhile.
            check_left(turn, done.left_ms - round((self._clock() - done.asked_at) * 1000), seconds)
        return done.code == StepResult.WRITTEN

    def not_sent(self, turn: Turn, posting: Posting, *, at_ms: int) -> None:
        """Record that a part is proven not to be in GHL."""
        self._step(turn, steps.not_sent(posting, at_ms=at_ms))

    def sent(self, turn: Turn, posted: Posted) -> None:
        """Record that a part is in GHL, with ids that are the bridge's own now. A part that the contact can't see is a draft."""
        self._step(turn, steps.sent(turn, posted))

    def know(self, turn: Turn, messages: Sequence[InboundMessage], *, event: dict[str, Any]) -> None:
        """Store messages with their new data; `event` is the event for the timeline."""
        self._step(turn, steps.known(messages, event=event))

    def stop(self, turn: Turn, channel: str, *, at_ms: int, event: dict[str, Any], spoken: bool = False) -> None:
        """Record that the contact opted out of a channel, by a message that is only known now; `spoken`: in a voice note."""
        self._step(turn, steps.stopped(channel, at_ms=at_ms, event=event, spoken=spoken))

    def skip(self, turn: Turn, ended: Ended) -> None:
        """Record the outcomes of some messages; the lane stays leased for the others."""
        self._step(turn, steps.skipped(turn, ended))

    def end(self, turn: Turn, ended: Ended) -> None:
        """Record the outcomes of the messages and release the lane."""
        self._end(turn, steps.ended(turn, ended))

    def let_go(self, turn: Turn) -> None:
        """Release the lane after every message of the turn was skipped."""
        self._end(turn, steps.let_go(turn))

    def again(self, turn: Turn, ids: Sequence[MessageId], again: Again, *, excerpt: SealedExcerpt | None = None) -> None:
        """Release the lane, due again after `again.wait` seconds; new messages don't change that time.

        With `again.in_place` it is due as soon as its location is, at its earlier position in the queue.
        """
        self._end(turn, steps.again(turn, ids, again, excerpt=excerpt))

    def write_dead_letter(
        self,
        turn: Turn,
        ids: Sequence[MessageId],
        dead: Dead,
        *,
        answer: Completion | None,
        parts: Sequence[str] = (),
        at_ms: int,
        excerpt: SealedExcerpt | None = None,
    ) -> bool:
        """Turn the messages into one dead letter and release the lane.

        Returns False if a login was refused and the location is on hold now: then the turn waits for the end of the hold.
        """
        return self._end(turn, dead_lettering.dead(turn, ids, dead, answer=answer, parts=parts, at_ms=at_ms, excerpt=excerpt))

    def _step(self, turn: Turn, patch: Patch, *, confirm: bool = False, **more: Unpack[Conditions]) -> StepDone:
        asked_at = self._clock()
        answer, unconfirmed = self._write(self._record, turn, {**patch, **more}, confirm=confirm)
        done = StepDone(asked_at, *answer)
        if done.code == StepResult.LOST:
            check_left(turn, done.left_ms, math.inf)
        if unconfirmed and done.code == StepResult.WRITTEN:
            raise NotConfirmed(f"the record before the post is not confirmed yet: {unconfirmed}")
        return done

    def _end(self, turn: Turn, patch: Patch) -> bool:
        answer, _ = self._write(self._release, turn, patch, REFUSED_LOGINS_UNTIL_HOLD)
        done = int(answer)
        if done == ReleaseResult.LOST:
            raise Fenced(f"the lease of {turn.lane} was lost")
        return done == ReleaseResult.WRITTEN

    def _write(self, run: Any, turn: Turn, patch: Patch, *more: int, confirm: bool = False) -> tuple[Any, str]:
        """The result of a script, and the reason why it is not confirmed (empty: it is, or needs no confirmation)."""
        args = [str(turn.lane), turn.token, steps.document(turn, patch), self._retention_ms, *more]
        with reaching(f"write a step of {turn.lane}"):
            confirmation = self._confirmation if confirm else NO_CONFIRMATION
            return confirmation.run(self._redis, run, args, at=prefix_of(turn.lane), seconds=NOTE_SECONDS)
