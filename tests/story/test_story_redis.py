"""Redis goes away and returns: nothing is accepted meanwhile, and nothing accepted before is lost."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.story.machine import poll

if TYPE_CHECKING:
    from tests.story.machine import Machine


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_without_redis_a_webhook_is_answered_429_in_time(machine: Machine, end: signal.Signals) -> None:
    """Killed or stuck, in time a hundred senders get 429, the first within 1.5 s; with Redis back, it accepts again."""
    ana = machine.person("Plain")
    body = machine.webhook_of(ana.says("Are you there?", webhook=False))
    machine.post(machine.webhook_of(machine.person("Plain").says("Warm up", webhook=False)))

    machine.signal("redis", end)
    answers = machine.post_at_once(body, times=100)

    for seconds, head, content in answers:
        assert head.startswith("HTTP/1.1 429 ")
        assert "retry-after: " in head.lower()
        assert json.loads(content) == {"status": "unavailable"}
        assert seconds < 5  # the hundredth has to wait for a core too
    assert min(answers)[0] < 1.5
    machine.restore()
    assert machine.post(body).json()["status"] in {"accepted", "duplicate"}


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_readyz_says_503_while_redis_is_away(machine: Machine, end: signal.Signals) -> None:
    """A load balancer learns within two seconds that nothing can be accepted, and by healthz that the process lives."""
    machine.signal("redis", end)

    ready = machine.http.get(f"{machine.url}/readyz")
    alive = machine.http.get(f"{machine.url}/healthz")

    assert ready.status_code == 503
    assert ready.elapsed.total_seconds() < 2
    assert alive.status_code == 200


def test_what_was_accepted_before_redis_died_is_answered_after(machine: Machine) -> None:
    """A 202 is in the append-only file: killing Redis, receiver and worker at once loses none of it."""
    people = [machine.person("Patient") for _ in range(10)]
    said = [each.says("Promised is promised") for each in people]
    assert {one["answers"][0]["status_code"] for one in said} == {202}

    for name in ("redis", "web", "worker"):
        machine.kill(name)
    machine.restore()

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 10
    assert [(each.completions, len(each.replies)) for each in people] == [(1, 1)] * 10


def test_ghls_own_retries_get_through_once_redis_is_back(machine: Machine) -> None:
    """Messages written while Redis was away get exactly one reply each, automatically."""
    people = [machine.person("Plain") for _ in range(10)]
    machine.kill("redis")
    said = [each.says("Hello in the dark", wait=True) for each in people]
    assert {one["answers"][0]["status_code"] for one in said} == {429}

    machine.start("redis")

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 10
    assert [(each.completions, len(each.replies)) for each in people] == [(1, 1)] * 10


def test_redis_dies_while_completions_are_in_flight(machine: Machine) -> None:
    """Every contact still gets exactly one reply, and never has two simultaneous completions."""
    people = [machine.person("Plain") for _ in range(10)]
    for each in people:
        each.fault("completion", {"kind": "delay", "seconds": 1.0}, times=1)
    said = [each.says("Think about it") for each in people]
    poll("all completions in flight", lambda: all(each.completions for each in people))

    machine.kill("redis")
    machine.start("redis")

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 10
    assert [len(each.replies) for each in people] == [1] * 10
    assert [each.most_at_once for each in people] == [1] * 10


def test_redis_is_stuck_for_longer_than_a_lease(machine: Machine) -> None:
    """Leases expire while none can be renewed, and still no contact gets a second reply."""
    people = [machine.person("Plain") for _ in range(10)]
    for each in people:
        each.fault("completion", {"kind": "delay", "seconds": 1.5}, times=1)
    said = [each.says("Hold on") for each in people]
    poll("all completions in flight", lambda: all(each.completions for each in people))

    machine.signal("redis", signal.SIGSTOP)
    frozen = time.monotonic()
    poll("three seconds", lambda: time.monotonic() - frozen > 3)
    machine.signal("redis", signal.SIGCONT)

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 10
    assert [len(each.replies) for each in people] == [1] * 10
    assert [each.most_at_once for each in people] == [1] * 10


def test_a_worker_that_starts_before_its_redis_waits_for_it(machine: Machine) -> None:
    """Receiver and worker can start in any order."""
    ana = machine.person("Plain")
    for name in ("worker", "web", "redis"):
        machine.kill(name)
    machine.start("worker")
    machine.start("web")
    poll("an answer of the receiver", machine.listens)

    machine.start("redis")
    machine.ready()

    assert ana.settles(ana.says("Good morning")).status == "replied"


def test_a_full_redis_is_no_promise(machine: Machine) -> None:
    """At `maxmemory` a webhook gets 429; what was accepted before is still answered."""
    before, after = machine.person("Patient"), machine.person("Patient")
    kept = before.says("Before it was full")
    try:
        machine.redis.config_set("maxmemory", 1)

        assert after.says("Too late")["answers"][0]["status_code"] == 429
    finally:
        machine.redis.config_set("maxmemory", 0)

    assert before.settles(kept).status == "replied"
