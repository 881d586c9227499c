"""A service's error text: stored encrypted with the turn, shown on request, and nowhere in clear."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bridge import flow
from bridge.policy.excerpt import MOST_BYTES
from bridge.settings import from_environment
from bridge.store.figures.counts import Counts
from tests.keys import key
from tests.stored import LANE, RETENTION_MS, claim, excerpts_of, lanes_of, pass_time, snapshot
from tests.world import AGENCII, COMPLAINT, COMPLETE, World, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

WORDS = 'Hello, my name is "Ann" and\nI want to move my appointment'
EARLIER = "Where can I find your practice, please?"
TOKEN, IN_QUERY, SHARED = "the-providers-own-token", "key-of-the-query", "of-the-environment"
CONTACT = {"firstName": "Annabel", "lastName": "Smithson", "email": "ann@home.example", "phone": "+15550109999"}
PRIVATE = (
    *(TOKEN, IN_QUERY, SHARED, "Hello, my", "appointment", "your practice"),
    *("Annabel", "Smithson", "ann@home", "home.example", "5550109999"),
)


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        world.contact = CONTACT
        location(world)
        yield world


def location(world: World, **settings: Any) -> None:
    """A location with contact look-up, and with Agencii."""
    instructions = "For {contact_name}, {contact_email}, {contact_phone}, by " + SHARED
    assistable = {"token": TOKEN, "url": f"{world.url}{COMPLETE}?key={IN_QUERY}", **settings.pop("assistable", {})}
    agencii = {"token": TOKEN, "additional_instructions": instructions}
    world.keep(contact_lookup=True, assistable=assistable, agencii=agencii, **settings)


def work(world: World, *, delays: tuple[float, ...] = (1.0, 1.0)) -> None:
    """Run the lane's turn once, with a secret in the environment."""
    assert LANE in claim(lanes_of(world.redis))
    flow.answer(LANE, replace(world.services(delays=delays), secrets=(SHARED,)))


def excerpts(world: World) -> dict[str, str]:
    """The stored texts by the step that names them; the newest of each step."""
    found: dict[str, str] = {}
    for event in world.events():
        kept = excerpts_of(world.redis).get(event.details.get("excerpt_id", "none"))
        if kept:
            found[event.step] = kept.text
    return found


@pytest.mark.parametrize("provider", ["assistable", "agencii"])
@pytest.mark.parametrize(("status", "step"), [(400, "dead"), (422, "dead"), (500, "retrying")])
def test_a_service_that_echoes_the_whole_request_tells_nothing(world: World, provider: str, status: int, step: str) -> None:
    """Only its own text is stored; no token, no text of this turn or an earlier one, and no name or address."""
    location(world, provider=provider)
    world.write("m0", text=EARLIER)
    work(world)
    world.echoing |= {COMPLETE: status, AGENCII: status}
    world.write("m1", text=WORDS)
    work(world)

    told = excerpts(world)

    assert set(told) == {"unanswered", step}
    assert COMPLAINT in told[step]
    assert "[secret]" in told[step]
    assert not [one for one in PRIVATE if one in told[step]], told[step]
    assert len(told[step].encode()) <= MOST_BYTES


def test_what_is_kept_can_be_read_nowhere_else(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It is encrypted in Redis; the timeline, the log and the counts have neither the service's text nor the question."""
    world.echoing[COMPLETE] = 400
    world.write(text=WORDS)
    work(world)

    assert COMPLAINT in excerpts(world)["dead"]
    # What a message says is kept with it, and with its dead letter, which is answered if it is replayed.
    without = (key("message", "here", "m1"), key("said", str(LANE)), key("dead", world.dead_letter()))
    plain = [str(snapshot(world.redis, without=without)), str(world.redis.get(key("dead", world.dead_letter())))]
    written = capsys.readouterr()
    log = written.out + written.err
    assert "turn.dead" in log
    for text in (*plain, log, str(world.events()), str(Counts(world.redis).totals())):
        assert COMPLAINT not in text
    for text in (plain[0], log, str(world.events()), str(Counts(world.redis).totals())):
        assert not [one for one in PRIVATE if one in text], text


def test_it_expires_with_the_turn(world: World) -> None:
    """This holds for a retried turn and for a dead letter."""
    world.echoing[COMPLETE] = 500
    world.write()
    work(world, delays=(0.0,))
    for _ in range(2):
        (name,) = world.redis.keys("*}:excerpt:*")
        assert 0 < world.redis.pttl(name) <= RETENTION_MS
        pass_time(world.redis, 60)
        if world.status()[0] != "dead":
            work(world, delays=(0.0,))
    assert world.status()[0] == "dead"


def test_only_the_newest_word_of_a_turn_is_kept(world: World) -> None:
    """A later attempt replaces the text of an earlier one; an attempt without a text leaves it."""
    for answer in ({"error": "first"}, {"error": "second"}, b""):
        world.refusing[COMPLETE] = 500
        world.refused = answer
        if not world.events():
            world.write()
        work(world, delays=(0.0, 0.0, 0.0, 0.0))
        pass_time(world.redis, 60)
    assert len(world.redis.keys("*}:excerpt:*")) == 1
    assert excerpts(world)["retrying"] == '{"error": "second"}'
    *_, last = [event for event in world.events() if event.step == "retrying"]
    assert "excerpt_id" not in last.details


def test_of_a_provider_that_was_stood_in_for_the_step_tells(world: World) -> None:
    """The provider's fault and its text are stored though the contact got an answer; a later fault of GHL is separate."""
    location(world, fallback_provider="agencii")
    world.echoing[COMPLETE] = 500
    world.refusing["/conversations/messages"] = 400
    world.write()
    work(world)
    assert [event.step for event in world.events() if "excerpt_id" in event.details] == ["unanswered"]
    assert world.status()[0] == "dead"


def test_a_word_of_unknown_outcome_is_kept_too(world: World) -> None:
    """If the provider may have delivered by itself, the fault is shown with the look into GHL that follows."""
    location(world, assistable={"delivery": "auto"})
    world.echoing[COMPLETE] = 500
    world.write()
    work(world)
    assert set(excerpts(world)) == {"retrying"}


def test_on_hold_it_is_told_with_the_wait(world: World) -> None:
    """It shows which login was refused, and with which text."""
    world.echoing[COMPLETE] = 401
    world.meanwhile = lambda: world.redis.hset(key("location", "here"), mapping={"hold": 1, "hold_why": "provider"})
    world.write()
    work(world)
    assert set(excerpts(world)) == {"unanswered", "waiting"}


def test_every_secret_of_the_environment_is_known() -> None:
    """Each of several comma-separated ones is known too."""
    given = {"ASSISTABLE_TOKEN": "at", "BRIDGE_WORKFLOW_SECRET": "one, two", "REDIS_URL": "redis://:pw@127.0.0.1:1/0"}
    assert {"at", "one", "two", "redis://:pw@127.0.0.1:1/0"} <= set(from_environment(given).secrets)
