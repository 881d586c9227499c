"""Counts: every outcome counts once, wherever it is written, and every process sees all of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import Fenced, Unavailable
from bridge.metrics import FAMILIES, GHL_REQUEST, REPLY, WEBHOOKS, Tally
from bridge.model import Again, ContactId, Dead, Ended, Lane, LocationId, MessageId, Reason, Status
from bridge.store.figures.charts import chart
from bridge.store.figures.counts import Counts
from bridge.store.figures.gauges import measure
from bridge.store.redis.connection import connect_without_retries, now_ms
from bridge.store.redis.lua import script
from bridge.store.redis.partition_calls import call_at_home
from bridge.store.redis.partitions import prefix_of
from tests.keys import key
from tests.stored import (
    HERE,
    LANE,
    RETENTION_MS,
    accept,
    accept_args,
    claim,
    dead_letters_of,
    keep,
    lanes_of,
    locations_of,
    message,
    pass_time,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from bridge.model import Turn
    from bridge.store.lanes.leases import Lanes

M1, M2 = MessageId("m1"), MessageId("m2")
REFUSED = Dead(error="no", refused="provider")


def counted(redis: Redis) -> dict[str, int]:
    """All counts except the times, which depend on the clock."""
    return {field: count for field, count in Counts(redis).totals().items() if not field.startswith("reply|")}


def ended(status: Status, reason: Reason | None = None) -> Callable[[Lanes, Turn], Any]:
    return lambda lanes, turn: lanes.end(turn, Ended(status=status, message_ids=(M1, M2), reason=reason))


ENDS: dict[str, tuple[Callable[[Lanes, Turn], Any], dict[str, int]]] = {
    "replied": (ended(Status.REPLIED), {"messages|replied|": 2, "tries|ended": 1}),
    "silent": (ended(Status.NO_REPLY, Reason.REFUSAL), {"messages|no_reply|refusal": 2, "tries|ended": 1}),
    "delivered": (ended(Status.DELIVERED_BY_PROVIDER), {"messages|delivered_by_provider|": 2, "tries|ended": 1}),
    "skipped": (ended(Status.SKIPPED, Reason.DND), {"messages|skipped|dnd": 2, "tries|ended": 1}),
    "failed": (lambda lanes, turn: lanes.again(turn, [M1, M2], Again(wait=1, why="busy")), {"tries|failed": 1}),
    "deferred": (
        lambda lanes, turn: lanes.again(turn, [M1, M2], Again(wait=1, why="closed", counts=False)),
        {"tries|deferred": 1},
    ),
    "buried": (
        lambda lanes, turn: lanes.write_dead_letter(turn, [M1, M2], Dead(error="no"), answer=None, at_ms=1),
        {"messages|dead|": 2, "tries|dead": 1, "dead_letters|buried": 1},
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_of_a_try_is_counted_once(redis: Redis, name: str) -> None:
    """Each message counts by status and reason, and so does the attempt; a repeated call counts nothing."""
    act, expected = ENDS[name]
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, message("m1"), message("m2"))
    turn = take(lanes)
    act(lanes, turn)
    assert counted(redis) == {"messages_accepted": 2, **expected}
    with pytest.raises(Fenced):
        lanes.skip(turn, Ended(status=Status.SKIPPED, message_ids=(M1,), reason=Reason.BLANK))
    assert counted(redis) == {"messages_accepted": 2, **expected}


def test_messages_are_counted_one_by_one(redis: Redis) -> None:
    """A turn may skip some of its messages and answer the others."""
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, message("m1"), message("m2"))
    turn = take(lanes)
    lanes.skip(turn, Ended(status=Status.SKIPPED, message_ids=(M2,), reason=Reason.BLANK))
    lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(M1,)))
    expected = {"messages|skipped|blank": 1, "messages|replied|": 1, "tries|ended": 1}
    assert counted(redis) == {"messages_accepted": 2, **expected}


def test_a_repeated_accept_counts_once(redis: Redis) -> None:
    """Neither a duplicate nor a repeated call counts again."""
    keep(redis)
    run = redis.register_script(script("accept"))
    for _ in range(2):
        assert run(keys=[prefix_of(HERE)], args=accept_args(message("m1"), nonce="one call")) == ["accepted"]
    assert accept(redis, message("m1")) == ["duplicate"]
    assert counted(redis) == {"messages_accepted": 1}


def test_what_becomes_of_dead_letters_is_counted(redis: Redis) -> None:
    """Each dead letter counts once as written, replayed, dropped or superseded, however often that is requested."""
    keep(redis, max_age_seconds=3600)
    lanes, letters = lanes_of(redis), dead_letters_of(redis)
    ids = []
    for number in range(3):
        contact = ContactId(f"c{number}")
        accept(redis, message(f"m{number}", contact))
        turn = take(lanes, Lane(HERE, contact))
        lanes.write_dead_letter(turn, [MessageId(f"m{number}")], Dead(error="no"), answer=None, at_ms=1)
        ids.append(turn.id)
    for _ in range(2):
        letters.replay(ids[0], force=False)
        letters.drop([ids[1]])
    accept(redis, message("next", "c2"))
    found = counted(redis)
    events = {field.partition("|")[2]: count for field, count in found.items() if field.startswith("dead_letters|")}
    assert events == {"buried": 3, "replayed": 1, "dropped": 1, "superseded": 1}
    assert (found["messages|skipped|dropped"], found["messages|skipped|superseded"]) == (1, 1)


def test_a_hold_is_no_death(redis: Redis) -> None:
    """A turn that a hold stops is not a dead letter; the dead letters that caused the hold are replayed at its end."""
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, *(message(f"m{number}", f"c{number}") for number in range(4)))
    turns = [turn for lane in claim(lanes) if (turn := lanes.lease(lane))]
    for turn in turns:
        lanes.write_dead_letter(turn, [one.id for one in turn.messages], REFUSED, answer=None, at_ms=1)
    assert (counted(redis)["tries|dead"], counted(redis)["tries|held"]) == (3, 1)
    now = measure(redis)
    assert (now.lanes, now.held, now.in_flight, now.on_hold, now.dead_letters) == (1, 1, 0, 1, 3)
    locations_of(redis).lift_hold(HERE, why="test")
    assert counted(redis)["dead_letters|replayed"] == 3


def test_a_try_whose_worker_stopped_is_counted_as_abandoned(redis: Redis) -> None:
    """It counts when the next worker takes the lane; a turn that was given back is not abandoned."""
    keep(redis)
    lanes = lanes_of(redis, lease=10)
    accept(redis, message())
    assert lanes.give_back(take(lanes))
    take(lanes)
    assert "tries|abandoned" not in counted(redis)
    pass_time(redis, 11)
    take(lanes)
    assert counted(redis)["tries|abandoned"] == 1


@pytest.mark.parametrize(("seconds", "bucket"), [(0, "1"), (1.1, "2.5"), (31, "60"), (2000, "3600"), (90_000, "inf")])
def test_the_time_to_a_reply_falls_into_its_bucket(redis: Redis, seconds: float, bucket: str) -> None:
    """The time is from the acceptance of each message to its reply; without a reply there is none."""
    keep(redis)
    lanes = lanes_of(redis, lease=1_000_000)
    accept(redis, message())
    pass_time(redis, seconds)
    lanes.end(take(lanes), Ended(status=Status.REPLIED, message_ids=(M1,)))
    totals = Counts(redis).totals()
    assert totals[f"reply|{bucket}"] == 1
    assert totals["reply|ms"] == pytest.approx(seconds * 1000, abs=900)
    accept(redis, message("m2"))
    lanes.end(take(lanes), Ended(status=Status.NO_REPLY, message_ids=(M2,)))
    assert (
        sum(count for field, count in Counts(redis).totals().items() if field.startswith("reply|") and field != "reply|ms") == 1
    )


def test_scripts_and_processes_count_under_the_same_names() -> None:
    """Every name that a script counts is one of the families, and the edges of the reply times are the same."""
    text = script("accept") + script("release") + script("lease") + script("drop")
    for family in FAMILIES:
        if family.name in {"webhooks", "webhook", "ghl_request", "provider_request", "signatures"}:
            assert f"count('{family.name}" not in text
        else:
            assert f"count('{family.name}" in text
    edges = ", ".join(format(edge, "g") for edge in REPLY.edges)
    assert f"REPLY_EDGES = {{{edges}}}" in text


def test_what_processes_count_is_added_up(redis: Redis) -> None:
    """The counts of several processes are added, and written once."""
    counts = Counts(redis)
    first, second = Tally(), Tally()
    for tally in (first, second, second):
        tally.count(WEBHOOKS, "unauthorized", "")
    first.time(GHL_REQUEST, "GET /contacts/{id}", "2xx", seconds=0.07)
    for tally in (first, second, first):
        counts.add(tally)
    route = "ghl_request|GET /contacts/{id}|2xx"
    assert counts.totals() == {"webhooks|unauthorized|": 3, f"{route}|0.1": 1, f"{route}|ms": 70}


def test_a_batch_that_is_sent_twice_counts_once(redis: Redis) -> None:
    """A client that lost the answer sends it again."""
    run = redis.register_script(script("tally"))
    assert [call_at_home(run, ["one call", "webhooks|accepted|", 5]) for _ in range(2)] == [1, 0]
    assert counted(redis) == {"webhooks|accepted|": 5}


def test_what_can_not_be_written_is_kept(redis: Redis) -> None:
    """Without Redis a process keeps its counts and continues counting."""
    tally = Tally()
    tally.count(WEBHOOKS, "unavailable", "")
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        with pytest.raises(Unavailable):
            Counts(nowhere).add(tally)
        with pytest.raises(Unavailable):
            Counts(nowhere).totals()
    tally.count(WEBHOOKS, "unavailable", "")
    Counts(redis).add(tally)
    assert counted(redis) == {"webhooks|unavailable|": 2}


def test_counts_of_a_location_expire_and_tell_how_long_it_fails(redis: Redis) -> None:
    """There are messages by status; `failing` counts dead ones since the last answered one."""
    keep(redis)
    lanes = lanes_of(redis)
    fates = [Status.REPLIED, Status.DEAD, Status.DEAD, Status.NO_REPLY, Status.DEAD]
    for number, fate in enumerate(fates):
        contact = f"c{number}"
        accept(redis, message(f"m{number}", contact))
        turn = take(lanes, Lane(HERE, ContactId(contact)))
        ids = [MessageId(f"m{number}")]
        if fate is Status.DEAD:
            lanes.write_dead_letter(turn, ids, Dead(error="no"), answer=None, at_ms=1)
        else:
            lanes.end(turn, Ended(status=fate, message_ids=tuple(ids)))
    tally = Counts(redis).of([HERE])[HERE]
    assert now_ms(redis) - tally.pop("answered_at") < 60_000
    assert tally == {"replied": 1, "no_reply": 1, "dead": 3, "failing": 1}
    assert 0 < redis.pttl(key("tally", HERE)) <= RETENTION_MS


def test_gauges_tell_what_there_is(redis: Redis) -> None:
    """They are waiting, current and retried lanes; live workers and their slots; locations."""
    keep(redis, HERE, "there")
    lanes = lanes_of(redis)
    accept(redis, *(message(f"m{number}", f"c{number}") for number in range(3)))
    lanes.again(take(lanes, Lane(HERE, ContactId("c0"))), [MessageId("m0")], Again(wait=0, why="busy"))
    assert (measure(redis).lanes, measure(redis).retrying, measure(redis).in_flight) == (3, 1, 2)
    claim(lanes, worker="other", slots=20)
    now = measure(redis)
    assert (now.workers, now.slots, now.locations, now.on_hold, now.in_flight) == (2, 1020, 2, 0, 3)
    for lane in (Lane(HERE, ContactId(f"c{number}")) for number in range(3)):
        turn = lanes.lease(lane)
        assert turn
        lanes.end(turn, Ended(status=Status.REPLIED, message_ids=tuple(one.id for one in turn.messages)))
    now = measure(redis)
    assert (now.lanes, now.retrying, now.in_flight) == (0, 0, 0)


def test_a_replayed_letter_that_is_gone_is_not_retried_for_ever(redis: Redis) -> None:
    """A lane that leaves the schedule no longer counts as retried."""
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, message())
    lanes.again(take(lanes), [M1], Again(wait=0, why="busy"))
    assert measure(redis).retrying == 1
    turn = take(lanes)
    lanes.skip(turn, Ended(status=Status.SKIPPED, message_ids=(M1,), reason=Reason.BLANK))
    lanes.let_go(turn)
    assert measure(redis).retrying == 0


def test_measuring_costs_little_however_much_waits(redis: Redis) -> None:
    """With a thousand locations and two hundred thousand lanes it takes milliseconds, in one round trip."""
    due = now_ms(redis) - 600_000
    pipe = redis.pipeline(transaction=False)
    for number in range(1000):
        location = LocationId(f"location{number}")
        pipe.zadd(key("due", location), {f"c{lane}": due for lane in range(200)})
        pipe.zadd(key("due", of=location), {location: due})
    pipe.execute()
    quickest = 1.0
    for _ in range(10):  # the machine may be busy with something else
        began = time.perf_counter()
        now = measure(redis)
        quickest = min(quickest, time.perf_counter() - began)
    assert quickest < 0.1
    assert now.lanes == 200_000
    assert now.oldest_overdue_seconds == pytest.approx(600, abs=60)


def test_without_redis_nothing_can_be_measured() -> None:
    """Measuring reports that Redis can't be reached."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        for look in (lambda: measure(nowhere), lambda: Counts(nowhere).locations(), lambda: Counts(nowhere).of([HERE])):
            with pytest.raises(Unavailable):
                look()


def test_lanes_of_a_hold_are_not_overdue(redis: Redis) -> None:
    """They wait for an operator, and are counted as held."""
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, *(message(f"m{number}", f"c{number}") for number in range(3)))
    for turn in [turn for lane in claim(lanes) if (turn := lanes.lease(lane))]:
        lanes.write_dead_letter(turn, [one.id for one in turn.messages], REFUSED, answer=None, at_ms=1)
    accept(redis, message("m9", LANE.contact_id))
    pass_time(redis, 100)
    now = measure(redis)
    assert (now.lanes, now.held, now.oldest_overdue_seconds) == (1, 1, 0)


@pytest.mark.one_server("a process that counts folds the partitions of its own call, of a cluster only home")
def test_what_scripts_count_is_folded_once(redis: Redis) -> None:
    """Until then it is one entry per call, with an expiry; a reader or a process that counts folds it."""
    keep(redis)
    for number in range(3):
        accept(redis, message(f"m{number}", f"contact{number}"))
    assert (redis.llen(key("counts")), redis.hgetall(key("totals"))) == (3, {})
    assert redis.pttl(key("counts")) > 0
    counts = Counts(redis)
    assert [counts.totals()["messages_accepted"] for _ in range(2)] == [3, 3]
    accept(redis, message("m3", "contact3"))
    tally = Tally()
    tally.count(WEBHOOKS, "accepted", "")
    counts.add(tally)
    assert (redis.llen(key("counts")), redis.hget(key("totals"), "messages_accepted")) == (0, "4")


def test_a_long_list_of_counts_is_folded_by_who_adds_to_it(redis: Redis) -> None:
    """It stays bounded even if no process lives to fold it."""
    keep(redis)
    redis.rpush(key("counts"), *["1 0 messages_accepted\n1 60000 accepted"] * 999)
    accept(redis, message("m1"))
    assert (redis.llen(key("counts")), redis.hget(key("totals"), "messages_accepted")) == (0, "1000")


def test_a_late_fold_counts_in_the_minute_in_which_it_happened(redis: Redis) -> None:
    """It counts in its hour too, as long as charts show these."""
    minute = now_ms(redis) // 60_000 - 3
    redis.rpush(key("counts"), f"2 {minute * 60_000 + 59_999} accepted\n1 {minute * 60_000} accepted\n1 1000 accepted")
    assert next(one.counts for one in chart(redis, "minute", 4)) == {"accepted": 3}
    assert [one.counts for one in chart(redis, "hour", 2) if one.counts] == [{"accepted": 3}]
    assert all(redis.pttl(name) > 0 for name in redis.scan_iter(key("chart", "*")))


def test_counts_of_a_redis_that_takes_no_write_are_read(redis: Redis) -> None:
    """In a full Redis, for example, entries are added later."""
    redis.hset(key("totals"), "messages_accepted", 7)
    redis.rpush(key("counts"), "1 0 messages_accepted")
    redis.config_set("min-replicas-to-write", 1)
    try:
        assert Counts(redis).totals() == {"messages_accepted": 7}
    finally:
        redis.config_set("min-replicas-to-write", 0)
    assert Counts(redis).totals() == {"messages_accepted": 8}
