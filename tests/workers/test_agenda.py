"""A dispatcher's agenda: when it claims in which partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model import Ended, Status
from bridge.store.lanes.schedule import PartitionClaim
from bridge.store.redis.partitions import PARTITIONS, partition_of
from tests.stored import HERE, accept, bell, claim, keep, lanes_of, message
from workers.agenda import ALL, STANDBY_SECONDS, Agenda

if TYPE_CHECKING:
    from redis import Redis

CALM, OTHERWISE = 6.0, 1.0


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def quiet(next_due: float | None = None, *, calm: bool = True, leads: bool = True) -> PartitionClaim:
    return PartitionClaim(next_due, calm=calm, leads=leads)


def looked(clock: Clock, **found: PartitionClaim) -> Agenda:
    """An agenda after a claim in all partitions; `found` has the results in some (`p3`), the others are empty."""
    agenda = Agenda(clock=clock)
    assert agenda.due() == ALL
    looks = {number: found.get(f"p{number}", quiet()) for number in range(PARTITIONS)}
    agenda.note(looks, calm=CALM, otherwise=OTHERWISE)
    return agenda


def test_at_rest_all_are_looked_at_once_in_a_while() -> None:
    """If nothing waits, this is only after the rest; and at once if a ring may have been lost."""
    clock = Clock()
    agenda = looked(clock)
    assert agenda.wait() == CALM
    agenda.ring(())
    assert agenda.wait() == CALM
    agenda.ring(None)
    assert (agenda.wait(), agenda.due()) == (0, ALL)


def test_a_ring_asks_for_its_partition_alone() -> None:
    """The other partitions rest for as long as before."""
    clock = Clock()
    agenda = looked(clock)
    clock.now += 2
    agenda.ring({3, 7})
    assert (agenda.wait(), agenda.due()) == (0, (3, 7))
    agenda.note({3: quiet(), 7: quiet()}, calm=CALM, otherwise=OTHERWISE)
    assert agenda.wait() == CALM - 2


def test_a_due_time_asks_for_its_partition() -> None:
    """At that time the leader claims, and a standby a moment later."""
    clock = Clock()
    agenda = looked(clock, p2=quiet(1.5), p5=quiet(1.5, leads=False))
    assert agenda.wait() == 1.5
    clock.now += 1.5
    assert agenda.due() == (2,)
    agenda.note({2: quiet()}, calm=CALM, otherwise=OTHERWISE)
    assert agenda.wait() == STANDBY_SECONDS
    clock.now += STANDBY_SECONDS
    assert agenda.due() == (5,)


def test_while_lanes_wait_for_slots_every_ring_asks_for_all() -> None:
    """A slot that becomes free in one partition may be for a lane of another; and all are checked each second."""
    clock = Clock()
    agenda = looked(clock, p2=quiet(calm=False))
    assert agenda.wait() == OTHERWISE
    agenda.ring({9})
    assert agenda.due() == ALL


def test_a_turn_that_ends_rings_for_a_lane_of_another_partition(redis: Redis) -> None:
    """Nothing is due in its own; but a claim found that a slot was missing."""
    keep(redis, HERE, "there", "other")
    assert len({partition_of(one) for one in (HERE, "there", "other")}) == 3
    lanes = lanes_of(redis)
    accept(redis, message("m1"))
    turn = lanes.lease(claim(lanes, slots=1)[0])
    assert turn
    # A second slot is kept in reserve.
    accept(redis, message("m2", location="there"))
    assert len(claim(lanes, slots=1)) == 1
    accept(redis, message("m3", location="other"))
    assert claim(lanes, slots=1) == ()
    with bell(redis) as rung:
        lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(turn.messages[0].id,)))
        assert rung() == 1
    assert [str(lane) for lane in claim(lanes, slots=1)] == ["other:contact"]
