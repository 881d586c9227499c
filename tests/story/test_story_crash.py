"""Processes die during their work: every accepted message still gets exactly one answer."""

from __future__ import annotations

import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest
from celery import Celery

from bridge.cli import redis_server
from tests.keys import key
from tests.story.kills import all_in_flight, kill_amid_twenty_completions
from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine


def test_a_killed_worker_loses_and_doubles_nothing(machine: Machine) -> None:
    """The worker is killed during twenty completions: after the lease another one answers, each contact once.

    Slow: a lease ends before another worker may answer.
    """
    kill_amid_twenty_completions(machine)


def test_of_two_workers_the_living_one_takes_over(machine: Machine) -> None:
    """The dead one's conversations are answered by the other within a lease and the time of a completion."""
    machine.start("worker-2")
    machine.ready(workers=2)
    people = [machine.person("Plain") for _ in range(20)]
    machine.sim.order("defaults", completion_seconds=3.0)
    said = [each.says("Who is there?") for each in people]
    poll("twenty completions in flight", lambda: all_in_flight(people))

    machine.kill("worker")

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 20
    assert [(len(each.replies), each.most_at_once) for each in people] == [(1, 1)] * 20


def test_a_kill_between_completion_and_post_buys_no_second_completion(machine: Machine) -> None:
    """The answer was saved first, and the next worker posts it."""
    ana = machine.person("Plain")
    ana.fault("post", {"kind": "status", "status": 500}, times=1)
    said = ana.says("Keep it safe")
    poll("the failed post", lambda: "retrying" in machine.story(said["message_id"]))

    machine.kill("worker")
    second = ana.says("And this is another matter")
    machine.start("worker")

    assert [ana.settles(each).status for each in (said, second)] == ["replied"] * 2
    assert [each["body"]["input"] for each in ana.requests("assistable")] == ["Keep it safe", "And this is another matter"]
    assert ana.replies[0] == 'You said: "Keep it safe". How can I help?'
    assert len(ana.replies) == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_during_the_post_is_read_back(machine: Machine, when: str) -> None:
    """If it is killed while GHL has the request, the result is read from the conversation, and never guessed."""
    ana = machine.person("Plain")
    ana.fault("post", {"kind": "hang", "when": when}, times=1)
    said = ana.says("Mind the gap")
    poll("the post", lambda: len(ana.requests("post")) == 1)

    machine.kill("worker")
    machine.start("worker")

    assert ana.settles(said).status == "replied"
    assert (ana.completions, len(ana.replies)) == (1, 1)
    assert len(ana.requests("post")) == (2 if when == "before" else 1)


def test_a_worker_that_sleeps_through_its_lease_posts_nothing(machine: Machine) -> None:
    """Frozen during a completion, it is replaced by another worker; thawed, it finds its lease lost."""
    people = [machine.person("Plain") for _ in range(10)]
    machine.sim.order("defaults", completion_seconds=0.5)
    said = [each.says("Sleeping beauty") for each in people]
    poll("completions in flight", lambda: all_in_flight(people))
    machine.signal("worker", signal.SIGSTOP)
    machine.start("worker-2")

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 10
    machine.signal("worker", signal.SIGCONT)
    bob = machine.person("Plain")
    assert bob.settles(bob.says("Good morning")).status == "replied"
    poll("the fence", lambda: machine.log("worker").count("turn.fenced") >= sum(each.completions > 1 for each in people))

    assert [len(each.replies) for each in people] == [1] * 10


def test_a_receiver_killed_in_the_middle_of_a_burst_loses_no_promise(machine: Machine) -> None:
    """GHL's retries bring webhooks without a 202 again; nothing is answered twice."""
    people = [machine.person("Plain") for _ in range(40)]
    said = [each.says("Knock", wait=False) for each in people[:20]]

    machine.kill("web")
    said += [each.says("Knock", wait=False) for each in people[20:]]
    machine.start("web")

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 40
    assert [(each.completions, len(each.replies)) for each in people] == [(1, 1)] * 40


def test_told_to_stop_a_worker_gives_its_work_back(machine: Machine) -> None:
    """SIGTERM during a completion ends the worker within twenty-five seconds; the next one answers, once."""
    ana = machine.person("Plain")
    ana.fault("completion", {"kind": "delay", "seconds": 3.0}, times=1)
    said = ana.says("Last orders")
    poll("the completion", lambda: ana.completions == 1)

    began = time.monotonic()
    assert machine.stop("worker") == 0
    assert time.monotonic() - began < 25
    machine.start("worker")

    assert ana.settles(said).status == "replied"
    assert (len(ana.replies), ana.most_at_once) == (1, 1)


def test_told_to_stop_a_receiver_answers_whom_it_has_let_in(machine: Machine) -> None:
    """SIGTERM during a webhook's body: the rest is read, the message accepted, and then the process ends."""
    ana = machine.person("Plain")
    said = ana.says("Wait for me", webhook=False)
    body = machine.webhook_of(said)
    head = "".join(f"{name}: {value}\r\n" for name, value in machine.signer.signatures(body, legacy="off").items())
    with socket.create_connection(("127.0.0.1", int(machine.environ["PORT"])), timeout=10) as sock:
        sock.sendall(f"POST /webhooks/ghl HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:50])
        poll("the receiver to have begun", lambda: machine.http.get(f"{machine.url}/healthz").status_code == 200)

        machine.signal("web", signal.SIGTERM)
        poll("the receiver to let nobody else in", lambda: not machine.listens())
        sock.sendall(body[50:])
        answer = sock.recv(65536)

    assert answer.startswith(b"HTTP/1.1 202 ")
    machine.stop("web")
    machine.start("web")
    assert ana.settles(said).status == "replied"


def test_a_lane_that_kills_its_worker_does_not_kill_for_ever(machine: Machine) -> None:
    """Ten unfinished leases cause a dead letter; other lanes are answered meanwhile."""
    ana = machine.person("Plain")
    ana.fault("completion", {"kind": "hang"})
    said = ana.says("Poison")
    poll("the completion", lambda: ana.completions == 1)
    # What ten killed workers would leave behind, without the twenty seconds.
    machine.kill("worker")
    machine.redis.hset(key("lane", f"Plain:{ana.id}"), "unfinished", 10)

    machine.start("worker")

    record = ana.settles(said)
    assert record.status == "dead"
    assert "10 workers in a row crashed" in record.error
    assert ana.completions == 1


def test_lost_wake_ups_are_called_again(machine: Machine) -> None:
    """The queue is emptied repeatedly while fifty messages arrive: the schedule has them all, and each is answered once."""
    people = [machine.person("Plain") for _ in range(50)]
    said = []
    for each in people:
        said.append(each.says("Psst"))
        machine.redis.delete(machine.queue)
    emptied = time.monotonic()
    poll("a second of lost wake-ups", lambda: machine.redis.delete(machine.queue) < 0 or time.monotonic() - emptied > 1)

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 50
    assert [(each.completions, len(each.replies)) for each in people] == [(1, 1)] * 50


def test_a_wake_up_that_comes_often_changes_nothing(machine: Machine) -> None:
    """Ten wake-ups for every lane, before, during and after its turn, ask and post nothing twice."""
    people = [machine.person("Plain") for _ in range(10)]
    queue = Celery(broker=machine.environ["REDIS_URL"], set_as_current=False)
    machine.sim.order("defaults", completion_seconds=0.5)
    said = [each.says("Once is enough") for each in people]

    with queue.connection_for_write() as connection:
        for _ in range(10):
            for each in people:
                queue.send_task("bridge.answer", (f"Plain:{each.id}",), queue=machine.queue, connection=connection)
            machine.person("Plain")

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 10
    poll("an empty queue", lambda: machine.redis.llen(machine.queue) == 0)
    assert [(each.completions, len(each.replies), each.most_at_once) for each in people] == [(1, 1, 1)] * 10


def test_a_broker_that_forgets_everything_loses_no_message(machine: Machine) -> None:
    """A separate broker is killed and started empty: each contact gets exactly one reply."""
    port = str(redis_server.free_port())
    command = [machine.redis_command[0], "--port", port, "--save", "", "--loglevel", "warning"]
    machine.spawn("broker-1", command)
    machine.restart("worker", BROKER_URL=f"redis://127.0.0.1:{port}/0")
    people = [machine.person("Plain") for _ in range(20)]
    machine.sim.order("defaults", completion_seconds=0.5)
    said = [each.says("Remember me") for each in people]
    poll("a completion", lambda: any(each.completions for each in people))

    machine.kill("broker-1")
    said += [each.says("And me") for each in people]
    machine.spawn("broker-1", command)

    assert [each.settles(one, seconds=30).status for each, one in zip(people * 2, said, strict=True)] == ["replied"] * 40
    texts = ["\n".join(each.replies) for each in people]
    assert [(text.count("Remember me"), text.count("And me")) for text in texts] == [(1, 1)] * 20
    assert [each.most_at_once for each in people] == [1] * 20
    machine.restart("worker")


def test_a_bare_worker_has_the_right_pool_and_slots(machine: Machine) -> None:
    """`celery -A workers worker` without options runs two hundred completions at once; killed, it loses none."""
    machine.restart("worker", WORKER_CONCURRENCY="")
    machine.sim.order("defaults", completion_seconds=30)

    sent = machine.sim.order("burst", location_id="Plain", contacts=220, messages_each=1)

    poll("two hundred at once", lambda: len(machine.sim.ask("counts")["completions"]["in_flight"]) == 200)
    assert machine.sim.ask("counts")["completions"]["max_in_flight_overall"] == 200
    machine.sim.order("defaults", completion_seconds=0)
    machine.restart("worker")
    poll("all replies", lambda: _all_replied(machine, sent["contact_ids"]), seconds=60)
    counts = machine.sim.ask("counts")
    assert [len(counts["posts"]["by_contact"][one]) for one in sent["contact_ids"]] == [1] * 220
    assert {counts["completions"]["max_in_flight"][one] for one in sent["contact_ids"]} == {1}


def _all_replied(machine: Machine, ids: list[str]) -> bool:
    posts = machine.sim.ask("counts")["posts"]["by_contact"]
    return all(posts.get(one) for one in ids)
