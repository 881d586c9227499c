"""The overview's numbers add up: in any sequence of events, arrived messages are ended ones plus those in work."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bridge.model import Again, ContactId, Dead, Ended, Lane, MessageId, Reason, Status
from bridge.operating import overview
from bridge.operating.operation import Nothing
from bridge.store.operators.erasures import Erasures
from bridge.store.operators.interventions import Interventions
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.stored import FERNET_KEY, HERE, RETENTION_MS, accept, claim, dead_letters_of, keep, lanes_of, message

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from bridge.model import InboundMessage
    from bridge.operating.operation import Operations

STEPS = 250
CONTACTS = [f"c{number}" for number in range(6)]
ENDS = [
    (Status.REPLIED, None),
    (Status.DELIVERED_BY_PROVIDER, None),
    (Status.NO_REPLY, Reason.EMPTY),
    (Status.SKIPPED, Reason.DND),
    (Status.SKIPPED, Reason.HUMAN_TAKEOVER),
]
WORK = {Status.WAITING, Status.ANSWERING, Status.RETRYING}


class Desk:
    """Contacts, workers and operators with random actions."""

    def __init__(self, redis: Redis, seed: int) -> None:
        self._redis = redis
        self._random = random.Random(seed)
        self._lanes = lanes_of(redis)
        self._written: list[InboundMessage] = []

    def step(self) -> None:
        """Do one random action."""
        steps: list[Callable[[], object]] = [
            self.write,
            self.write,
            self.work,
            self.work,
            self.decide,
            self.intervene,
            self.erase,
        ]
        self._random.choices(steps, [4, 4, 5, 5, 2, 2, 0.2])[0]()

    def write(self) -> None:
        """Let a contact write, repeat itself, or send a stop word."""
        if self._written and self._random.random() < 0.1:
            accept(self._redis, self._random.choice(self._written))
            return
        text = self._random.choice(["hello"] * 9 + ["STOP", "START"])
        contact = self._random.choice(CONTACTS)
        one = message(f"m{len(self._written)}", contact, text=text, date_added_ms=now_ms(self._redis))
        self._written.append(one)
        accept(self._redis, one)

    def work(self) -> None:
        """Let a worker take a lane, and end its turn in some way."""
        claim(self._lanes)
        for contact in self._random.sample(CONTACTS, len(CONTACTS)):
            turn = self._lanes.lease(Lane(HERE, ContactId(contact)))
            if turn:
                break
        else:
            return
        ids = [one.id for one in turn.messages]
        status, reason = self._random.choice(ENDS)
        match self._random.randrange(4):
            case 0:
                self._lanes.again(turn, ids, Again(wait=0, why="HTTP 500"))
            case 1:
                self._lanes.write_dead_letter(turn, ids, Dead(error="HTTP 422"), answer=None, at_ms=1)
            case 2:
                # A part of them ends alone, as one that is too old does.
                self._lanes.skip(turn, Ended(status=Status.SKIPPED, message_ids=(ids[0],), reason=Reason.TOO_OLD))
                self._lanes.end(turn, Ended(status=status, message_ids=tuple(ids[1:]), reason=reason))
            case _:
                self._lanes.end(turn, Ended(status=status, message_ids=tuple(ids), reason=reason))

    def decide(self) -> None:
        """Let an operator replay or drop a dead letter."""
        open_ = [one.id for one in dead_letters_of(self._redis).all()]
        if not open_:
            return
        if self._random.random() < 0.6:
            dead_letters_of(self._redis).replay(self._random.choice(open_), force=True)
        else:
            dead_letters_of(self._redis).drop([self._random.choice(open_)])

    def intervene(self) -> None:
        """Let an operator have a skipped message answered."""
        if self._written:
            Interventions(self._redis, retention_ms=RETENTION_MS).answer(self._random.choice(self._written))

    def erase(self) -> None:
        """Erase a contact."""
        erasures = Erasures(self._redis, fernet_keys=[FERNET_KEY], retention_ms=RETENTION_MS)
        erasures.erase(Lane(HERE, ContactId(self._random.choice(CONTACTS))))


def in_work(redis: Redis) -> int:
    """The number of messages without an end, by their own records."""
    statuses = Counter(str(redis.hget(name, "status")) for name in redis.scan_iter("*}:message:*"))
    return sum(statuses[status] for status in WORK)


@pytest.mark.parametrize("seed", range(6))
def test_received_is_what_ended_and_what_is_in_work(redis: Redis, perform: Operations, seed: int) -> None:
    """It holds by day, hour and minute after any run of webhooks, turns, replays, drops, interventions and erasures."""
    keep(redis, most=0.0)
    desk = Desk(redis, seed)
    for _ in range(STEPS):
        desk.step()
    seen = perform(overview.overview, Nothing())
    for one in (seen.day, *seen.hours, *seen.minutes):
        ended = one.replied + one.delivered_by_provider + one.no_reply + one.skipped + one.dead
        assert one.received == ended + one.in_work
    assert seen.day.in_work == in_work(redis)
    assert sum(each.received for each in seen.minutes) == sum(each.received for each in seen.hours) == seen.day.received > 0
    assert seen.day.skipped == sum(seen.skipped_by_reason.values())


def test_a_replay_moves_its_messages_from_dead_to_in_work(redis: Redis, perform: Operations) -> None:
    """They arrived once, so nothing is counted twice."""
    keep(redis)
    accept(redis, message("m1", date_added_ms=now_ms(redis)))
    lanes = lanes_of(redis)
    (lane,) = claim(lanes)
    turn = lanes.lease(lane)
    assert turn
    lanes.write_dead_letter(turn, [MessageId("m1")], Dead(error="HTTP 422"), answer=None, at_ms=1)
    before = perform(overview.overview, Nothing()).day
    assert (before.received, before.dead, before.in_work) == (1, 1, 0)
    dead_letters_of(redis).replay(turn.id, force=False)
    after = perform(overview.overview, Nothing()).day
    assert (after.received, after.dead, after.in_work) == (1, 0, 1)


def test_what_an_older_version_counted_adds_up_too(redis: Redis, perform: Operations) -> None:
    """An older version counted ends, and of arrivals only those that waited; the sum is shown and never negative."""
    keep(redis)
    hour = now_ms(redis) // 3_600_000
    redis.hset(key("chart", "hour", str(hour)), mapping={"accepted": 2, "replied": 3, "skipped|stop_word": 4, "dead": -1})
    day = perform(overview.overview, Nothing()).day
    assert (day.received, day.replied, day.skipped, day.dead, day.in_work) == (7, 3, 4, 0, 0)


def test_what_is_erased_before_its_end_has_not_come(redis: Redis, perform: Operations) -> None:
    """This holds for a message that waits, and for one of a dead letter in replay."""
    keep(redis)
    accept(redis, message("m1", date_added_ms=now_ms(redis)))
    lanes = lanes_of(redis)
    (lane,) = claim(lanes)
    turn = lanes.lease(lane)
    assert turn
    lanes.write_dead_letter(turn, [MessageId("m1")], Dead(error="HTTP 422"), answer=None, at_ms=1)
    dead_letters_of(redis).replay(turn.id, force=False)
    accept(redis, message("m2", date_added_ms=now_ms(redis)))
    assert perform(overview.overview, Nothing()).day.in_work == 2
    Erasures(redis, fernet_keys=[FERNET_KEY], retention_ms=RETENTION_MS).erase(lane)
    day = perform(overview.overview, Nothing()).day
    assert (day.received, day.in_work) == (0, 0)
