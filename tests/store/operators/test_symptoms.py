"""Symptoms: what the state shows of possible problems, in one read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.metrics import WEBHOOKS, Tally
from bridge.model import Channel, ContactId, Dead, Ended, Lane, Reason, Status
from bridge.store.figures.counts import Counts
from bridge.store.operators.symptoms import Hold, Symptoms, look
from bridge.store.redis.connection import now_ms, text
from tests.keys import key
from tests.stored import HERE, LANE, accept, keep, lanes_of, message, pass_time, standings_of, take

if TYPE_CHECKING:
    from redis import Redis


def test_nothing_is_wrong_with_an_idle_bridge(redis: Redis) -> None:
    """No hold, no dead letter, nothing overdue."""
    keep(redis)
    seen = look(redis)
    assert seen == Symptoms(now_ms=seen.now_ms, gauges=seen.gauges)
    assert (seen.gauges.dead_letters, seen.gauges.oldest_overdue_seconds) == (0, 0)
    assert seen.now_ms == pytest.approx(now_ms(redis), abs=5000)


def test_what_is_wrong_is_seen(redis: Redis) -> None:
    """It has locations on hold with the side that refused, open dead letters, and the oldest lane, even in a served backlog."""
    keep(redis, HERE, "there")
    lanes = lanes_of(redis)
    for number in range(3):
        accept(redis, message(f"m{number}", f"c{number}"))
        turn = take(lanes, Lane(HERE, ContactId(f"c{number}")))
        lanes.write_dead_letter(turn, [turn.messages[0].id], Dead(error="no", refused="provider"), answer=None, at_ms=1)
    accept(redis, *(message(f"x{number}", f"x{number}", location="there") for number in range(3)))
    pass_time(redis, 100)
    lanes.claim("w", slots=1, alive_seconds=10, most=1)
    found = look(redis)
    assert found.holds == {HERE: Hold("provider", int(redis.hget(key("location", HERE), "hold") or 0))}
    assert found.gauges.dead_letters == 3
    assert found.gauges.oldest_overdue_seconds == pytest.approx(100, abs=5)
    assert now_ms(redis) - float(redis.zscore(key("due", of="there"), "there") or 0) < 5000


def test_refused_webhooks_count_for_ten_minutes(redis: Redis) -> None:
    """Signatures and secrets count, at any process; a body that was too large does not."""
    tally = Tally()
    for _ in range(3):
        tally.count(WEBHOOKS, "unauthorized", "")
    tally.count(WEBHOOKS, "too_large", "")
    Counts(redis).add(tally)
    assert look(redis).refused_webhooks == 3
    for name in redis.scan_iter(key("turned_away", "*")):
        minute = int(text(name).rpartition(":")[2])
        redis.rename(name, key("turned_away", str(minute - 10)))
    assert look(redis).refused_webhooks == 0


def test_a_conversation_at_its_cap_is_a_trouble_for_an_hour(redis: Redis) -> None:
    """The lane is named, so that the conversation can be found."""
    keep(redis)
    accept(redis, message())
    turn = take(lanes_of(redis))
    ended = Ended(status=Status.SKIPPED, message_ids=(turn.messages[0].id,), reason=Reason.REPLY_CAP, facts="50 replies")
    lanes_of(redis).end(turn, ended)
    assert look(redis).capped == (str(turn.lane),)
    pass_time(redis, 3601)
    assert look(redis).capped == ()


def say_stop(redis: Redis, id_: str, *, spoken: bool) -> None:
    """Let a message turn out to be a stop."""
    accept(redis, message(id_, date_added_ms=now_ms(redis)))
    lanes = lanes_of(redis)
    turn = take(lanes)
    lanes.stop(turn, Channel.SMS, at_ms=now_ms(redis), event={"step": "stopped"}, spoken=spoken)
    lanes.end(turn, Ended(status=Status.SKIPPED, message_ids=(turn.messages[0].id,), reason=Reason.STOP_WORD, facts=""))


def test_a_spoken_stop_is_a_trouble_until_it_is_lifted(redis: Redis) -> None:
    """It lasts a day, or until an operator allows the contact, or it writes START; a written stop causes no alert."""
    keep(redis)
    say_stop(redis, "m1", spoken=False)
    assert look(redis).spoken_stops == ()
    say_stop(redis, "m2", spoken=True)
    assert look(redis).spoken_stops == (str(LANE),)
    assert standings_of(redis).allow(LANE) == ("SMS",)
    assert look(redis).spoken_stops == ()
    pass_time(redis, 1)
    say_stop(redis, "m3", spoken=True)
    assert look(redis).spoken_stops == (str(LANE),)
    pass_time(redis, 1)
    accept(redis, message("m4", text="START", date_added_ms=now_ms(redis)))
    assert look(redis).spoken_stops == ()
    redis.zadd(key("spoken_stops"), {str(LANE): now_ms(redis) - 24 * 3600 * 1000 - 1})
    assert look(redis).spoken_stops == ()


def test_a_text_by_an_unknown_type_is_a_trouble_for_a_day(redis: Redis) -> None:
    """An operator may map the type to a channel, and sees the conversation."""
    keep(redis)
    accept(redis, message())
    turn = take(lanes_of(redis))
    ended = Ended(status=Status.SKIPPED, message_ids=(turn.messages[0].id,), reason=Reason.UNKNOWN_TYPE, facts="TYPE_NEW")
    lanes_of(redis).end(turn, ended)
    assert look(redis).untyped == (str(turn.lane),)
    pass_time(redis, 24 * 3600 + 1)
    assert look(redis).untyped == ()


def test_another_bots_answer_is_a_trouble_for_a_day(redis: Redis) -> None:
    """An operator should switch one of the two off, and sees the conversation."""
    keep(redis)
    accept(redis, message())
    turn = take(lanes_of(redis))
    lanes_of(redis).end(turn, Ended(status=Status.SKIPPED, message_ids=(turn.messages[0].id,), reason=Reason.OTHER_BOT))
    assert look(redis).other_bot == (str(turn.lane),)
    pass_time(redis, 24 * 3600 + 1)
    assert look(redis).other_bot == ()
