"""The lane scripts against a model: whatever happens in whatever order, no message is lost and no lane has two holders."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bridge.errors import Fenced
from bridge.model import Again, Completion, ContactId, Dead, Ended, Lane, LocationId, MessageId, Reason, Status
from bridge.store.connection import key, now_ms
from tests.stored import accept, keep, lanes_of, message, pass_time, snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from bridge.model import Turn

LEASE = 20.0
# Real time passes too while the machine runs; so much of it is forgiven.
SLACK = 5.0
LANES = [Lane(LocationId(location), ContactId(contact)) for location in ("here", "there") for contact in ("a", "b")]
WORKERS = {"w1": 1, "w2": 2}


class LaneMachine(RuleBasedStateMachine):
    """`waiting` is what the model holds to wait in each lane, `holder` whose token counts, `claimed` what may be leased.

    A worker's death needs no rule: it is a turn to which nothing happens any more.
    """

    redis: ClassVar[Redis]

    def __init__(self) -> None:
        super().__init__()
        self.redis.flushdb()
        keep(self.redis, "here", "there", debounce=10, most=30)
        self.lanes = lanes_of(self.redis, lease=LEASE)
        self.waiting: dict[Lane, list[MessageId]] = defaultdict(list)
        self.ended: dict[MessageId, tuple[Lane, Status]] = {}
        self.turns: list[Turn] = []
        self.holder: dict[Lane, Turn] = {}
        self.clock = 0.0
        self.lease_ends: dict[Lane, float] = {}

    # What may happen

    @rule(lane=st.sampled_from(LANES))
    def accept(self, lane: Lane) -> None:
        id_ = MessageId(f"m{len(self.ended) + sum(map(len, self.waiting.values()))}")
        assert accept(self.redis, message(id_, lane.contact_id, lane.location_id)) == ["accepted"]
        self.waiting[lane].append(id_)

    @precondition(lambda self: self.ended or any(self.waiting.values()))
    @rule(data=st.data())
    def accept_again(self, data: st.DataObject) -> None:
        waiting = [(id_, lane) for lane, ids in self.waiting.items() for id_ in ids]
        id_, lane = data.draw(st.sampled_from(waiting + [(id_, lane) for id_, (lane, _) in self.ended.items()]))
        before = snapshot(self.redis)
        assert accept(self.redis, message(id_, lane.contact_id, lane.location_id)) == ["duplicate"]
        assert snapshot(self.redis) == before

    @rule(seconds=st.sampled_from([1.0, 10.0, LEASE + 1, 200.0]))
    def pass_time(self, seconds: float) -> None:
        pass_time(self.redis, seconds)
        self.clock += seconds

    @rule(worker=st.sampled_from(sorted(WORKERS)), then_lease=st.booleans())
    def claim(self, worker: str, *, then_lease: bool) -> None:
        granted = self.lanes.claim(worker, slots=WORKERS[worker], alive_seconds=60, most=10).lanes
        assert len(granted) <= sum(WORKERS.values())
        assert self.redis.zcard(key("inflight")) <= max(sum(WORKERS.values()), len(self.holder))
        assert len(set(granted)) == len(granted)
        for lane in granted:
            assert not self._surely_held(lane)
            if then_lease:
                self.lease(lane)

    @rule(lane=st.sampled_from(LANES))
    def lease(self, lane: Lane) -> None:
        held = self._surely_held(lane)
        turn = self.lanes.lease(lane)
        if turn is None:
            # A lapsed holder that had ended every message: its lane is empty, and closed now.
            if not held and not self.waiting[lane] and not self.redis.exists(key("lane", str(lane))):
                self.holder.pop(lane, None)
            return
        assert not held
        assert [one.id for one in turn.messages] == self.waiting[lane]
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
        completion = Completion(text="yes")
        self._write(turn, lambda: self.lanes.answered(turn, ids, completion, at_ms=1, seconds=0.1))

    @precondition(lambda self: self.turns)
    @rule(data=st.data())
    def skip_one(self, data: st.DataObject) -> None:
        turn = self._some_turn(data)
        id_ = data.draw(st.sampled_from([one.id for one in turn.messages]))
        ended = Ended(status=Status.SKIPPED, message_ids=(id_,), reason=Reason.BLANK)
        if self._write(turn, lambda: self.lanes.skip(turn, ended)):
            self._end(turn, [id_], Status.SKIPPED)

    @precondition(lambda self: self.turns)
    @rule(data=st.data(), how=st.sampled_from(["end", "let_go", "again", "bury"]))
    def release(self, data: st.DataObject, how: str) -> None:
        turn = self._some_turn(data)
        ids = [one.id for one in turn.messages if one.id in self.waiting[turn.lane]]
        if not ids:
            how = "let_go"
        acts: dict[str, Callable[[], None]] = {
            "end": lambda: self.lanes.end(turn, Ended(status=Status.REPLIED, message_ids=tuple(ids))),
            "let_go": lambda: self.lanes.let_go(turn),
            "again": lambda: self.lanes.again(turn, ids, Again(wait=15, why="busy")),
            "bury": lambda: self.lanes.bury(turn, ids, Dead(error="no"), at_ms=1),
        }
        if self._write(turn, acts[how], released=True):
            del self.holder[turn.lane]
            if how in {"end", "bury"}:
                self._end(turn, ids, Status.REPLIED if how == "end" else Status.DEAD)

    # What always holds

    @invariant()
    def nothing_is_lost(self) -> None:
        """An accepted message waits in its lane, in order, or has ended; and what waits is scheduled."""
        for lane in LANES:
            assert self.redis.lrange(key("waiting", str(lane)), 0, -1) == self.waiting[lane]
            due = self.redis.zscore(key("due", lane.location_id), lane.contact_id)
            if self.waiting[lane]:
                assert due is not None
                place = self.redis.zscore(key("due"), lane.location_id)
                assert place is not None
                assert place <= max(due, now_ms(self.redis))
                assert all(self.redis.pttl(key("message", lane.location_id, id_)) == -1 for id_ in self.waiting[lane])
            elif lane not in self.holder:
                assert due is None

    @invariant()
    def what_ended_stays_ended(self) -> None:
        """An ended message has the status that it ended with, and expires."""
        for id_, (lane, status) in self.ended.items():
            assert self.redis.hget(key("message", lane.location_id, id_), "status") == status
            assert self.redis.pttl(key("message", lane.location_id, id_)) > 0

    def teardown(self) -> None:
        """With workers that live, everything that waits is answered in the end."""
        for _ in range(30):
            pass_time(self.redis, 100)
            self.clock += 100
            for lane in self.lanes.claim("last", slots=4, alive_seconds=60, most=4).lanes:
                turn = self.lanes.lease(lane)
                if turn:
                    self.holder[lane] = turn
                    ids = tuple(one.id for one in turn.messages)
                    self.lanes.end(turn, Ended(status=Status.REPLIED, message_ids=ids))
                    self._end(turn, list(ids), Status.REPLIED)
                self.holder.pop(lane, None)
        assert not any(self.waiting.values())
        assert not self.redis.exists(key("due"), key("inflight"))

    # The model's own

    def _some_turn(self, data: st.DataObject) -> Turn:
        """Any turn there ever was: holders that were slow, dead or replaced try to write too."""
        return data.draw(st.sampled_from(self.turns[-6:]))

    def _holds(self, turn: Turn) -> bool:
        holder = self.holder.get(turn.lane)
        return holder is not None and holder.token == turn.token

    def _surely_held(self, lane: Lane) -> bool:
        return lane in self.holder and self.clock + SLACK < self.lease_ends[lane]

    def _write(self, turn: Turn, act: Callable[[], None], *, released: bool = False) -> bool:
        """Whether the write took effect: exactly when its turn holds the lane."""
        if self._holds(turn):
            act()
            return True
        before: dict[str, Any] = snapshot(self.redis)
        try:
            act()
        except Fenced:
            pass
        else:
            assert released, "a stale token wrote"
        assert snapshot(self.redis) == before
        return False

    def _end(self, turn: Turn, ids: list[MessageId], status: Status) -> None:
        for id_ in ids:
            if id_ in self.waiting[turn.lane]:
                self.waiting[turn.lane].remove(id_)
            self.ended[id_] = turn.lane, status


@pytest.mark.timeout(300)
def test_no_order_of_events_loses_a_message_or_doubles_a_holder(redis: Redis) -> None:
    """However accepting, claiming, leasing, writing, dying and time interleave, the lanes do what their model does."""
    LaneMachine.redis = redis
    run_state_machine_as_test(
        LaneMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
