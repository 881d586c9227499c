"""Lanes: what is due, who holds it, and every step of a turn, written only by the holder of the lease."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from bridge.errors import Fenced
from bridge.model import Dead, Lane, LedgerEntry, MessageId, SendState, Status, Turn
from bridge.store.connection import key, reaching, rows, script
from bridge.store.messages import decode, decode_answer, encode_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from redis import Redis

    from bridge.model import Again, Completion, Ended

MOST_MESSAGES_OF_A_TURN = 200
ASK = "ask"


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
        self._redis = redis
        self._claim = redis.register_script(script("claim"))
        self._lease = redis.register_script(script("lease"))
        self._renew = redis.register_script(script("renew"))
        self._fence = redis.register_script(script("fence"))
        self._record = redis.register_script(script("record"))
        self._release = redis.register_script(script("release"))
        self._clock = clock
        self._lease_ms = round(lease_seconds * 1000)
        self._retention_ms = retention_ms

    def claim(self, worker: str, *, slots: int, alive_seconds: float, most: int) -> Claim:
        """Take up to `most` due lanes, but no more than live workers have free slots, locations in turn."""
        with reaching("claim due lanes"):
            wait, *lanes = self._claim(args=[worker, slots, round(alive_seconds * 1000), self._lease_ms, most])
        return Claim(tuple(map(Lane.parse, lanes)), None if wait < 0 else wait / 1000)

    def lease(self, lane: Lane) -> Turn | None:
        """Take a claimed lane for one turn; None when it isn't claimed, is held by another, or has nothing waiting."""
        token = uuid4().hex
        began = self._clock()
        with reaching(f"lease {lane}"):
            answer = self._lease(args=[str(lane), token, self._lease_ms, uuid4().hex, MOST_MESSAGES_OF_A_TURN])
        return _turn(lane, token, began, answer) if answer else None

    def renew(self, held: Iterable[Turn]) -> tuple[Lane, ...]:
        """Extend leases; answers the lanes whose lease is lost."""
        pairs = [part for turn in held for part in (str(turn.lane), turn.token)]
        with reaching("renew leases"):
            return tuple(map(Lane.parse, self._renew(args=[self._lease_ms, *pairs])))

    def check(self, turn: Turn, *, seconds: float) -> None:
        """Raise Fenced unless the lease is still ours for at least `seconds`."""
        asked = self._clock()
        with reaching(f"check the lease of {turn.lane}"):
            left = self._fence(args=[str(turn.lane), turn.token])
        # The answer may have been long under way, and the lease ran down meanwhile.
        left -= round((self._clock() - asked) * 1000)
        if left < seconds * 1000:
            raise Fenced(f"the lease of {turn.lane} is lost or too short for a post ({left} ms left)")

    def settled(self, turn: Turn, ids: Sequence[MessageId]) -> frozenset[MessageId]:
        """Which of these messages of GHL are known already as a reply of ours, or as one that a provider delivered."""
        if not ids:
            return frozenset()
        with reaching(f"look up replies of {turn.lane}"):
            known = self._redis.mget([key("own", turn.lane.location_id, id_) for id_ in ids])
        return frozenset(id_ for id_, by in zip(ids, known, strict=True) if by)

    def asking(self, turn: Turn, ids: Sequence[MessageId], *, at_ms: int, may_deliver: bool) -> None:
        """Note that a provider is about to be asked; in the ledger too if it may deliver by itself."""
        entry = LedgerEntry(state=SendState.ASKING, at_ms=at_ms)
        self._note(
            turn,
            messages={id_: {"status": Status.ANSWERING} for id_ in ids},
            lane={"looks": 0},
            ledger={ASK: entry} if may_deliver else {},
            event={"step": "asking", "message_ids": ids, "attempt": turn.attempts + 1},
        )

    def answered(self, turn: Turn, ids: Sequence[MessageId], completion: Completion, *, at_ms: int, seconds: float) -> None:
        """Save a provider's answer, which took `seconds`, so that no crash buys it twice."""
        saved: dict[str, Any] = {"looks": 0, "answer": encode_answer(completion), "answered": orjson.dumps(ids).decode()}
        saved["answered_at"] = at_ms
        event = {
            "step": "answered",
            "characters": len(completion.text),
            "seconds": round(seconds, 3),
            "trace_id": completion.trace_id,
            "claimed_message_id": completion.claimed_message_id,
        }
        self._note(turn, lane=saved, claimed=bool(completion.claimed_message_id), event=event)

    def sending(self, turn: Turn, part: str, *, at_ms: int, channel: str) -> None:
        """Note that a part is about to be posted."""
        entry = LedgerEntry(state=SendState.SENDING, at_ms=at_ms)
        event = {"step": "sending", "part": part, "type": channel}
        self._note(turn, lane={"looks": 0}, ledger={part: entry}, event=event)

    def not_sent(self, turn: Turn, part: str, *, at_ms: int) -> None:
        """Note that a part is proven not to be in GHL."""
        entry = LedgerEntry(state=SendState.NOT_SENT, at_ms=at_ms)
        self._note(turn, ledger={part: entry}, event={"step": "not_sent", "part": part})

    def sent(self, turn: Turn, part: str, ids: Sequence[MessageId], *, at_ms: int, how: str) -> None:
        """Note that a part is in GHL, under ids that are our own from now on."""
        entry = LedgerEntry(state=SendState.SENT, at_ms=at_ms, message_ids=tuple(ids))
        self._note(turn, ledger={part: entry}, own=list(ids), event={"step": "sent", "part": part, "reply_ids": ids, "how": how})

    def skip(self, turn: Turn, ended: Ended) -> None:
        """Write down what became of some of the messages; the lane stays leased for the others."""
        self._note(turn, messages={id_: _fields(ended) for id_ in ended.message_ids}, done=ended.message_ids, event=_event(ended))

    def end(self, turn: Turn, ended: Ended) -> None:
        """Write down what became of the messages and give the lane back."""
        messages = {id_: _fields(ended) for id_ in ended.message_ids}
        own = list(ended.reply_message_ids)
        self._give_back(turn, messages=messages, done=ended.message_ids, own=own, events=[_event(ended)])

    def let_go(self, turn: Turn) -> None:
        """Give the lane back when every message of the turn has been skipped."""
        self._give_back(turn, events=[])

    def again(self, turn: Turn, ids: Sequence[MessageId], again: Again) -> None:
        """Give the lane back, due again after `again.wait` seconds; messages that join don't move that moment."""
        attempts = turn.attempts + again.counts
        event = {"step": "retrying", "why": again.why, "wait_seconds": round(again.wait, 3), "failed_attempts": attempts}
        self._give_back(
            turn,
            messages={id_: {"status": Status.RETRYING} for id_ in ids},
            lane={"attempts": attempts, "looks": again.looks},
            wait_ms=round(again.wait * 1000),
            events=[event],
        )

    def bury(self, turn: Turn, ids: Sequence[MessageId], dead: Dead, *, at_ms: int) -> None:
        """Turn the messages into one dead letter and give the lane back."""
        attempts = turn.attempts + 1
        record = {
            "id": turn.id,
            "location_id": turn.lane.location_id,
            "contact_id": turn.lane.contact_id,
            "conversation_id": turn.messages[0].conversation_id,
            "message_ids": ids,
            "channel": turn.messages[0].message_type,
            "error": dead.error,
            "attempts": attempts,
            "failed_at": at_ms,
        }
        self._give_back(
            turn,
            messages={id_: {"status": Status.DEAD, "error": dead.error} for id_ in ids},
            done=list(ids),
            dead={"id": turn.id, "record": orjson.dumps(record).decode()},
            events=[{"step": "dead", "error": dead.error, "attempts": attempts, "dead_letter_id": turn.id}],
        )

    def _note(self, turn: Turn, *, event: dict[str, Any], **patch: Any) -> None:
        self._write(self._record, turn, events=[event], **patch)

    def _give_back(self, turn: Turn, **patch: Any) -> None:
        self._write(self._release, turn, **patch)

    def _write(self, run: Any, turn: Turn, *, events: list[dict[str, Any]], **patch: Any) -> None:
        patch = {name: value for name, value in patch.items() if value or name in {"wait_ms", "claimed"}}
        patch["ledger"] = {part: orjson.dumps(entry).decode() for part, entry in patch.get("ledger", {}).items()}
        told = [orjson.dumps(event).decode() for event in events]
        document = orjson.dumps({**patch, "turn": turn.id, "nonce": uuid4().hex, "events": told})
        with reaching(f"write a step of {turn.lane}"):
            held = run(args=[str(turn.lane), turn.token, document, self._retention_ms])
        if not held:
            raise Fenced(f"the lease of {turn.lane} was lost")


def _turn(lane: Lane, token: str, began: float, answer: Sequence[Any]) -> Turn:
    now, turn, attempts, unfinished, saved, answered, answered_at, looks, ledger, messages = answer
    return Turn(
        lane=lane,
        id=turn,
        token=token,
        leased_at_ms=now,
        leased_at=began,
        messages=tuple(decode(body) for body in messages[1::2] if body),
        attempts=attempts,
        unfinished=unfinished,
        looks=looks,
        answer=decode_answer(saved),
        answered=tuple(map(MessageId, orjson.loads(answered))),
        answered_at_ms=answered_at,
        ledger={part: _entry(text) for part, text in rows(ledger).items()},
    )


def _entry(text: str) -> LedgerEntry:
    fields = orjson.loads(text)
    return LedgerEntry(state=SendState(fields["state"]), at_ms=fields["at_ms"], message_ids=tuple(fields["message_ids"]))


def _fields(ended: Ended) -> dict[str, str]:
    replies = orjson.dumps(ended.reply_message_ids).decode()
    return {"status": ended.status, "reason": ended.reason or "", "facts": ended.facts, "replies": replies}


def _event(ended: Ended) -> dict[str, Any]:
    event: dict[str, Any] = {"step": ended.status, "message_ids": ended.message_ids}
    if ended.reason:
        event |= {"reason": ended.reason, "facts": ended.facts}
    if ended.reply_message_ids:
        event["reply_ids"] = ended.reply_message_ids
    return event
