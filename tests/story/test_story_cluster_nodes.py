"""Three primaries without replicas, so that one that is missing stays away: what the others have goes on."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from redis import RedisError

from bridge.store.redis.partitions import HOME, key
from infra.dev import cluster
from tests.story.machine import poll
from tests.story.on_cluster import LOCATIONS, pointed_at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.story.machine import Machine, Person


def test_a_missing_node_delays_its_own_locations_only(machine: Machine, tmp_path: Path) -> None:
    """All are answered; then the node with home is away: contacts of the others are answered, its own when it is back.

    Slow: a cluster, and the processes are started again; GHL's retries are waited for.
    """
    environ = {"BROKER_URL": machine.environ["REDIS_URL"]}
    with cluster.running(tmp_path, replicas=0) as nodes, pointed_at(machine, nodes.url, environ):
        are_answered([machine.person(location) for location in LOCATIONS])
        before = replied(machine)
        gone = nodes.primary_of(HOME)
        own, others = LOCATIONS[:6], LOCATIONS[6:]
        gone.kill()

        are_answered([machine.person(location) for location in others])
        late = [machine.person(location) for location in own]
        said = [each.says("And now?", wait=False) for each in late]
        assert machine.post(machine.webhook_of(machine.person(own[0]).says("Who is there?", webhook=False))).status_code == 429
        ready = machine.http.get(f"{machine.url}/readyz")
        assert (ready.status_code, ready.json()["status"], "Writes refused" in ready.json()["troubles"]) == (
            200,
            "degraded",
            True,
        )
        assert str(gone.port) in ready.json()["why"]
        assert replied(machine) >= before + len(others)
        doctor = machine.cli("doctor")
        assert (doctor.returncode, str(gone.port) in doctor.stdout) == (1, True)
        for one in ("locations", "conversations", "dead-letters"):
            listed = machine.cli(one, "list")
            assert (
                listed.returncode,
                f"partitions 0, 1, 2, 3, 4, 5 are missing: its node 127.0.0.1:{gone.port}" in listed.stderr,
            ) == (0, True)
        assert {line.partition("\t")[0] for line in machine.cli("locations", "list").stdout.splitlines()} == set(others)

        gone.start()
        gone.wait()
        nodes.wait_until_whole()
        poll("the node in use again", lambda: is_reached(machine))
        assert [each.settles(one).status for each, one in zip(late, said, strict=True)] == ["replied"] * len(late)
        assert [(len(each.replies), each.completions) for each in late] == [(1, 1)] * len(late)
        machine.ready()


def is_reached(machine: Machine) -> bool:
    """Whether the test's own client has home again."""
    with contextlib.suppress(RedisError):
        return bool(machine.redis.get(key("installation")))
    return False


def are_answered(people: list[Person]) -> None:
    """Each writes, and gets one reply."""
    said = [each.says("Is anybody there?") for each in people]
    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * len(people)
    assert [(len(each.replies), each.completions) for each in people] == [(1, 1)] * len(people)


def replied(machine: Machine) -> int:
    """How many replies the metrics count."""
    told = machine.http.get(f"{machine.url}/metrics").text
    found = re.findall(r'^ghl_bridge_messages_total\{[^}]*status="replied"[^}]*\} (\d+)', told, re.MULTILINE)
    return sum(map(int, found))
