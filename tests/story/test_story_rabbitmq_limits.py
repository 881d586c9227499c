"""RabbitMQ's own limits: it drops a wake-up that is redelivered too often, and closes the channel of a slow worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.keys import key
from tests.story import rabbitmq
from tests.story.kills import all_in_flight
from tests.story.machine import poll
from tests.story.rabbitmq import RabbitMQ

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.machine import Machine

pytestmark = pytest.mark.skipif(
    rabbitmq.find() is None, reason="no rabbitmq-server on this machine: `apt-get install rabbitmq-server` installs one"
)

TIMEOUT_SECONDS = 2
KILLS = 3


@pytest.fixture(scope="module")
def broker(whole_machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A RabbitMQ that waits two seconds for an acknowledgement, and redelivers a wake-up twice at most."""
    # It looks for such wake-ups every minute, if nothing else is said.
    advanced = f"{{consumer_timeout, {TIMEOUT_SECONDS * 1000}}}, {{channel_tick_interval, 500}}"
    rabbit = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"), advanced=advanced)
    try:
        rabbit.start()
        rabbit.limit_deliveries(1)
        whole_machine.restore()
        whole_machine.environ["BROKER_URL"] = rabbit.url
        whole_machine.restart("worker")
        yield rabbit
    finally:
        rabbit.stop()
        whole_machine.environ.pop("BROKER_URL", None)
        if whole_machine.lives("worker"):
            whole_machine.kill("worker")
            whole_machine.redis.delete(key("workers"))


@pytest.mark.usefixtures("broker")
def test_a_delivery_limit_loses_no_message(machine: Machine) -> None:
    """The worker is killed three times during ten completions: RabbitMQ has dropped the wake-ups, each contact gets one reply.

    Slow: each of three kills is followed by a lease's end and a start.
    """
    people = [machine.person("Plain") for _ in range(10)]
    machine.sim.order("defaults", completion_seconds=1.5)
    said = [each.says("Still there?", wait=False) for each in people]
    for kills in range(1, KILLS + 1):
        poll("ten completions in flight", lambda kills=kills: all(each.completions >= kills for each in people))  # type: ignore[misc] # bound here
        machine.kill("worker")
        machine.start("worker")

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 10
    assert [(len(each.replies), each.completions, each.most_at_once) for each in people] == [(1, KILLS + 1, 1)] * 10


@pytest.mark.usefixtures("broker")
def test_a_completion_longer_than_the_consumer_timeout_is_paid_once(machine: Machine) -> None:
    """RabbitMQ closes the channel and redelivers the wake-up, which finds the lane leased, and ends.

    Slow: the completion lasts for four times RabbitMQ's timeout.
    """
    ana, ben = machine.person("Plain"), machine.person("Plain")
    machine.sim.order("defaults", completion_seconds=4.0 * TIMEOUT_SECONDS)
    said = ana.says("Take your time", wait=False)
    poll("a completion in flight", lambda: all_in_flight([ana]))
    worker = machine.running["worker"].process.pid
    poll("the closed channel", lambda: "consumer_timeout" in machine.log("worker"))

    assert ana.settles(said).status == "replied"
    machine.sim.order("defaults", completion_seconds=0)
    assert ben.settles(ben.says("And me?")).status == "replied"
    assert [(len(each.replies), each.completions) for each in (ana, ben)] == [(1, 1)] * 2
    assert (machine.lives("worker"), machine.running["worker"].process.pid) == (True, worker)
