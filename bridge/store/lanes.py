"""Lanes: what is due, who holds it, and every step of a turn, written only by the holder of the lease."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from bridge.errors import Fenced, Overtaken, There
from bridge.model import ConversationId, Lane, LedgerEntry, MessageId, SendState, Status
from bridge.policy.wording import digest
from bridge.store.circuits import PROBE_MARGIN_SECONDS
from bridge.store.connection import key, reaching, rows, script
from bridge.store.locations import FIELDS
from bridge.store.messages import encode_answer
from bridge.store.situations import read_situation
from bridge.store.turns import (
    event_of,
    is_claim_true,
    is_reply,
    letter,
    outcome,
    posted_patch,
    read_ledger,
    read_turn,
    taken_along,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from redis import Redis

    from bridge.model import Again, Completion, Dead, Ended, Posted, Posting, Situation, Turn
    from bridge.store.circuits import Admission

MOST_MESSAGES_OF_A_TURN = 200
# Of the newest words: so many are looked at for loops, and few locations want more as their history.
MOST_SAID = 60
REFUSED_LOGINS_UNTIL_HOLD = 3
ASK = "ask"
LOST, WRITTEN, NEWER, CHANGED, THERE = range(5)
NO_CONVERSATION = ConversationId("")


@dataclass(frozen=True, slots=True)
class Newest:
    """What a turn has seen of its lane: how many messages, and by which line (channel and conversation provider) its own came."""

    seen: int
    line: str


@dataclass(frozen=True, slots=True)
class Now:
    """How things stand after a step: what the guards look at, and the turn's ledger with what was heard of GHL meanwhile."""

    situation: Situation
    ledger: Mapping[str, LedgerEntry]


@dataclass(frozen=True, slots=True)
class Claim:
    """Lanes taken off the schedule to be woken, and the seconds until the next one is due (None: nothing to wait for)."""

    lanes: tuple[Lane, ...]
    next_due: float | None


class Lanes:
    """The schedule and the turns. Every method is one round trip and raises Unavailable when Redis can't be reached."""

    def __init__(
        self, redis: Redis, *, lease_seconds: float, retention_ms: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._claim = redis.register_script(script("claim"))
        self._unclaim = redis.register_script(script("unclaim"))
        self._lease = redis.register_script(script("lease"))
        self._renew = redis.register_script(script("renew"))
        self._record = redis.register_script(script("record"))
        self._release = redis.register_script(script("release"))
        self._give_back = redis.register_script(script("give_back"))
        self._redis = redis
        self._clock = clock
        self._lease_ms = round(lease_seconds * 1000)
        self._retention_ms = retention_ms

    def claim(self, worker: str, *, slots: int, alive_seconds: float, most: int) -> Claim:
        """Take up to `most` due lanes, but no more than live workers have free slots, locations in turn."""
        with reaching("claim due lanes"):
            wait, *lanes = self._claim(args=[worker, slots, round(alive_seconds * 1000), self._lease_ms, most])
        return Claim(tuple(map(Lane.parse, lanes)), None if wait < 0 else wait / 1000)

    def unclaim(self, lanes: Iterable[Lane], *, pause: float) -> None:
        """Put back what was claimed and could not be published; it is due again after `pause` seconds."""
        with reaching("put claimed lanes back"):
            self._unclaim(args=[round(pause * 1000), *map(str, lanes)])

    def lease(self, lane: Lane) -> Turn | None:
        """Take a claimed lane for one turn; None when it isn't claimed, is held by another, or has nothing waiting."""
        token = uuid4().hex
        began = self._clock()
        with reaching(f"lease {lane}"):
            answer = self._take(lane, token)
        return read_turn(lane, token, began, answer) if answer else None

    def reread(self, turn: Turn) -> Turn | None:
        """A turn as it is now, under the same lease; None when nothing of it waits any more, and the lane was given back."""
        began = self._clock()
        with reaching(f"read the turn of {turn.lane} anew"):
            answer = self._take(turn.lane, turn.token)
        return read_turn(turn.lane, turn.token, began, answer) if answer else None

    def _take(self, lane: Lane, token: str) -> Any:
        most = (MOST_MESSAGES_OF_A_TURN, self._retention_ms, MOST_SAID)
        return self._lease(args=[str(lane), token, self._lease_ms, uuid4().hex, *most, *FIELDS])

    def renew(self, held: Iterable[Turn]) -> tuple[Lane, ...]:
        """Extend leases; answers the lanes whose lease is lost."""
        pairs = [part for turn in held for part in (str(turn.lane), turn.token)]
        with reaching("renew leases"):
            return tuple(map(Lane.parse, self._renew(args=[self._lease_ms, *pairs])))

    def give_back(self, turn: Turn) -> bool:
        """Give the lane back untouched, due at once: this process is about to stop. False when the lease was lost before."""
        with reaching(f"give {turn.lane} back"):
            return bool(self._give_back(args=[str(turn.lane), turn.token, self._retention_ms]))

    def ours(self, lane: Lane, ids: Sequence[MessageId]) -> frozenset[MessageId]:
        """Which of these are messages that we posted, or that are known to be our provider's."""
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
    ) -> Admission:
        """Note that a provider is about to be asked, for `seconds` at most; in the ledger too if it may deliver by itself.

        Answers `open`, and nothing is noted, if it is down (`circuit` is its own); `probe`: this turn finds out whether it is.
        """
        asks = turn.asks + may_deliver
        entry = LedgerEntry(state=SendState.ASKING, at_ms=at_ms)
        done = self._step(
            turn,
            circuit={"id": circuit, "longest": round((seconds + PROBE_MARGIN_SECONDS) * 1000)},
            messages={id_: {"status": Status.ANSWERING} for id_ in ids},
            lane={
                "looks": 0,
                "asks": asks,
                "asked": provider,
                "stale": turn.stale,
                "answer": "",
                "answered": "",
                "parts": "",
                "claimed": "",
            },
            ledger={ASK: entry} if may_deliver else {},
            event={"step": "asking", "provider": provider, "message_ids": ids, "attempt": turn.attempts + 1},
        )
        return done.admitted

    def unanswered(self, turn: Turn, *, at_ms: int, provider: str, why: str, may_deliver: bool) -> None:
        """Note that a provider that was asked has surely delivered nothing."""
        entry = LedgerEntry(state=SendState.NOT_SENT, at_ms=at_ms)
        event = {"step": "unanswered", "provider": provider, "why": why}
        self._step(turn, ledger={ASK: entry} if may_deliver else {}, event=event)

    def answered(
        self,
        turn: Turn,
        ids: Sequence[MessageId],
        completion: Completion,
        *,
        at_ms: int,
        seconds: float,
        may_deliver: bool = False,
        may_claim: bool = True,
        circuit: str = "",
        conversation_id: ConversationId = NO_CONVERSATION,
    ) -> Now:
        """Save a provider's answer, which took `seconds`, so that no crash buys it twice; what was asked is known now.

        `may_claim`: its word on who delivers is one to count; `circuit` is the provider's, which answers. Answers how things
        stand afterwards: what an operator said of `conversation_id` counts.
        """
        saved: dict[str, Any] = {"looks": 0, "answer": encode_answer(completion), "answered": orjson.dumps(ids).decode()}
        saved["answered_at"] = at_ms
        if completion.session_id:
            saved["session"] = completion.session_id
        event: dict[str, Any] = {
            "step": "answered",
            "provider": completion.provider,
            "characters": len(completion.text),
            "seconds": round(seconds, 3),
            "trace_id": completion.trace_id,
            "claimed_message_id": completion.claimed_message_id,
        }
        if completion.waited_out:
            event["waited_out"] = completion.waited_out
        claimed = completion.claims_delivery if may_claim else None
        delivery = self._delivery(completion, asked_at_ms=at_ms - round(seconds * 1000)) if may_deliver else {}
        if may_deliver:
            saved["claimed"] = completion.claimed_message_id
        look = {"conversation": conversation_id, "fields": FIELDS}
        known = {"claimed": claimed, "welcomed": ["provider"], "passed": circuit, "look": look}
        done = self._step(turn, lane=saved, event=event, **known, **delivery)
        return Now(read_situation(done.situation, read_at=done.asked_at), read_ledger(rows(done.ledger)))

    def _delivery(self, completion: Completion, *, asked_at_ms: int) -> dict[str, Any]:
        """By which words a delivery of the provider's own is known, before its answer came and after."""
        entry, words = LedgerEntry(state=SendState.NOT_SENT, at_ms=asked_at_ms), digest(completion.text)
        return {"ledger": {ASK: entry}, "posting": {ASK: [words, asked_at_ms]} if words else {}}

    def sending(
        self,
        turn: Turn,
        posting: Posting,
        *,
        at_ms: int,
        channel: str,
        newest: Newest | None = None,
        revision: int,
        seconds: float = 0.0,
    ) -> bool:
        """Note that a part is about to be posted; False, and nothing noted, if messages like `newest` have joined the turn.

        Raises Fenced unless the lease is still ours for at least `seconds`; Overtaken, and nothing is noted, if the contact's
        standing is not of this `revision` any more; There if the part was heard of meanwhile, or the provider has delivered the
        answer.
        """
        entry = LedgerEntry(state=SendState.SENDING, at_ms=at_ms, last=posting.last)
        event: dict[str, Any] = {"step": "sending", "part": posting.part, "type": channel, "characters": len(posting.said)}
        if posting.shortened:
            event["shortened"] = True
        kept = {"parts": orjson.dumps(posting.parts).decode()} if posting.parts else {}
        done = self._step(
            turn,
            event=event,
            least=[round(seconds * 1000)],
            lane={"looks": 0, **kept},
            ledger={posting.part: entry},
            posting={posting.part: [digest(posting.text)]},
            unless_newer={"seen": newest.seen, "line": newest.line} if newest else None,
            unless_there=[posting.part, *([ASK] if posting.parts else [])],
            revision=[revision],
        )
        if done.code == THERE:
            raise There(f"part {posting.part} of {turn.lane} is in GHL already")
        if done.code == CHANGED:
            raise Overtaken(f"the standing of {turn.lane} has changed")
        if done.code == WRITTEN:
            # The answer may have been long under way, and the lease ran down meanwhile.
            _check_left(turn, done.left_ms - round((self._clock() - done.asked_at) * 1000), seconds)
        return done.code == WRITTEN

    def not_sent(self, turn: Turn, posting: Posting, *, at_ms: int) -> None:
        """Note that a part is proven not to be in GHL."""
        entry = LedgerEntry(state=SendState.NOT_SENT, at_ms=at_ms, last=posting.last)
        self._step(turn, ledger={posting.part: entry}, event={"step": "not_sent", "part": posting.part})

    def sent(self, turn: Turn, posted: Posted) -> None:
        """Note that a part is in GHL, under ids that are our own from now on. One that says nothing to the contact is a draft."""
        self._step(turn, **posted_patch(turn, posted))

    def skip(self, turn: Turn, ended: Ended) -> None:
        """Write down what became of some of the messages; the lane stays leased for the others."""
        messages = {id_: outcome(ended) for id_ in ended.message_ids}
        self._step(turn, messages=messages, done=ended.message_ids, said=words_of(turn, ended), event=event_of(ended))

    def end(self, turn: Turn, ended: Ended) -> None:
        """Write down what became of the messages and give the lane back."""
        messages = {id_: outcome(ended) for id_ in ended.message_ids}
        posted = posted_patch(turn, ended.posted) if ended.posted else {}
        over = {
            "messages": messages,
            "done": ended.message_ids,
            "carried": taken_along(turn, ended.message_ids),
            "own": list(ended.reply_message_ids),
            "said": [*words_of(turn, ended), *posted.get("said", ())],
            "replied": is_reply(ended),
            "seen": is_claim_true(turn, ended),
        }
        self._end(turn, events=[event_of(ended)], **{**posted, **over})

    def let_go(self, turn: Turn) -> None:
        """Give the lane back when every message of the turn has been skipped."""
        oldest = min(turn.messages, key=lambda message: message.date_added_ms, default=None)
        self._end(turn, carried=taken_along(turn, [oldest.id] if oldest else []), events=[])

    def again(self, turn: Turn, ids: Sequence[MessageId], again: Again) -> None:
        """Give the lane back, due again after `again.wait` seconds; messages that join don't move that moment.

        With `again.in_place` it is due as soon as its location is, at the place in the queue that it had.
        """
        attempts = turn.attempts + again.counts
        event = {"step": "retrying", "why": again.why, "wait_seconds": round(again.wait, 3), "failed_attempts": attempts}
        dropped = {"answer": "", "answered": "", "parts": "", "stale": turn.stale + 1} if again.stale else {}
        self._end(
            turn,
            messages={id_: {"status": again.status} for id_ in ids},
            lane={"attempts": attempts, "looks": again.looks, **dropped},
            wait_ms=-1 if again.in_place else round(again.wait * 1000),
            circuits=again.circuits,
            failed=again.counts,
            events=[event],
        )

    def bury(
        self,
        turn: Turn,
        ids: Sequence[MessageId],
        dead: Dead,
        *,
        answer: Completion | None,
        parts: Sequence[str] = (),
        at_ms: int,
    ) -> bool:
        """Turn the messages into one dead letter and give the lane back.

        False when a login was refused and the location is on hold by now: then the turn waits for the hold's end.
        """
        event = {"step": "dead", "error": dead.error, "attempts": turn.attempts + 1, "dead_letter_id": turn.id}
        waits = {"step": "waiting", "why": f"the location is on hold: {dead.error}"}
        return self._end(
            turn,
            messages={id_: {"status": Status.DEAD, "error": dead.error} for id_ in ids},
            done=list(ids),
            dead={"id": turn.id, "record": letter(turn, ids, dead, answer=answer, parts=parts, at_ms=at_ms).decode()},
            refused=dead.refused,
            held={"messages": {id_: {"status": Status.WAITING} for id_ in ids}, "events": [orjson.dumps(waits).decode()]},
            events=[event],
        )

    def _step(self, turn: Turn, *, event: dict[str, Any] | None = None, **patch: Any) -> _Done:
        asked_at = self._clock()
        answer: list[Any] = self._write(self._record, turn, events=[event] if event else [], **patch)
        done = _Done(asked_at, *answer)
        if done.code == LOST:
            _check_left(turn, done.left_ms, math.inf)
        return done

    def _end(self, turn: Turn, **patch: Any) -> bool:
        done = int(self._write(self._release, turn, **patch))
        if done == LOST:
            raise Fenced(f"the lease of {turn.lane} was lost")
        return done == WRITTEN

    def _write(self, run: Any, turn: Turn, *, events: list[dict[str, Any]], **patch: Any) -> Any:
        patch = {name: value for name, value in patch.items() if value or name in {"wait_ms", "claimed", "seen"}}
        patch["ledger"] = {part: orjson.dumps(entry).decode() for part, entry in patch.get("ledger", {}).items()}
        told = [orjson.dumps(event).decode() for event in events]
        document = orjson.dumps({**patch, "turn": turn.id, "nonce": uuid4().hex, "events": told})
        with reaching(f"write a step of {turn.lane}"):
            return run(args=[str(turn.lane), turn.token, document, self._retention_ms, REFUSED_LOGINS_UNTIL_HOLD])


@dataclass(frozen=True, slots=True)
class _Done:
    """What `record.lua` answers, as far as it does, and when it was asked."""

    asked_at: float
    code: int
    left_ms: int = -1
    admitted: Admission = "open"
    situation: Sequence[Any] = ()
    ledger: list[Any] = field(default_factory=list)


def _check_left(turn: Turn, left_ms: int, seconds: float) -> None:
    if left_ms < seconds * 1000:
        raise Fenced(f"the lease of {turn.lane} was lost, or is too short for a post ({left_ms} ms left)")
