"""Installs are ordered by the events' own times: late and repeated ones change nothing newer."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Unavailable
from bridge.ghl.oauth import Granted
from bridge.model import AppChange, ContactId, Dead, Lane, LocationId, MessageId
from bridge.store.locations.grants import of_company, of_location
from bridge.store.locations.installs import Installs
from bridge.store.redis.connection import connect_without_retries, now_ms
from tests.keys import key
from tests.stored import (
    HERE,
    RETENTION_MS,
    accept,
    claim,
    grants_of,
    keep,
    lanes_of,
    locations_of,
    message,
    snapshot,
    take,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

AGENCY = "agency"


def installs_of(redis: Redis) -> Installs:
    return Installs(redis, retention_ms=RETENTION_MS)


def install(redis: Redis, at_ms: int, location: str = HERE, company: str = "") -> None:
    change = AppChange(installed=True, location_id=LocationId(location), company_id=company, at_ms=at_ms)
    installs_of(redis).note(change)


def uninstall(redis: Redis, at_ms: int, location: str = HERE, company: str = "") -> None:
    change = AppChange(installed=False, location_id=LocationId(location), company_id=company, at_ms=at_ms)
    installs_of(redis).note(change)


def lend(redis: Redis, location: str = HERE) -> None:
    granted = Granted(
        kind="Location", access_token="a", refresh_token="r", seconds=60, location_id=LocationId(location), company_id=""
    )
    grants_of(redis).install(of_location(LocationId(location)), granted)


def is_stopped(redis: Redis, location: str = HERE) -> bool:
    kept = locations_of(redis).get(LocationId(location))
    assert kept
    return kept.uninstalled_at_ms > 0


def test_an_installed_location_is_known_and_unconfigured(redis: Redis) -> None:
    """Its messages get that status until settings are applied; from then on they are accepted."""
    install(redis, 1000)
    assert installs_of(redis).unconfigured() == (HERE,)
    assert accept(redis, message("m1"), message("m1")) == ["unconfigured", "duplicate"]
    assert redis.hmget(key("message", HERE, "m1"), ["status", "reason"]) == ["skipped", "unconfigured"]
    assert redis.zcard(key("due")) == 0
    keep(redis)
    assert installs_of(redis).unconfigured() == ()
    assert accept(redis, message("m2"), message("m1")) == ["accepted", "duplicate"]


def test_uninstalling_forgets_the_tokens_and_stops_the_location(redis: Redis) -> None:
    """Settings stay for a new install; the time before it doesn't count as active."""
    keep(redis)
    install(redis, 1000)
    lend(redis)
    activated = int(redis.hget(key("location", HERE), "activated_at") or 0)
    uninstall(redis, 2000)
    assert grants_of(redis).get(of_location(HERE)) is None
    assert (is_stopped(redis), installs_of(redis).unconfigured()) == (True, ())
    redis.hset(key("location", HERE), "activated_at", activated - 5000)
    install(redis, 3000)
    kept = locations_of(redis).get(HERE)
    assert kept
    assert (kept.uninstalled_at_ms, kept.installed_at_ms) == (0, 3000)
    assert kept.activated_at_ms >= activated


@pytest.mark.parametrize("order", list(permutations([("in", 1000), ("out", 2000), ("in", 3000)])))
@pytest.mark.parametrize("known", [True, False])
def test_the_newest_event_wins_whatever_the_order(redis: Redis, order: list[tuple[str, int]], *, known: bool) -> None:
    """A late or repeated uninstall doesn't end the install that followed it."""
    if known:
        keep(redis)
    for kind, at_ms in (*order, *order):
        (install if kind == "in" else uninstall)(redis, at_ms)
    keep(redis)
    assert not is_stopped(redis)
    assert redis.smembers(key("installs")) == {HERE}


@pytest.mark.parametrize("order", list(permutations([("in", 1000), ("out", 2000)])))
def test_a_late_install_brings_nothing_back(redis: Redis, order: list[tuple[str, int]]) -> None:
    """The event of the earlier install may arrive after that of the uninstall, even for an unknown location."""
    for kind, at_ms in (*order, *order):
        (install if kind == "in" else uninstall)(redis, at_ms)
    assert redis.smembers(key("installs")) == set()
    assert installs_of(redis).unconfigured() == ()


def test_an_event_without_a_time_counts_from_now(redis: Redis) -> None:
    """An event from the future counts from now too, so that it doesn't block later ones."""
    keep(redis)
    install(redis, 0)
    uninstall(redis, now_ms(redis) + 3_600_000)
    assert is_stopped(redis)
    install(redis, 0)
    assert not is_stopped(redis)


def test_an_agencys_uninstall_stops_all_of_its_locations(redis: Redis) -> None:
    """The locations that were installed through it stop, with their tokens; others continue, also one installed since."""
    keep(redis, "here", "there", "newer", "other")
    for location in ("here", "there"):
        install(redis, 1000, location, AGENCY)
        lend(redis, location)
    install(redis, 3000, "newer", AGENCY)
    install(redis, 1000, "other", "another agency")
    lend(redis, "other")
    uninstall(redis, 2000, location="", company=AGENCY)
    assert [is_stopped(redis, one) for one in ("here", "there", "newer", "other")] == [True, True, False, False]
    assert grants_of(redis).owners() == ("location:other",)
    install(redis, 4000, "there", AGENCY)
    assert [is_stopped(redis, one) for one in ("here", "there")] == [True, False]


def test_an_agencys_tokens_go_with_it(redis: Redis) -> None:
    """An uninstall that is older than the tokens leaves them."""
    granted = Granted(
        kind="Company", access_token="a", refresh_token="r", seconds=60, location_id=LocationId(""), company_id=AGENCY
    )
    grants_of(redis).install(of_company(AGENCY), granted)
    uninstall(redis, now_ms(redis) - 60_000, location="", company=AGENCY)
    assert grants_of(redis).get(of_company(AGENCY))
    uninstall(redis, 0, location="", company=AGENCY)
    assert grants_of(redis).get(of_company(AGENCY)) is None


def test_a_new_install_ends_a_hold(redis: Redis) -> None:
    """Waiting lanes are due again and the dead letters are replayed; the repeated event ends no later hold."""
    keep(redis)
    lanes = lanes_of(redis)
    for number in range(3):
        accept(redis, message(f"m{number}", f"contact{number}"))
        turn = take(lanes, Lane(HERE, ContactId(f"contact{number}")))
        lanes.write_dead_letter(turn, [MessageId(f"m{number}")], Dead(error="no", refused="ghl"), answer=None, at_ms=1)
    assert redis.smembers(key("holds")) == {HERE}
    now = now_ms(redis)
    install(redis, now)
    assert redis.smembers(key("holds")) == set()
    assert len(claim(lanes)) == 3
    redis.hset(key("location", HERE), mapping={"hold": now + 1000, "hold_why": "ghl"})
    install(redis, now)
    assert redis.hexists(key("location", HERE), "hold")


def test_what_the_old_tokens_failed_after_an_install_comes_back_once_the_new_ones_are_stored(redis: Redis) -> None:
    """The event may come before the tokens: a turn between them fails although there is no hold any more."""
    keep(redis)
    lanes = lanes_of(redis)
    now = now_ms(redis)
    install(redis, now - 1)
    accept(redis, message("m1", "contact1"))
    turn = take(lanes, Lane(HERE, ContactId("contact1")))
    assert lanes.write_dead_letter(turn, [MessageId("m1")], Dead(error="no", refused="ghl"), answer=None, at_ms=1)
    assert not claim(lanes)
    install(redis, now)
    assert [lane.contact_id for lane in claim(lanes)] == ["contact1"]


def test_every_event_may_be_noted_twice(redis: Redis) -> None:
    """redis-py may repeat a script."""
    keep(redis)
    for act in (install, uninstall, install):
        act(redis, 1000)
        before = snapshot(redis)
        act(redis, 1000)
        assert snapshot(redis) == before


def test_a_removed_location_is_forgotten_with_its_tokens(redis: Redis) -> None:
    """No data of its install is left: the location is unknown."""
    keep(redis)
    install(redis, 1000)
    lend(redis)
    locations_of(redis).remove(HERE)
    assert grants_of(redis).get(of_location(HERE)) is None
    assert (installs_of(redis).unconfigured(), accept(redis, message())) == ((), ["unknown_location"])


def test_without_redis_nothing_is_noted() -> None:
    """Every method reports it."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        checks: list[Callable[[], object]] = [
            lambda: install(nowhere, 1),
            lambda: uninstall(nowhere, 1),
            installs_of(nowhere).check,
        ]
        for act in checks:
            with pytest.raises(Unavailable):
                act()
