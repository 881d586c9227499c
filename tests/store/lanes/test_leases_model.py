"""The lane scripts against a model: in any order of events no message is lost, and no lane has two holders."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bridge.errors import Fenced
from bridge.model import Again, Completion, ContactId, Dead, Ended, Lane, LocationId, MessageId, Reason, Status, Turn
from bridge.policy.transcript import choose
from bridge.store.lanes.leases import REFUSED_LOGINS_UNTIL_HOLD
from bridge.store.limits.circuits import FAULTS_UNTIL_OPEN, Circuits
from bridge.store.redis.connection import now_ms
from bridge.store.redis.partitions import keys
from tests.keys import beside, key
from tests.stored import (
    LANE,
    NOTHING_KNOWN,
    accept,
    dead_letters_of,
    keep,
    lanes_of,
    locations_of,
    message,
    pass_outage,
    pass_time,
    snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

LEASE = 20.0
# Real time passes too while the machine runs; so much of it is forgiven.
SLACK = 5.0
# Of the partition of `here`, which is the one that is looked into.
THERE, ELSEWHERE = beside("here", 2)
LANES = [Lane(LocationId(location), ContactId(contact)) for location in ("here", THERE) for contact in ("a", "b")]
WORKERS = {"w1": 1, "w2": 2}
# Each keeps one more in reserve.
SLOTS = sum(WORKERS.values()) + len(WORKERS)
ANSWER = Completion(text="yes")
HOW = ("end", "let_go", "again", "stale", "park", "park", "bury", "refuse", "refuse", "refuse")
LINES = ("TYPE_SMS", "TYPE_WHATSAPP")
CIRCUIT = "agencii-1"
LEADERS = tuple(keys("leader"))


@dataclass(slots=True)
class Letter:
    """A dead letter in the model."""

    lane: Lane
    ids: list[MessageId]
    is_open: bool = True


class LaneMachine(RuleBasedStateMachine):
    """`waiting` has the waiting messages of each lane in the model, `holder` the valid token.

    `letters` are all dead letters there ever were, `replays` those that wait to be replayed, `replaying` what is left of the one
    whose turn it is, `carried` the messages whose texts wait for a later turn, `begun` the lanes with an unfinished turn.
    A worker's death needs no rule: it is a turn to which nothing happens any more.
    """

    redis: ClassVar[Redis]

    def __init__(self) -> None:
        super().__init__()
        self.redis.flushdb()
        keep(self.redis, "here", THERE, debounce=10, most=30)
        self.lanes = lanes_of(self.redis, lease=LEASE)
        self.circuits = Circuits(self.redis, every=10)
        self.locations = locations_of(self.redis)
        self.dead_letters = dead_letters_of(self.redis)
        self.home: dict[MessageId, tuple[Lane, str]] = {}
        self.waiting: dict[Lane, list[MessageId]] = defaultdict(list)
        self.ended: dict[MessageId, tuple[Lane, Status]] = {}
        self.carried: dict[Lane, list[MessageId]] = defaultdict(list)
        self.letters: dict[str, Letter] = {}
        self.replays: dict[Lane, list[str]] = defaultdict(list)
        self.replaying: dict[Lane, list[MessageId]] = {}
        self.begun: set[Lane] = set()
        self.refusals: dict[LocationId, list[str]] = defaultdict(list)
        self.holds: set[LocationId] = set()
        self.turns: list[Turn] = []
        self.holder: dict[Lane, Turn] = {}
        self.clock = 0.0
        self.lease_ends: dict[Lane, float] = {}

    # What may happen

    @rule(lane=st.sampled_from(LANES), line=st.sampled_from(LINES))
    def accept(self, lane: Lane, line: str) -> None:
        id_ = MessageId(f"m{len(self.home)}")
        one = message(id_, lane.contact_id, lane.location_id, message_type_string=line)
        assert accept(self.redis, one) == ["accepted"]
        self.home[id_] = lane, line
        self.waiting[lane].append(id_)
        for dead_letter in self.letters.values():
            if dead_letter.is_open and self.home[dead_letter.ids[0]] == (lane, line):
                dead_letter.is_open = False
                self.carried[lane] += dead_letter.ids

    @rule(line=st.sampled_from(LINES))
    def accept_everywhere(self, line: str) -> None:
        for lane in LANES:
            self.accept(lane, line)

    @precondition(lambda self: self.home)
    @rule(data=st.data())
    def accept_again(self, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.home)))
        lane, line = self.home[id_]
        # Which dispatcher leads expires within seconds of the real clock, whatever is done.
        before = snapshot(self.redis, without=LEADERS)
        one = message(id_, lane.contact_id, lane.location_id, message_type_string=line)
        assert accept(self.redis, one) == ["duplicate"]
        assert snapshot(self.redis, without=LEADERS) == before

    @rule(seconds=st.sampled_from([1.0, 10.0, LEASE + 1, 200.0]), outage=st.booleans())
    def pass_time(self, seconds: float, *, outage: bool) -> None:
        (pass_outage if outage else pass_time)(self.redis, seconds)
        self.clock += seconds

    @rule(worker=st.sampled_from(sorted(WORKERS)), then=st.sampled_from(["lease", "lease", "nothing", "unclaim"]))
    def claim(self, worker: str, then: str) -> None:
        granted = self.lanes.claim(worker, slots=WORKERS[worker], alive_seconds=60, most=10).lanes
        assert len(granted) <= SLOTS
        assert self.redis.zcard(key("inflight")) <= max(SLOTS, len(self.holder))
        assert len(set(granted)) == len(granted)
        for lane in sorted(granted, key=str):
            assert not self._surely_held(lane)
            assert lane.location_id not in self.holds
            if then == "lease":
                self.lease(lane)
        if then == "unclaim":
            self.lanes.unclaim(granted, pause=1)

    @rule(lane=st.sampled_from(LANES))
    def lease(self, lane: Lane) -> None:
        held = self._surely_held(lane)
        claimed = self.redis.zscore(key("inflight"), str(lane)) is not None
        turn = self.lanes.lease(lane)
        if turn is None:
            must = claimed and lane not in self.holder and self._has_work(lane)
            assert not must, "a claimed lane that nobody holds was not leased"
            # A lapsed holder that had ended every message: its turn is closed now.
            if claimed and not held and not self.redis.exists(key("lane", str(lane))):
                self._close(lane)
            return
        assert claimed
        assert not held
        if lane not in self.begun and self.replays[lane]:
            self.replaying[lane] = list(self.letters[self.replays[lane].pop(0)].ids)
        self.begun.add(lane)
        assert turn.replayed == (lane in self.replaying)
        assert [one.id for one in turn.messages] == self.replaying.get(lane, self.waiting[lane])
        given = [one.id for one in turn.carried]
        assert given == self.carried[lane] or (turn.replayed and turn.answer and not given)
        self.turns.append(turn)
        self.holder[lane] = turn
        self.lease_ends[lane] = self.clock + LEASE

    @precondition(lambda self: self.turns)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        turn = self._some_turn(data)
        lost = self.lanes.renew([turn])
        assert lost == (() if self._holds(turn) else (turn.lane,))
        if not lost:
            self.lease_ends[turn.lane] = self.clock + LEASE

    @precondition(lambda self: self.turns)
    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        turn = self._some_turn(data)
        ids = [one.id for one in turn.messages]
        done = self._write(turn, lambda: self.lanes.answered(turn, ids, ANSWER, at_ms=1, seconds=0.1))
        if done and turn.lane.location_id not in self.holds:
            self.refusals[turn.lane.location_id].clear()

    @precondition(lambda self: self.turns)
    @rule(data=st.data())
    def skip_one(self, data: st.DataObject) -> None:
        turn = self._some_turn(data)
        left = self._left(turn) if self._holds(turn) else [one.id for one in turn.messages]
        if not left:
            return
        id_ = data.draw(st.sampled_from(left))
        ended = Ended(status=Status.SKIPPED, message_ids=(id_,), reason=Reason.BLANK)
        if self._write(turn, lambda: self.lanes.skip(turn, ended)):
            self._end(turn, [id_], Status.SKIPPED)

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), how=st.sampled_from(HOW))
    def release(self, data: st.DataObject, how: str) -> None:
        self._release(self._some_turn(data), how)

    @rule(how=st.sampled_from(HOW), renewed=st.booleans())
    def work(self, how: str, *, renewed: bool) -> None:
        """All due work is done and ends in one way."""
        self.pass_time(200.0, outage=False)
        before = len(self.turns)
        self.claim("w2", "lease")
        for turn in self.turns[before:]:
            if renewed:
                self.lanes.renew([turn])
            self._release(turn, how)

    def _release(self, turn: Turn, how: str) -> None:
        ids = self._left(turn)
        if not ids:
            how = "let_go"
        elif how == "let_go" and turn.replayed:
            # Only a turn whose messages have all ended is let go; those of a replay wait nowhere else.
            how = "end"
        dead = Dead(error="no", refused="provider" if how == "refuse" else "")
        acts: dict[str, Callable[[], object]] = {
            "end": lambda: self.lanes.end(turn, Ended(status=Status.REPLIED, message_ids=tuple(ids))),
            "let_go": lambda: self.lanes.let_go(turn),
            "again": lambda: self.lanes.again(turn, ids, Again(wait=15, why="busy")),
            "stale": lambda: self.lanes.again(turn, ids, Again(wait=0, why="stale", counts=False, stale=True)),
            "park": lambda: self.lanes.again(turn, ids, Again(wait=600, why="down", counts=False, circuits=(CIRCUIT,))),
            "bury": lambda: self.lanes.write_dead_letter(turn, ids, dead, answer=turn.answer, at_ms=1),
            "refuse": lambda: self.lanes.write_dead_letter(turn, ids, dead, answer=turn.answer, at_ms=1),
        }
        if not self._write(turn, acts[how], released=True):
            return
        del self.holder[turn.lane]
        waits = how == "refuse" and turn.lane.location_id in self.holds
        if how in {"bury", "refuse"} and not waits:
            self._bury(turn, ids, refused=how == "refuse")
        if how == "end":
            self._end(turn, ids, Status.REPLIED)
        if how in {"end", "let_go"}:
            self._end_carried(turn, ids if how == "end" else [one.id for one in turn.messages[:1]])
        if how not in {"again", "stale", "park"} and not waits:
            self.begun.discard(turn.lane)
            self.replaying.pop(turn.lane, None)

    @rule(down=st.booleans())
    def change_provider(self, *, down: bool) -> None:
        if not down:
            self.circuits.passed(CIRCUIT, LANE)
        for number in range(FAULTS_UNTIL_OPEN * down):
            lane = Lane(LocationId(ELSEWHERE), ContactId(f"c{number}"))
            turn = Turn(lane=lane, id="x", token=f"t{number}", leased_at_ms=1, leased_at=1, situation=NOTHING_KNOWN, messages=())
            self.circuits.fault(CIRCUIT, turn, name="agencii", asked_at_ms=now_ms(self.redis))

    @precondition(lambda self: self.turns)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        turn = self._some_turn(data)
        before = snapshot(self.redis, without=LEADERS)
        assert self.lanes.give_back(turn) is self._holds(turn)
        if not self._holds(turn):
            assert snapshot(self.redis, without=LEADERS) == before
            return
        del self.holder[turn.lane]
        if turn.lane not in self.replaying and not self.waiting[turn.lane]:
            self._close(turn.lane)

    @precondition(lambda self: self.letters)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(list(self.letters)))
        was_open = self.letters[id_].is_open
        assert self.dead_letters.replay(id_, force=True) == ("replayed" if was_open else "closed")
        if was_open:
            self._replay(id_)

    @precondition(lambda self: self.letters)
    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(list(self.letters)))
        dead_letter = self.letters[id_]
        assert self.dead_letters.drop([id_]) == ["dropped" if dead_letter.is_open else "closed"]
        if dead_letter.is_open:
            dead_letter.is_open = False
            self.ended |= dict.fromkeys(dead_letter.ids, (dead_letter.lane, Status.SKIPPED))

    @rule(location=st.sampled_from(sorted({lane.location_id for lane in LANES})))
    def lift_hold(self, location: LocationId) -> None:
        expected = None
        if location in self.holds:
            self.holds.discard(location)
            again = [id_ for id_ in dict.fromkeys(self.refusals.pop(location, [])) if self.letters[id_].is_open]
            expected = len(again)
            for id_ in again:
                self._replay(id_)
        assert self.locations.lift_hold(location, why="test") == expected

    # What always holds

    @invariant()
    def every_message_is_in_one_place(self) -> None:
        """It waits, is replayed, is in an open dead letter, is carried for a later turn, or has ended."""
        places = [id_ for ids in self.waiting.values() for id_ in ids]
        places += [id_ for ids in self.replaying.values() for id_ in ids]
        places += [id_ for ids in self.replays.values() for dead_letter in ids for id_ in self.letters[dead_letter].ids]
        places += [id_ for dead_letter in self.letters.values() if dead_letter.is_open for id_ in dead_letter.ids]
        places += [id_ for ids in self.carried.values() for id_ in ids]
        places += list(self.ended)
        assert sorted(places) == sorted(self.home)

    @invariant()
    def nothing_is_lost(self) -> None:
        """What waits, or is to be replayed, is in its lane, in order, scheduled, and doesn't expire."""
        for lane in LANES:
            assert self.redis.lrange(key("waiting", str(lane)), 0, -1) == self.waiting[lane]
            assert self.redis.lrange(key("replays", str(lane)), 0, -1) == self.replays[lane]
            due = self.redis.zscore(key("due", lane.location_id), lane.contact_id)
            if self._has_work(lane):
                assert due is not None
                self._stands_in_the_queue(lane, due)
            elif lane not in self.holder:
                assert due is None
            unfinished = [*self.waiting[lane], *self.replaying.get(lane, [])]
            unfinished += [id_ for dead_letter in self.replays[lane] for id_ in self.letters[dead_letter].ids]
            for id_ in unfinished:
                record = key("message", lane.location_id, id_)
                assert self.redis.hget(record, "status") in {"waiting", "answering", "retrying"}
                assert self.redis.pttl(record) == -1

    @invariant()
    def dead_letters_are_open_or_closed(self) -> None:
        """Open ones are listed, and their messages are dead; carried ones were superseded and still have their texts."""
        assert set(self.redis.zrange(key("dead"), 0, -1)) == {id_ for id_, one in self.letters.items() if one.is_open}
        for dead_letter in self.letters.values():
            for id_ in dead_letter.ids if dead_letter.is_open else ():
                assert self.redis.hget(key("message", dead_letter.lane.location_id, id_), "status") == "dead"
        for lane in LANES:
            assert self.redis.lrange(key("carried", str(lane)), 0, -1) == self.carried[lane]
            for id_ in self.carried[lane]:
                fields = self.redis.hgetall(key("message", lane.location_id, id_))
                assert (fields["status"], fields["reason"], bool(fields["body"])) == ("skipped", "superseded", True)

    @invariant()
    def what_ended_stays_ended(self) -> None:
        """An ended message keeps its status, and expires."""
        for id_, (lane, status) in self.ended.items():
            assert self.redis.hget(key("message", lane.location_id, id_), "status") == status
            assert self.redis.pttl(key("message", lane.location_id, id_)) > 0

    def teardown(self) -> None:
        """With live workers and active operators, everything is answered in the end."""
        for location in tuple(self.holds):
            self.lift_hold(location)
        for id_ in [id_ for id_, dead_letter in self.letters.items() if dead_letter.is_open]:
            assert self.dead_letters.replay(id_, force=True) == "replayed"
            self._replay(id_)
        for _ in range(40):
            pass_time(self.redis, 100)
            self.clock += 100
            for lane in self.lanes.claim("last", slots=4, alive_seconds=60, most=4).lanes:
                self.holder.pop(lane, None)
                self.lease(lane)
                if lane in self.holder:
                    self._finish(self.holder.pop(lane))
            if not self.redis.exists(key("due"), key("inflight")):
                break
        self.every_message_is_in_one_place()
        assert not any(self._has_work(lane) for lane in LANES)
        assert not self.redis.exists(key("due"), key("inflight"), key("dead"))

    # The model's own

    def _finish(self, turn: Turn) -> None:
        ids = self._left(turn)
        self.lanes.end(turn, Ended(status=Status.REPLIED, message_ids=tuple(ids)))
        self._end(turn, ids, Status.REPLIED)
        self._end_carried(turn, ids)
        self.begun.discard(turn.lane)
        self.replaying.pop(turn.lane, None)

    def _has_work(self, lane: Lane) -> bool:
        return bool(self.waiting[lane] or self.replays[lane] or self.replaying.get(lane))

    def _stands_in_the_queue(self, lane: Lane, due: float) -> None:
        place = self.redis.zscore(key("due"), lane.location_id)
        if lane.location_id in self.holds:
            assert place is None
        else:
            assert place is not None
            assert place <= max(due, now_ms(self.redis))

    def _some_turn(self, data: st.DataObject) -> Turn:
        """Any earlier or current turn: slow, dead or replaced holders try to write too."""
        return data.draw(st.sampled_from(self.turns[-6:]))

    def _left(self, turn: Turn) -> list[MessageId]:
        """The messages that the turn would answer now: of one line, and not ended."""
        unfinished = self.replaying.get(turn.lane, []) if turn.replayed else self.waiting[turn.lane]
        return [one.id for one in choose([one for one in turn.messages if one.id in unfinished])]

    def _holds(self, turn: Turn) -> bool:
        holder = self.holder.get(turn.lane)
        return holder is not None and holder.token == turn.token

    def _surely_held(self, lane: Lane) -> bool:
        return lane in self.holder and self.clock + SLACK < self.lease_ends[lane]

    def _write(self, turn: Turn, act: Callable[[], object], *, released: bool = False) -> bool:
        """Whether the write had an effect: exactly if its turn holds the lane."""
        if self._holds(turn):
            act()
            return True
        before: dict[str, Any] = snapshot(self.redis, without=LEADERS)
        try:
            act()
        except Fenced:
            pass
        else:
            assert released, "a stale token wrote"
        assert snapshot(self.redis, without=LEADERS) == before
        return False

    def _leave(self, turn: Turn, ids: list[MessageId]) -> None:
        place = self.replaying[turn.lane] if turn.replayed else self.waiting[turn.lane]
        for id_ in ids:
            place.remove(id_)

    def _end(self, turn: Turn, ids: list[MessageId], status: Status) -> None:
        self._leave(turn, ids)
        self.ended |= dict.fromkeys(ids, (turn.lane, status))

    def _bury(self, turn: Turn, ids: list[MessageId], *, refused: bool) -> None:
        self._leave(turn, ids)
        self.letters[turn.id] = Letter(turn.lane, ids)
        if refused:
            refusals = self.refusals[turn.lane.location_id]
            refusals.append(turn.id)
            if len(refusals) >= REFUSED_LOGINS_UNTIL_HOLD:
                self.holds.add(turn.lane.location_id)

    def _replay(self, id_: str) -> None:
        self.letters[id_].is_open = False
        self.replays[self.letters[id_].lane].append(id_)

    def _end_carried(self, turn: Turn, ids: list[MessageId]) -> None:
        """Carried messages end with the turn: superseded, and answered beside its own messages."""
        lines = {self.home[id_][1] for id_ in ids}
        for id_ in [one.id for one in turn.carried if self.home[one.id][1] in lines]:
            self.carried[turn.lane].remove(id_)
            self.ended[id_] = turn.lane, Status.SKIPPED

    def _close(self, lane: Lane) -> None:
        self.holder.pop(lane, None)
        self.begun.discard(lane)
        self.replaying.pop(lane, None)
        self.ended |= dict.fromkeys(self.carried.pop(lane, []), (lane, Status.SKIPPED))


@pytest.mark.timeout(300)
def test_no_order_of_events_loses_a_message_or_doubles_a_holder(redis: Redis) -> None:
    """For any order of accepts, claims, leases, writes, crashes, dead letters, replays and time, the lanes match the model."""
    LaneMachine.redis = redis
    run_state_machine_as_test(
        LaneMachine,
        settings=settings(
            max_examples=30,
            stateful_step_count=40,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
