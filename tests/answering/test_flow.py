"""The flow without other servers: the outcomes of turns that can't begin."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from bridge import flow
from bridge.answering.services import AnswerServices
from bridge.completion.providers import Providers
from bridge.ghl.client import GHL
from bridge.model import Again, MessageId
from bridge.operating.diagnosis import diagnose
from bridge.settings import from_environment
from bridge.store.figures.gauges import measure
from bridge.store.figures.list_lags import ListLags
from bridge.store.lanes.generations import Generations
from bridge.store.lanes.rollback_looks import RollbackLooks
from bridge.store.lanes.timelines import Timelines
from bridge.store.limits.circuits import Circuits
from bridge.store.operators.symptoms import look
from bridge.store.redis.connection import now_ms
from bridge.wire.calls import Wire
from tests.keys import key
from tests.stored import (
    FERNET_KEY,
    HERE,
    LANE,
    RETENTION_MS,
    accept,
    claim,
    due_ms,
    excerpts_of,
    ghl_access_of,
    identities_of,
    keep,
    lanes_of,
    locations_of,
    media_reader_of,
    message,
    pass_time,
    situations_of,
    standings_of,
    take,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from redis import Redis

    from bridge.model import Turn
    from bridge.store.lanes.leases import Lanes


class NoHeartbeat:
    """No lease in this file has to be renewed."""

    def keeping(self, turn: Turn) -> AbstractContextManager[None]:
        del turn
        return nullcontext()

    def posting(self, turn: Turn) -> AbstractContextManager[None]:
        del turn
        return nullcontext()

    def posted(self, turn: Turn) -> None:
        del turn

    def gave_back(self, turn: Turn) -> bool:
        del turn
        return False


@pytest.fixture
def lanes(redis: Redis) -> Lanes:
    keep(redis)
    return lanes_of(redis)


def services(redis: Redis, lanes: Lanes, *, fernet_key: str = FERNET_KEY) -> AnswerServices:
    wire = Wire()
    return AnswerServices(
        lanes=lanes,
        identities=identities_of(redis),
        standings=standings_of(redis),
        situations=situations_of(redis),
        locations=locations_of(redis, fernet_key),
        ghl_access=ghl_access_of(redis),
        ghl=GHL(wire, "http://127.0.0.1:1"),
        providers=Providers(wire, from_environment({})),
        media=media_reader_of(redis),
        circuits=Circuits(redis, every=10),
        excerpts=excerpts_of(redis),
        heartbeat=NoHeartbeat(),
        list_lags=ListLags(redis),
        generations=Generations(redis),
        rollback_looks=RollbackLooks(redis, retention_ms=RETENTION_MS),
        retry_delays=(1.0,),
        readback=(1.0,),
        post_seconds=1.0,
    )


def answer(redis: Redis, lanes: Lanes, *, fernet_key: str = FERNET_KEY) -> list[str]:
    """Run the lane's turn once; returns the steps in its timeline."""
    assert LANE in claim(lanes)
    flow.answer(LANE, services(redis, lanes, fernet_key=fernet_key))
    timeline = Timelines(redis).find("contact")
    assert timeline
    return [event.step for event in timeline.events]


def test_a_wrong_key_uses_no_try_up(redis: Redis, lanes: Lanes) -> None:
    """While a location can't be decrypted, its messages wait, also in the timeline; with the right key they are answered."""
    accept(redis, message())
    for tries in range(1, 13):
        steps = answer(redis, lanes, fernet_key=Fernet.generate_key().decode())
        assert steps == ["accepted", *["retrying"] * tries]
        pass_time(redis, 2 * flow.REOPEN_SECONDS)
    # Twelve waits of a minute: all that time it is overdue, and needs somebody.
    assert measure(redis).overdue_ms == pytest.approx(12 * 60_000, abs=5000)
    assert {"overdue", "unopened"} <= {trouble.cause for trouble in diagnose(look(redis))}
    turn = take(lanes)
    lanes.again(turn, [MessageId("m1")], Again(wait=9, why="opened", counts=False))
    assert (measure(redis).overdue_ms, measure(redis).unopened_ms) == (0, 0)
    assert (turn.attempts, turn.unfinished, [one.id for one in turn.messages]) == (0, 1, ["m1"])
    told = Timelines(redis).find("m1")
    assert told
    assert "BRIDGE_SECRET_KEY does not decrypt location here" in told.events[-2].details["why"]


def test_what_deserves_no_answer_is_skipped_before_anyone_is_asked(redis: Redis, lanes: Lanes) -> None:
    """Messages that are blank or too old end with their reasons, and the lane is free."""
    accept(
        redis,
        message("m1", text="", attachments=("https://x/1.vcf",), date_added_ms=now_ms(redis)),
        message("m2", date_added_ms=1),
    )
    assert answer(redis, lanes) == ["accepted", "accepted", "skipped", "skipped"]
    reasons = [redis.hget(key("message", HERE, id_), "reason") for id_ in ("m1", "m2")]
    assert reasons == ["blank", "too_old"]
    assert due_ms(redis) is None


def test_a_removed_location_answers_nobody(redis: Redis, lanes: Lanes) -> None:
    """Messages that waited in a location that was removed are skipped for that reason."""
    accept(redis, message())
    redis.delete(key("location", HERE))
    assert answer(redis, lanes) == ["accepted", "skipped"]
    assert redis.hget(key("message", HERE, "m1"), "reason") == "unknown_location"


def test_a_wake_up_for_nothing_does_nothing(redis: Redis, lanes: Lanes) -> None:
    """A lane that is not claimed or not known is not worked on."""
    accept(redis, message())
    flow.answer(LANE, services(redis, lanes))
    assert redis.hget(key("message", HERE, "m1"), "status") == "waiting"


def test_a_turn_that_kills_its_workers_is_buried(redis: Redis, lanes: Lanes) -> None:
    """After ten leases in a row without a result, the turn becomes a dead letter that says so."""
    accept(redis, message(date_added_ms=now_ms(redis)))
    for _ in range(10):
        take(lanes)
        pass_time(redis, 2000)
    assert answer(redis, lanes) == ["accepted", *["recovered"] * 10, "dead"]
    error = redis.hget(key("message", HERE, "m1"), "error")
    assert error == "10 workers in a row crashed during this turn"
