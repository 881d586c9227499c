"""The basis of an answer: ids and scores always, its texts only where the location wants them, encrypted, on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import NotKnown
from bridge.operating import contacts, dead_letters, excerpts
from bridge.operating.local import LocalOperations
from bridge.operating.services import AdminServices
from bridge.settings import from_environment
from tests.keys import key, pattern
from tests.stored import FERNET_KEY, HERE, LANE
from tests.world import POST, World, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from bridge.operating.operation import Operations

WORDS = "We close at five on Fridays"
MATCHED = {"knowledge_base": {"matches": [{"id": "k1", "score": 0.9, "metadata": {"text": WORDS}}]}}


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        world.completion = MATCHED
        yield world


@pytest.fixture
def perform(redis_url: str) -> Iterator[Operations]:
    services = AdminServices(from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}))
    yield LocalOperations(services, who="cli")
    services.close()


def answered(world: World) -> dict[str, Any]:
    [event] = [event for event in world.events() if event.step == "answered"]
    return event.details


def everything(redis: Redis) -> str:
    return "".join(str(redis.dump(name)) for name in redis.scan_iter("*"))


def test_the_words_are_not_kept_unless_the_location_says_so(world: World) -> None:
    """By default the timeline has ids and scores, and Redis contains no texts."""
    world.write()
    world.work()
    assert (answered(world)["evidence"]["knowledge"], answered(world).get("excerpt_id")) == ([["k1", 0.9]], None)
    assert list(world.redis.scan_iter(pattern("excerpt", "*"))) == []
    assert WORDS not in everything(world.redis)


def test_kept_words_are_sealed_read_on_demand_and_erased_with_the_contact(world: World, perform: Operations) -> None:
    """With `evidence_texts` the texts are shown by the id in the timeline, until the contact is erased."""
    world.keep(evidence_texts=True)
    world.write()
    world.work()
    id_ = answered(world)["excerpt_id"]
    assert perform(excerpts.text, excerpts.OfTurn(id_)).text == f"k1\n{WORDS}"
    assert int(world.redis.ttl(key("excerpt", id_))) > 0
    assert WORDS not in everything(world.redis)
    assert WORDS not in str(world.events())
    perform(contacts.erase, contacts.ContactQuery(HERE, LANE.contact_id))
    with pytest.raises(NotKnown):
        perform(excerpts.text, excerpts.OfTurn(id_))


def test_a_dead_letter_tells_how_its_answer_came_about(world: World, perform: Operations) -> None:
    """It shows the evidence of the answer that waits to be sent; without an answer it has none."""
    world.refusing, world.refused = {POST: 400}, {"message": "no"}
    world.write()
    world.work()
    shown = perform(dead_letters.show, dead_letters.DeadLetterQuery(world.dead_letter()))
    assert shown.evidence
    assert (shown.evidence["provider"], shown.evidence["knowledge"]) == ("assistable", [["k1", 0.9]])


def test_a_dead_letter_without_an_answer_has_no_evidence(world: World, perform: Operations) -> None:
    """The evidence of an earlier turn's answer does not count."""
    world.write()
    world.work()
    world.refusing = {"/complete": 401}
    world.write("m2")
    world.work()
    assert perform(dead_letters.show, dead_letters.DeadLetterQuery(world.dead_letter())).evidence is None
