"""The rules for known gaps: half-open connections, different clocks, kills under load, and bounds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from bridge.store.lanes.inbox import MOST_WAITING
from bridge.store.lanes.schedule import MOST_MESSAGES_OF_A_TURN
from bridge.store.redis.partitions import keys
from tests.keys import key
from tests.story.machine import poll
from tests.story.preloaded import needs_compiler, shifted_clock
from tests.story.strait import Strait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from bridge.simulator.keys import SigningKeys
    from tests.story.machine import Machine, Person

LEASE_SECONDS = 2.0
TIMELINE_LINES = 500


@pytest.fixture
def strait(machine: Machine) -> Iterator[Strait]:
    """Receiver and worker reach Redis through a proxy; afterwards they reach it directly."""
    port = int(machine.environ["REDIS_URL"].rpartition(":")[2].partition("/")[0])
    with Strait(port) as strait:
        through = machine.environ["REDIS_URL"].replace(f":{port}/", f":{strait.port}/")
        machine.restart("web", REDIS_URL=through)
        machine.restart("worker", REDIS_URL=through)
        yield strait
        machine.restart("web")
        machine.restart("worker")


def test_half_open_connections_to_redis_lose_and_double_nothing(machine: Machine, strait: Strait) -> None:
    """While bytes to Redis vanish a webhook gets 429 in time; afterwards each message gets its one reply.

    Slow: dispatcher, broker and slots each notice by a timeout of five seconds, one after the other.
    """
    before, meanwhile = [machine.person("Plain") for _ in range(10)], [machine.person("Plain") for _ in range(10)]
    machine.sim.order("defaults", completion_seconds=0.5)
    said = [each.says("Can you hear me?") for each in before]
    poll("all completions in flight", lambda: all(each.completions for each in before))

    strait.swallow()
    said += [each.says("And me?", wait=False) for each in meanwhile]
    [(seconds, head, content)] = machine.post_at_once(machine.webhook_of(said[0]), times=1)
    assert (head.partition("\r\n")[0].split()[1], json.loads(content)) == ("429", {"status": "unavailable"})
    assert seconds < 1.5
    swallowed = time.monotonic()
    poll("longer than a lease", lambda: time.monotonic() - swallowed > LEASE_SECONDS + 1)
    strait.heal()
    healed = time.monotonic()

    assert [each.settles(one).status for each, one in zip(before + meanwhile, said, strict=True)] == ["replied"] * 20
    # Dispatcher, broker and slots each find out by a timeout of five seconds, one after the other.
    assert time.monotonic() - healed < 25
    assert [len(each.replies) for each in before + meanwhile] == [1] * 20
    assert [each.most_at_once for each in before + meanwhile] == [1] * 20


@needs_compiler
@pytest.mark.parametrize("seconds", [-30, 30])
def test_a_worker_whose_clock_is_wrong_does_as_the_others(machine: Machine, tmp_path: Path, seconds: int) -> None:
    """With half a minute of difference, debounce, leases, order, waits and read-backs are right."""
    wrong = shifted_clock(tmp_path, seconds=seconds)
    assert abs(_clock_of_a_process(wrong) - seconds) < 5
    machine.restart("worker", **wrong)
    bursts, slow = [machine.person("Patient") for _ in range(6)], [machine.person("Plain") for _ in range(6)]
    retried, lost = [machine.person("Plain") for _ in range(4)], [machine.person("Plain") for _ in range(4)]
    for each in slow:
        each.fault("completion", {"kind": "delay", "seconds": LEASE_SECONDS + 0.5}, times=1)
    for each in retried:
        each.fault("post", {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}, times=1)
    for each in lost:
        each.fault("post", {"kind": "cut", "when": "after"}, times=1)
    everybody = bursts + slow + retried + lost
    first, second = [], []
    # The second message of a burst comes before its debounce ends, however long a process takes to start.
    for each in everybody:
        first.append(each.says("First this"))
        if each in bursts:
            second.append(each.says("Then that"))
    machine.start("worker-2")

    assert [each.settles(one).status for each, one in zip(everybody, first, strict=True)] == ["replied"] * len(everybody)
    assert [each.settles(one).status for each, one in zip(bursts, second, strict=True)] == ["replied"] * len(bursts)
    assert [each.requests("assistable")[0]["body"]["input"] for each in bursts] == ["First this\nThen that"] * len(bursts)
    assert [(each.completions, len(each.replies), each.most_at_once) for each in everybody] == [(1, 1, 1)] * len(everybody)
    assert [len(each.requests("post")) for each in lost] == [1] * len(lost)
    assert "turn.ended" in machine.log("worker")
    assert abs(_clock_of_a_log(machine.log("worker")) - seconds) < 15
    afterwards = [each.says("And this") for each in slow]
    assert [each.settles(one).status for each, one in zip(slow, afterwards, strict=True)] == ["replied"] * len(slow)
    assert [re.findall("First this|And this", " ".join(each.replies)) for each in slow] == [["First this", "And this"]] * len(
        slow
    )
    machine.restart("worker")


@pytest.mark.parametrize("victim", ["web", "redis"])
def test_killed_again_and_again_under_load_nothing_accepted_is_lost(machine: Machine, victim: str) -> None:
    """After three kill -9 during webhooks with GHL's retries every message is answered exactly once."""
    people = [machine.person("Plain") for _ in range(15)]
    # GHL comes again for an hour; on a busy machine a receiver may need longer to start than the simulator's usual tries.
    machine.sim.order("defaults", completion_seconds=0.2, retry_delays=[0.5, 1, 2, 5, 10, 20])
    said: list[tuple[Person, dict[str, Any]]] = []
    for word in ("one", "two", "three"):
        for each in people:
            said.append((each, each.says(f"Number {word}", wait=False)))
            if each is people[7]:
                machine.kill(victim)
        machine.start(victim)
        poll("a receiver that can accept", lambda: _can_accept(machine))

    assert [each.settles(one, seconds=60).status for each, one in said] == ["replied"] * 45
    numbers = [re.findall("Number (one|two|three)", " ".join(each.replies)) for each in people]
    assert [sorted(each) for each in numbers] == [["one", "three", "two"]] * 15
    assert [each.most_at_once for each in people] == [1] * 15


def test_a_killed_workers_conversations_are_answered_within_the_lease_and_ten_seconds(machine: Machine) -> None:
    """The time is from the kill to the last reply of thirty, by the other worker, with shorter completions."""
    machine.restart("worker", WORKER_CONCURRENCY="40")
    people = [machine.person("Plain") for _ in range(30)]
    machine.sim.order("defaults", completion_seconds=20)
    said = [each.says("Hurry") for each in people]
    poll("thirty completions in flight", lambda: all(each.completions for each in people))
    machine.start("worker-2", WORKER_CONCURRENCY="40")
    machine.ready(workers=2)
    machine.sim.order("defaults", completion_seconds=0)

    machine.kill("worker")
    killed = time.monotonic()

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 30
    assert time.monotonic() - killed < LEASE_SECONDS + 10
    assert [(each.completions, len(each.replies)) for each in people] == [(2, 1)] * 30


def test_a_flooded_lane_stays_bounded(machine: Machine) -> None:
    """Of 1,200 messages 1,000 wait, the rest is skipped with its reason; all is answered later, and everything expires."""
    machine.apply(Flooded={})
    ana = machine.person("Flooded")
    machine.kill("worker")
    signer = machine.signer
    sample = machine.webhook_of(ana.says("Drop", webhook=False))
    bodies = {body["messageId"]: body for body in (_another(sample, f"Drop {number}") for number in range(MOST_WAITING + 200))}

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: _post(machine, signer, body), bodies.values()))

    told = [answer.json() for answer in answers]
    assert Counter(answer.status_code for answer in answers) == {202: MOST_WAITING, 200: 200}
    assert {one["reason"] for one in told if one["status"] == "ignored"} == {"overflow"}
    too_many = next(one["message_id"] for one in told if one["status"] == "ignored")
    lane = f"Flooded:{ana.id}"
    assert machine.redis.llen(key("waiting", lane)) == MOST_WAITING
    assert machine.redis.llen(key("timeline", lane)) == TIMELINE_LINES
    record = machine.record(too_many)
    assert record
    assert (record.status, record.reason) == ("skipped", "overflow")
    assert _post(machine, signer, bodies[too_many]).json()["status"] == "duplicate"
    waiting = [str(id_) for id_ in machine.redis.lrange(key("waiting", lane), 0, -1)]
    kept = {key("waiting", lane), key("lane", lane), *(key("message", "Flooded", id_) for id_ in waiting)}
    assert _without_end(machine, lane) <= kept

    ana.fault("completion", {"kind": "text", "text": "One moment, please."})
    machine.start("worker")

    assert ana.settles({"message_id": waiting[-1]}).status == "replied"
    assert len(ana.replies) == ana.completions == MOST_WAITING / MOST_MESSAGES_OF_A_TURN
    assert _asked(ana).split("\n") == [bodies[id_]["body"] for id_ in waiting]
    assert machine.redis.llen(key("timeline", lane)) == TIMELINE_LINES
    assert _without_end(machine, lane) == set()


def test_a_provider_that_never_delivers_is_known_after_three_answers(machine: Machine) -> None:
    """With `delivery = auto`, three answers without a claim make a fault a usual one: retried at once, without a read-back."""
    # An earlier story may have restarted Redis, after which each turn of a minute looks into GHL first.
    machine.redis.delete(*keys("rollback"))
    machine.apply(Learning={"provider_timeout_seconds": 3, "assistable": {"delivery": "auto"}})
    ana, bob = machine.person("Learning"), machine.person("Learning")
    bob.fault("completion", {"kind": "status", "status": 500}, times=1)
    assert bob.settles(bob.says("Still unknown")).status == "replied"
    assert bob.requests("messages") != []
    for number in range(2):
        assert ana.settles(ana.says(f"Lesson {number}")).status == "replied"

    ana.fault("completion", {"kind": "status", "status": 500}, times=1)
    said = ana.says("Known by now")

    assert ana.settles(said).status == "replied"
    assert ana.requests("messages") == []
    assert (ana.completions, len(ana.replies)) == (4, 3)


def _clock_of_a_process(environ: dict[str, str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", "import time; print(time.time())"],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout) - time.time()


def _clock_of_a_log(log: str) -> float:
    """How far its last log line is ahead: a few seconds of waiting are between that line and now."""
    stamps = re.findall(r'"timestamp":"([^"]+)"', log)
    ahead: timedelta = datetime.fromisoformat(stamps[-1]) - datetime.now(UTC)
    return ahead.total_seconds()


def _can_accept(machine: Machine) -> bool:
    return machine.listens() and machine.http.get(f"{machine.url}/readyz").status_code == HTTPStatus.OK


def _another(webhook: bytes, text: str) -> dict[str, Any]:
    """The webhook of another message of the same contact."""
    return {**json.loads(webhook), "messageId": uuid4().hex, "webhookId": str(uuid4()), "body": text}


def _post(machine: Machine, signer: SigningKeys, body: dict[str, Any]) -> httpx.Response:
    """Send it signed with keys that are read once, because reading them takes longer than all the rest."""
    content = json.dumps(body).encode()
    return machine.post(content, signer.signatures(content, legacy="off"))


def _asked(person: Person) -> str:
    return "\n".join(each["body"]["input"] for each in person.requests("assistable"))


def _without_end(machine: Machine, lane: str) -> set[str]:
    """The keys of a lane and its messages without an expiry."""
    location, _, contact = lane.partition(":")
    found = [name for part in (contact, f":{location}:") for name in machine.redis.scan_iter(f"*{part}*", count=5000)]
    return {name for name in found if machine.redis.pttl(name) < 0 and name != key("due", location)}
