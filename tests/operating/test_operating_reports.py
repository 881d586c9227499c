"""Reports: counts by the days of a location, which agree with the overview and cost little."""

from __future__ import annotations

import csv
import io
import random
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from bridge.errors import NotKnown, WrongInput
from bridge.model import Completion, ContactId, Dead, Ended, HandedOver, Lane, MessageId, Reason, Status
from bridge.operating import overview, reports
from bridge.operating.operation import Nothing
from bridge.operating.report_csv import as_csv
from bridge.operating.report_folding import fold_reported
from bridge.operating.reporting import Reporting
from bridge.operating.reports import Report, ReportQuery
from bridge.operating.services import AdminServices
from bridge.settings import from_environment
from bridge.store.figures.reports import DAYS, MOST_NAMES, DailyCounts, Reported
from bridge.store.operators.erasures import Erasures
from bridge.store.redis.connection import now_ms
from bridge.store.redis.partitions import HOME, prefix_of
from tests.keys import key
from tests.operating.test_operating_population import Desk
from tests.stored import (
    FERNET_KEY,
    HERE,
    RETENTION_MS,
    accept,
    claim,
    dead_letters_of,
    eventually,
    keep,
    lanes_of,
    locations_of,
    message,
)

if TYPE_CHECKING:
    from redis import Redis

    from bridge.model import Turn
    from bridge.operating.operation import Operations
    from bridge.operating.report_figures import Figures

STEPS = 250
SUMS = ("received", "replied", "delivered_by_provider", "no_reply", "skipped", "dead", "in_work")
# 2026-11-23 was a Monday.
MONDAY, THURSDAY = "2026-11-23", "2026-11-26"


def minute(moment: str) -> int:
    """A time in UTC in the format of the scripts."""
    return round(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()) // 60


def tell(redis: Redis, *entries: str) -> None:
    """Write entries like the scripts do."""
    for entry in entries:
        redis.rpush(key("reported", of=entry.partition(" ")[0]), entry)


def of_week(perform: Operations, **more: Any) -> Report:
    return perform(reports.report, ReportQuery(**{"location_id": HERE, "day": THURSDAY, **more}))


def lately(perform: Operations, redis: Redis) -> list[Figures]:
    """The counts of today and yesterday, because midnight may have passed."""
    today = datetime.fromtimestamp(now_ms(redis) / 1000, UTC).date()
    days = [str(today - timedelta(days=1)), str(today)]
    return [perform(reports.report, ReportQuery(period="day", day=day)).total for day in days]


def leased(redis: Redis, id_: str = "m1") -> Turn:
    """A turn for a message that arrived just now."""
    accept(redis, message(id_, date_added_ms=now_ms(redis)))
    lanes = lanes_of(redis)
    (lane,) = claim(lanes)
    turn = lanes.lease(lane)
    assert turn
    return turn


@pytest.mark.parametrize("seed", range(3))
def test_a_report_agrees_with_the_overview(redis: Redis, perform: Operations, seed: int) -> None:
    """It does after any webhooks, turns, replays, drops, interventions and erasures, whenever entries are added to days."""
    keep(redis, most=0.0)
    desk = Desk(redis, seed)
    often = random.Random(seed)
    for _ in range(STEPS):
        desk.step()
        if often.random() < 0.05:
            fold_reported(DailyCounts(redis), locations_of(redis))
    seen, told = perform(overview.overview, Nothing()).day, lately(perform, redis)
    for name in SUMS:
        assert sum(getattr(one, name) for one in told) == getattr(seen, name), name
    assert seen.received > 0


def test_days_and_hours_are_those_of_the_location(redis: Redis, perform: Operations) -> None:
    """23:30 UTC on Wednesday is 05:00 on Thursday in Kolkata; a location without settings has days of UTC."""
    keep(redis, timezone="Asia/Kolkata")
    redis.sadd(key("installs", of="there"), "there")
    tell(redis, f"here a {minute('2026-11-25T23:30')}", f"there a {minute('2026-11-25T23:30')}")
    week = of_week(perform)
    assert [day.day for day in week.days if day.received] == [THURSDAY]
    assert (week.time_zone, week.busiest_hours, sum(week.hours)) == ("Asia/Kolkata", (5,), 1)
    everywhere = of_week(perform, location_id="")
    assert [day.received for day in everywhere.days] == [0, 0, 1, 1, 0, 0, 0]
    assert [(one.location_id, one.received) for one in everywhere.locations] == [("here", 1), ("there", 1)]


def test_what_a_week_held(redis: Redis, perform: Operations) -> None:
    """It has messages, answers, times, hours, handovers, opt-outs and undelivered replies."""
    keep(redis, business_hours=["mon-fri 09:00-17:00"])
    day, night = minute(f"{THURSDAY}T10:00"), minute(f"{THURSDAY}T22:00")
    times = [4, 5, 6, 7, 8, 9, 10, 11, 12, 300]
    tell(redis, *[f"here a {day}"] * 12, *[f"here r {day} {seconds}" for seconds in times], f"here p {day} 8", f"here d {day}")
    tell(redis, f"here a {night}", f"here s {night}", f"here h {day}", f"here o {day}", f"here u {day}")
    week = of_week(perform)
    total = week.total
    assert (total.received, total.answered, total.skipped, total.dead, total.in_work) == (13, 11, 1, 1, 0)
    assert (total.outside_hours, total.handovers, total.opt_outs, total.undelivered) == (1, 1, 1, 1)
    assert total.median_seconds == pytest.approx(8, rel=0.2)
    assert total.p95_seconds == pytest.approx(300, rel=0.2)
    assert (week.first_day, week.last_day) == (MONDAY, "2026-11-29")
    assert week.busiest_hours == (10, 22)


@pytest.mark.parametrize(
    ("period", "days"),
    [("day", (THURSDAY, THURSDAY, 1)), ("week", (MONDAY, "2026-11-29", 7)), ("month", ("2026-11-01", "2026-11-30", 30))],
)
def test_a_period_has_its_day_in_it(redis: Redis, perform: Operations, period: Any, days: Any) -> None:
    """A period is a day, a week from Monday on, or a calendar month."""
    keep(redis)
    found = of_week(perform, period=period)
    assert (found.first_day, found.last_day, len(found.days)) == days


def test_what_is_not_there_is_said(redis: Redis, perform: Operations) -> None:
    """A day that does not exist and an unknown location are errors."""
    keep(redis)
    with pytest.raises(WrongInput, match="2026-02-30"):
        of_week(perform, day="2026-02-30")
    with pytest.raises(NotKnown, match="nowhere"):
        of_week(perform, location_id="nowhere")


def completion(model: str = "", **tokens: int) -> Completion:
    evidence = {"model": model, "tokens": tokens} if model else {}
    return Completion(text="Hi", provider="assistable", evidence=evidence)


def test_tokens_and_cost_are_of_every_answer_that_was_paid_for(redis: Redis, perform: Operations) -> None:
    """An answer that became stale counts too; prices are the location's for a model, a provider, or any."""
    prices = {"gpt 5-mini": {"input": 1.0, "output": 2.0}, "*": {"answer": 0.5}}
    keep(redis, prices=prices)
    turn = leased(redis)
    lanes = lanes_of(redis)
    lanes.answered(turn, [MessageId("m1")], completion("gpt 5-mini", prompt=1000, completion=100), at_ms=1, seconds=1)
    lanes.give_back(turn)
    (lane,) = claim(lanes)
    again = lanes.lease(lane)
    assert again
    lanes.answered(again, [MessageId("m1")], completion(), at_ms=1, seconds=1)
    lanes.end(again, Ended(status=Status.REPLIED, message_ids=(MessageId("m1"),)))
    told = lately(perform, redis)
    assert sum(one.completions for one in told) == 2
    assert [sum(getattr(one, name) for one in told) for name in ("input_tokens", "output_tokens")] == [1000, 100]
    assert sum(one.cost or 0 for one in told) == pytest.approx(0.5012)


def test_without_prices_no_cost_is_told(redis: Redis, perform: Operations) -> None:
    """An unknown cost is not zero."""
    keep(redis)
    tell(redis, f"here t {minute(f'{THURSDAY}T10:00')} gpt|10|20")
    total = of_week(perform).total
    assert (total.completions, total.cost) == (1, None)


def test_a_turn_reports_how_it_ended(redis: Redis, perform: Operations) -> None:
    """A handover, a stop word and a replayed dead letter count once each."""
    keep(redis)
    turn = leased(redis)
    over = HandedOver(seconds=0, provider="openai")
    ended = Ended(status=Status.NO_REPLY, message_ids=(MessageId("m1"),), reason=Reason.HANDOVER, handed_over=over)
    lanes_of(redis).end(turn, ended)
    dead = leased(redis, "m2")
    lanes_of(redis).write_dead_letter(dead, [MessageId("m2")], Dead(error="HTTP 422"), answer=None, at_ms=1)
    dead_letters_of(redis).replay(dead.id, force=False)
    accept(redis, message("m3", text="STOP", date_added_ms=now_ms(redis)))
    told = lately(perform, redis)
    for name, count in {"handovers": 1, "opt_outs": 1, "no_reply": 1, "skipped": 1, "dead": 0, "in_work": 1}.items():
        assert sum(getattr(one, name) for one in told) == count, name


def test_erasing_a_contact_leaves_the_counts_of_what_was_answered(redis: Redis, perform: Operations) -> None:
    """No entry and no count has a text or an id of the contact."""
    keep(redis)
    turn = leased(redis)
    lanes_of(redis).end(turn, Ended(status=Status.REPLIED, message_ids=(MessageId("m1"),)))
    Erasures(redis, fernet_keys=[FERNET_KEY], retention_ms=RETENTION_MS).erase(Lane(HERE, ContactId("contact")))
    assert "contact" not in str(redis.lrange(key("reported"), 0, -1))
    assert sum(one.replied for one in lately(perform, redis)) == 1
    assert "contact" not in str(redis.hgetall(key("report", HERE)))


def test_two_that_add_at_once_count_once(redis: Redis) -> None:
    """The same holds for a call that is repeated because its answer was lost."""
    keep(redis)
    tell(redis, *[f"here a {minute(f'{THURSDAY}T10:00')}"] * 3)
    counts = DailyCounts(redis)
    reported = counts.reported()
    days = {(HERE, THURSDAY): {"a": 3}}
    assert [counts.add(reported, days) for _ in range(2)] == [True, False]
    assert counts.read([HERE], [THURSDAY]) == {HERE: {THURSDAY: {"a": 3}}}
    assert counts.reported() == Reported(0, (), HOME)
    assert redis.hget(key("folded"), "count") == "3"


def test_a_process_adds_when_there_are_many_or_an_hour_is_over(redis: Redis) -> None:
    """Not earlier, because one write for many entries is cheap."""
    counts = DailyCounts(redis)
    assert not counts.is_due()
    tell(redis, "here a 1")
    assert counts.is_due()
    fold_reported(counts, locations_of(redis))
    tell(redis, "here a 1")
    assert not counts.is_due()
    redis.hset(key("folded"), "at", now_ms(redis) - 3_600_001)
    assert counts.is_due()


def full_day() -> dict[str, Any]:
    """The largest possible day: every hour and range of times, more models than are stored, numbers of six digits."""
    many = 100_000
    names = {f"a-model-of-a-provider-with-a-long-name-{number}": [many] * 3 for number in range(9)}
    hours, steps = {str(hour): many for hour in range(24)}, {str(step): many for step in range(36)}
    return {**dict.fromkeys("arpnsdxhou", many), "H": hours, "R": steps, "T": names}


def usual_day() -> dict[str, Any]:
    """A day with several hundred messages and one model."""
    hours, steps = {str(hour): 12 for hour in range(8, 20)}, {str(step): 9 for step in range(4, 14)}
    return {
        "a": 140,
        "r": 110,
        "s": 20,
        "n": 8,
        "d": 2,
        "x": 30,
        "h": 2,
        "H": hours,
        "R": steps,
        "T": {"gpt-5-mini": [120, 99000, 9000]},
    }


@pytest.mark.parametrize(("day", "most_bytes"), [(full_day(), 600_000), (usual_day(), 160_000)], ids=["full", "usual"])
def test_a_location_keeps_400_days_and_no_more(redis: Redis, day: dict[str, Any], most_bytes: int) -> None:
    """400 full days need at most 0.6 MB, usual ones 0.16 MB; then they expire."""
    counts = DailyCounts(redis)
    first = datetime(2025, 1, 1, tzinfo=UTC).date()
    days = [str(first + timedelta(days=number)) for number in range(DAYS + 50)]
    for number, one in enumerate(days):
        counts.add(Reported(number, ("entry",), prefix_of(HERE)), {(HERE, one): day})
    assert redis.hlen(key("report", HERE)) == DAYS
    assert not redis.hexists(key("report", HERE), days[49])
    assert redis.hexists(key("report", HERE), days[-1])
    assert (redis.memory_usage(key("report", HERE), samples=0) or 0) <= most_bytes
    assert 0 < redis.pttl(key("report", HERE)) <= DAYS * 24 * 3600 * 1000
    stored = orjson.loads(redis.hget(key("report", HERE), days[-1]) or "")
    assert len(stored["T"]) <= MOST_NAMES + 1
    assert sum(used[0] for used in stored["T"].values()) == sum(used[0] for used in day["T"].values())


def test_a_removed_location_has_no_report(redis: Redis) -> None:
    """Its daily counts are deleted with it."""
    keep(redis)
    DailyCounts(redis).add(Reported(0, ("entry",), prefix_of(HERE)), {(HERE, THURSDAY): {"a": 1}})
    locations_of(redis).remove(HERE)
    assert not redis.exists(key("report", HERE))


def test_as_csv(redis: Redis, perform: Operations) -> None:
    """There is a row for each day of a location, or for each location; a name can't be a formula."""
    keep(redis, name="=HYPERLINK()")
    tell(redis, f"here a {minute(f'{THURSDAY}T10:00')}")
    days = list(csv.DictReader(io.StringIO(as_csv(of_week(perform)))))
    assert [(row["day"], row["received"], row["median_seconds"]) for row in days][3] == (THURSDAY, "1", "")
    (row,) = csv.DictReader(io.StringIO(as_csv(of_week(perform, location_id=""))))
    assert (row["location_id"], row["name"], row["currency"]) == ("here", "'=HYPERLINK()", "USD")


def test_what_is_due_is_added_without_a_reader(redis: Redis, redis_url: str) -> None:
    """One of the processes does it, once."""
    keep(redis)
    tell(redis, *[f"here a {minute(f'{THURSDAY}T10:00')}"] * 3)
    environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}
    services = [AdminServices(from_environment(environ)) for _ in range(2)]
    threads = [Reporting(one, every=0.02) for one in services]
    running = [threading.Thread(target=one.run) for one in threads]
    for one in running:
        one.start()
    eventually(lambda: not redis.exists(key("reported")))
    for looks, one in zip(threads, running, strict=True):
        looks.stop()
        one.join(10)
    for each in services:
        each.close()
    assert DailyCounts(redis).read([HERE], [THURSDAY])[HERE][THURSDAY]["a"] == 3
