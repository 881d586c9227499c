"""Undelivered replies are sent again by an operator: the same text, checked like every send, at most once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import DidNotWork, NotKnown
from bridge.operating import audit, deliveries
from bridge.operating.local import LocalOperations
from bridge.operating.resending import Resend, replay_undelivered
from bridge.operating.services import AdminServices
from bridge.settings import from_environment
from tests.answering.test_deliveries import reply, told
from tests.stored import FERNET_KEY
from tests.world import POST, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.operating.operation import Operations

R1 = Resend(ids=("r1",))


@pytest.fixture
def perform(world: World, redis_url: str) -> Iterator[Operations]:
    """The operations with GHL, where a reply did not reach its contact."""
    environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "GHL_API_URL": world.url}
    services = AdminServices(from_environment(environ))
    world.keep(takeover_seconds=0, history_messages=0)
    reply(world)
    world.texts["r1"] = "answer 1"
    told(world, "failed")
    yield LocalOperations(services, who="cli")
    services.close()


def listed(perform: Operations) -> list[str]:
    return [one.reply_id for one in perform(deliveries.undelivered, deliveries.UndeliveredQuery()).replies]


def test_the_same_words_go_out_once_more(world: World, perform: Operations) -> None:
    """No completion is requested, the reply leaves the list, the message gets the new reply's id, and the audit log an entry."""
    assert listed(perform) == ["r1"]
    assert [one.result for one in perform(replay_undelivered, R1)] == ["replayed"]
    world.work()
    assert (world.posts(), len(world.inputs())) == (["answer 1", "answer 1"], 1)
    assert (world.status(), listed(perform)) == (("replied", ""), [])
    change = perform(audit.audit, audit.AuditQuery()).changes[0]
    assert (change.what, change.ids, change.outcome) == ("conversations.replay_undelivered", ("r1",), "done")
    with pytest.raises(NotKnown):
        perform(replay_undelivered, R1)


def test_a_provider_that_posts_by_itself_leaves_this_one_to_the_bridge(world: World, perform: Operations) -> None:
    """With `delivery = "provider"` the bridge posts no completion, but it posts what an operator sends again."""
    world.keep(takeover_seconds=0, assistable={"delivery": "provider"})
    perform(replay_undelivered, R1)
    world.work()
    assert (world.posts(), world.status()[0]) == (["answer 1", "answer 1"], "replied")


@pytest.mark.parametrize("broken", [{"refusing": {f"{POST}/r1": 500}}, {"written": []}], ids=["text", "message"])
def test_what_ghl_does_not_tell_is_said(world: World, perform: Operations, broken: dict[str, Any]) -> None:
    """Without the reply's text or its message nothing is changed."""
    for name, value in broken.items():
        setattr(world, name, value)
    with pytest.raises(DidNotWork, match="r1"):
        perform(replay_undelivered, R1)
    assert (listed(perform), len(world.posts())) == (["r1"], 1)


def test_after_a_newer_answer_only_force_sends_it(world: World, perform: Operations) -> None:
    """An older answer after a newer one would be out of place."""
    world.write("m2")
    world.work()
    assert [one.result for one in perform(replay_undelivered, R1)] == ["newer"]
    assert [one.result for one in perform(replay_undelivered, Resend(ids=("r1",), force=True))] == ["replayed"]
    world.work()
    assert world.posts() == ["answer 1", "answer 2", "answer 1"]


def test_a_refused_replay_is_a_dead_letter_and_is_not_lost(world: World, perform: Operations) -> None:
    """After a final refusal by GHL the answer is in a dead letter."""
    world.refusing = {POST: 400}
    perform(replay_undelivered, R1)
    world.work()
    assert world.status()[0] == "dead"
    assert world.dead_letter()
