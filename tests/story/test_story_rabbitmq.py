"""A queue at RabbitMQ, which is only a hint there too: whatever dies, each contact gets exactly one reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.broker import OLDER_QUEUE
from tests.keys import key
from tests.story import rabbitmq
from tests.story.kills import kill_amid_twenty_completions, so_many_begun
from tests.story.machine import poll
from tests.story.rabbitmq import RabbitMQ

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.machine import Machine

pytestmark = pytest.mark.skipif(
    rabbitmq.find() is None, reason="no rabbitmq-server on this machine: `apt-get install rabbitmq-server` installs one"
)


@pytest.fixture(scope="module")
def broker(whole_machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """One RabbitMQ for all stories of this file."""
    rabbit = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    try:
        rabbit.start()
        whole_machine.restore()
        whole_machine.environ["BROKER_URL"] = rabbit.url
        whole_machine.restart("worker")
        poll("the queues of the worker", lambda: len(rabbit.queues()) == 2)
        rabbit.restart()
        yield rabbit
    finally:
        rabbit.stop()
        whole_machine.environ.pop("BROKER_URL", None)
        if whole_machine.lives("worker"):
            whole_machine.kill("worker")
            whole_machine.redis.delete(key("workers"))


def test_a_message_is_answered_through_rabbitmq(broker: RabbitMQ, machine: Machine) -> None:
    """One message, one completion, one reply; its queue is a quorum queue, like that of older versions."""
    ana = machine.person("Plain")

    assert ana.settles(ana.says("Is anybody there?")).status == "replied"

    assert (ana.completions, len(ana.replies)) == (1, 1)
    assert broker.queues() == {machine.queue: "quorum", OLDER_QUEUE: "quorum"}


@pytest.mark.usefixtures("broker")
def test_a_worker_killed_at_rabbitmq_loses_and_doubles_nothing(machine: Machine) -> None:
    """The worker is killed during twenty completions: the next one answers each contact once."""
    kill_amid_twenty_completions(machine)


def test_a_killed_rabbitmq_loses_and_doubles_nothing(broker: RabbitMQ, machine: Machine) -> None:
    """Killed with forty messages on their way and started again: each contact has exactly one reply, soon.

    Slow: RabbitMQ starts again, and forty completions of two seconds share twenty slots.
    """
    people = [machine.person("Plain") for _ in range(40)]
    machine.sim.order("defaults", completion_seconds=2.0)
    said = [each.says("Remember me") for each in people[:30]]
    poll("twenty completions begun", lambda: so_many_begun(people, 20))

    broker.kill()
    said += [each.says("And me") for each in people[30:]]
    broker.start()

    assert [each.settles(one, seconds=60).status for each, one in zip(people, said, strict=True)] == ["replied"] * 40
    assert [(len(each.replies), each.most_at_once) for each in people] == [(1, 1)] * 40


def test_a_queue_deleted_by_hand_comes_back(broker: RabbitMQ, machine: Machine) -> None:
    """Twenty messages wait in it, a worker consumes it, and it disappears: each contact is still answered, once.

    Slow: forty completions of two seconds share twenty slots.
    """
    people = [machine.person("Plain") for _ in range(40)]
    machine.sim.order("defaults", completion_seconds=2.0)
    said = [each.says("Knock") for each in people]
    poll("twenty completions begun", lambda: so_many_begun(people, 20))

    broker.delete(machine.queue)

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 40
    assert [(len(each.replies), each.most_at_once) for each in people] == [(1, 1)] * 40
    assert broker.queues() == {machine.queue: "quorum", OLDER_QUEUE: "quorum"}
