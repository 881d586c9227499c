"""What `doctor` reports about a wrong RabbitMQ, and what a worker does then."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.broker import OLDER_QUEUE, look
from bridge.errors import DidNotWork
from tests.story import rabbitmq
from tests.story.machine import poll
from tests.story.rabbitmq import RabbitMQ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.story.machine import Machine

pytestmark = pytest.mark.skipif(
    rabbitmq.find() is None, reason="no rabbitmq-server on this machine: `apt-get install rabbitmq-server` installs one"
)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """One RabbitMQ for all stories of this file."""
    rabbit = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    try:
        rabbit.start()
        yield rabbit
    finally:
        rabbit.stop()


@contextmanager
def with_another_queue(broker: RabbitMQ) -> Iterator[None]:
    """The queue exists with another type."""
    broker.delete(OLDER_QUEUE)
    broker.declare(OLDER_QUEUE)
    try:
        yield
    finally:
        broker.delete(OLDER_QUEUE)


@contextmanager
def in_an_alarm(broker: RabbitMQ) -> Iterator[None]:
    """It is above its memory limit, and accepts nothing."""
    broker.set_memory("1")
    try:
        poll("an alarm", broker.alarms)
        yield
    finally:
        broker.set_memory("256MB")


@contextmanager
def frozen(broker: RabbitMQ) -> Iterator[None]:
    """It accepts connections and never answers."""
    broker.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        broker.signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(with_another_queue, "other properties"), (in_an_alarm, "an alarm"), (frozen, "frozen")],
)
def test_what_is_wrong_with_a_broker_is_told_in_words(
    broker: RabbitMQ, wrong: Callable[[RabbitMQ], AbstractContextManager[None]], words: str
) -> None:
    """Reading the queue and a message to nobody show what a TCP connection doesn't.

    Slow: RabbitMQ is given three seconds to answer.
    """
    assert "accepts connections" in look(broker.url, OLDER_QUEUE)
    with wrong(broker), pytest.raises(DidNotWork, match=words):
        look(broker.url, OLDER_QUEUE)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("guest:guest", "guest:hunter2", "login"), ("//", "/nowhere", "virtual host")],
    ids=["login", "vhost"],
)
def test_who_is_not_let_in_is_told_why(broker: RabbitMQ, old: str, new: str, words: str) -> None:
    """A wrong password and a missing virtual host are named, without anything of the URL."""
    head, _, tail = broker.url.rpartition(old)
    with pytest.raises(DidNotWork, match=words) as told:
        look(f"{head}{new}{tail}", OLDER_QUEUE)
    assert "hunter2" not in str(told.value)


def test_a_worker_that_finds_another_queue_ends_with_78(broker: RabbitMQ, machine: Machine) -> None:
    """Only an operator can change that: there is a sentence, no traceback, and no loop."""
    with with_another_queue(broker):
        ended = machine.start("worker-2", BROKER_URL=broker.url).wait(30)
        said = machine.log("worker-2")
    assert ended == 78
    assert "exists at the broker with other properties" in said
    assert "Traceback" not in said


def test_a_worker_that_is_not_let_in_waits_and_says_why(broker: RabbitMQ, machine: Machine) -> None:
    """The login may be right in a minute: it is logged once, without a traceback."""
    machine.start("worker-2", BROKER_URL=broker.url.replace("guest:guest", "guest:hunter2"))
    poll("its word", lambda: "it refuses the login in BROKER_URL" in machine.log("worker-2"))
    assert machine.lives("worker-2")
    assert "Traceback" not in machine.log("worker-2")
