"""The sweeper: locations in time, whatever goes wrong with one of them."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from bridge.ghl.client import GHL
from bridge.model import AppChange, LocationId
from bridge.store.lanes.swept import SweptMessages
from bridge.store.locations.installs import Installs
from bridge.store.locations.sweeps import Sweeps, missed_locations
from bridge.store.redis.connection import now_ms
from bridge.sweep import SweepServices
from bridge.wire.calls import Wire
from tests.keys import key
from tests.stored import FERNET_KEY, HERE, RETENTION_MS, accept, eventually, ghl_access_of, keep, locations_of, message, pass_time
from tests.test_sweep import Books, opened
from workers.sweeper import OVERLAP_MS, Sweeper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


@pytest.fixture
def books(redis: Redis) -> Iterator[Books]:
    with opened(redis) as books:
        yield books


def sweeper_of(books: Books) -> Sweeper:
    store = SweptMessages(books.redis, retention_ms=RETENTION_MS, fernet_keys=[FERNET_KEY])
    sweep_services = SweepServices(
        ghl_access=ghl_access_of(books.redis), ghl=GHL(Wire(), books.url, sleep=lambda _: None), store=store
    )
    return Sweeper(Sweeps(books.redis), locations_of(books.redis), sweep_services, every=0.02)


def sweep(books: Books, *, after: float = 61.0) -> bool:
    """Let time pass, and sweep what is due then."""
    pass_time(books.redis, after)
    return sweeper_of(books).once()


def apply(redis: Redis, **settings: Any) -> None:
    """A location that was activated long ago."""
    keep(redis, **{"ghl_token": "pit", "reconcile_minutes": 1, **settings})
    redis.hset(key("location", HERE), "activated_at", 1)


def waiting(redis: Redis, contact: str = "ana") -> list[str]:
    return [str(id_) for id_ in redis.lrange(key("waiting", f"here:{contact}"), 0, -1)]


@contextmanager
def running(books: Books) -> Iterator[Sweeper]:
    sweeper = sweeper_of(books)
    thread = threading.Thread(target=sweeper.run)
    thread.start()
    try:
        yield sweeper
    finally:
        sweeper.stop()
        thread.join(10)
    assert not thread.is_alive()


def test_what_is_due_is_swept(books: Books) -> None:
    """After its sweep it is due again after its interval."""
    apply(books.redis)
    books.write("ana", "m1", ago=300)
    assert sweep(books, after=0) is False
    with running(books):
        pass_time(books.redis, 61)
        eventually(lambda: waiting(books.redis) == ["m1"] and books.redis.exists(key("sweep", HERE)))
        books.write("ana", "m2")
        pass_time(books.redis, 30)
        threading.Event().wait(0.2)
        assert waiting(books.redis) == ["m1"]
        pass_time(books.redis, 31)
        eventually(lambda: waiting(books.redis) == ["m1", "m2"])


def test_a_message_from_before_the_activation_is_never_taken_in(books: Books) -> None:
    """Applying a location does not answer its old messages."""
    keep(books.redis, ghl_token="pit", reconcile_minutes=1)
    books.write("ana", "m1", ago=5)
    books.write("bob", "m2")
    books.conversations["bob"][0]["dateAdded"] += 5000
    assert sweep(books)
    assert (waiting(books.redis), waiting(books.redis, "bob")) == ([], ["m2"])


def test_a_worker_knows_its_last_sweep_although_redis_was_emptied(books: Books) -> None:
    """The location is applied again, and messages since that sweep are accepted; no older ones, and none of others."""
    apply(books.redis)
    sweeper = sweeper_of(books)
    pass_time(books.redis, 61)
    assert sweeper.once()
    for contact, ago in (("ana", 60), ("bob", 7200)):
        books.write(contact, f"m-{contact}", ago=ago)
    books.redis.flushall()
    keep(books.redis, ghl_token="pit", reconcile_minutes=1)
    lost = now_ms(books.redis) - 5000
    books.redis.hset(key("rollback"), mapping={"at": lost, "certain_at": lost})
    books.redis.zadd(key("sweeps"), {HERE: 1})
    assert sweeper_of(books).once()
    assert waiting(books.redis) == []
    books.redis.zadd(key("sweeps"), {HERE: 1})
    assert sweeper.once()
    assert (waiting(books.redis), waiting(books.redis, "bob")) == (["m-ana"], [])


def test_the_next_sweep_looks_no_further_back_than_this_one_began(books: Books) -> None:
    """There is an overlap, because GHL may list a message late."""
    apply(books.redis)
    assert sweep(books)
    progress = Sweeps(books.redis).of(HERE).progress
    seconds, _ = books.redis.time()
    assert progress.since_ms == pytest.approx(int(seconds) * 1000 - OVERLAP_MS, abs=5000)
    since = progress.since_ms - 61_000
    books.write("ana", "m1")
    books.write("bob", "m2")
    books.conversations["ana"][0]["dateAdded"], books.conversations["bob"][0]["dateAdded"] = since + 5000, since - 5000
    assert sweep(books, after=61)
    assert (waiting(books.redis), waiting(books.redis, "bob")) == (["m1"], [])


@pytest.mark.parametrize(("settings", "asked"), [({"ghl_token": None}, 0), ({"reconcile_minutes": 0}, 0), ({"mode": "off"}, 1)])
def test_a_location_is_swept_if_ghl_lets_the_bridge_in(books: Books, settings: dict[str, Any], asked: int) -> None:
    """Without a token, or switched off, GHL isn't read; a paused location is swept, so that its messages have a reason."""
    apply(books.redis)
    apply(books.redis, **settings)
    pass_time(books.redis, 700)
    sweeper_of(books).once()
    assert len(books.asked) == asked


def test_a_location_whose_app_was_taken_away_is_not_swept(books: Books) -> None:
    """A location on hold after refused logins at GHL isn't swept either."""
    apply(books.redis)
    books.redis.hset(key("location", HERE), mapping={"hold": 1, "hold_why": "ghl"})
    assert sweep(books)
    books.redis.hdel(key("location", HERE), "hold", "hold_why")
    change = AppChange(installed=False, location_id=LocationId(HERE), company_id="", at_ms=0)
    Installs(books.redis, retention_ms=RETENTION_MS).note(change)
    assert sweep(books)
    assert books.asked == []


@pytest.mark.parametrize("status", [401, 403, 500, 429])
def test_a_ghl_that_refuses_ends_nothing(books: Books, status: int) -> None:
    """The next sweep finds what this one could not."""
    apply(books.redis)
    books.write("ana", "m1", ago=300)
    books.refusing["search"] = [status] * 3
    with running(books):
        pass_time(books.redis, 61)
        eventually(lambda: books.asked)
        books.refusing.clear()
        for _ in range(3):
            threading.Event().wait(0.2)
            pass_time(books.redis, 61)
        eventually(lambda: waiting(books.redis) == ["m1"])


def test_missed_webhooks_are_told_where_webhooks_come(books: Books) -> None:
    """A message whose webhook may be on its way doesn't count, nor one where none come; it ends when nothing is missed."""
    apply(books.redis)
    books.write("ana", "m1", ago=300)
    assert sweep(books)
    assert missed_locations(books.redis) == ()
    books.redis.hset(key("location", HERE), "marketplace_at", 1)
    accept(books.redis, message("other", "other"))
    books.write("bob", "m2", ago=5)
    assert sweep(books)
    assert missed_locations(books.redis) == ()
    books.write("eve", "m3", ago=100)
    assert sweep(books)
    assert missed_locations(books.redis) == (HERE,)
    assert sweep(books)
    assert missed_locations(books.redis) == ()
