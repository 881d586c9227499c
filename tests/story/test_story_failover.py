"""A failover behind one address: a connection to the demoted server is refused as long as it lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from redis import Redis

from tests.stored import own_redis
from tests.story.machine import poll
from tests.story.strait import Strait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.story.machine import Machine

# Two pipelines may be under way at the demoted server.
MOST_REFUSED = 2


@pytest.fixture
def replica(machine: Machine, tmp_path: Path) -> Iterator[Redis]:
    """A replica in sync with the machine's Redis, which it leaves alone afterwards."""
    known = machine.redis.connection_pool.connection_kwargs
    machine.redis.config_set("masterauth", known["password"])
    with own_redis(tmp_path / "replica") as server:
        own = Redis.from_url(server.url, decode_responses=True)
        own.config_set("masterauth", known["password"])
        own.replicaof("127.0.0.1", known["port"])
        own.config_set("requirepass", known["password"])
        poll("a replica in step", lambda: machine.redis.info("replication").get("slave0", {}).get("state") == "online")
        try:
            with own:
                yield own
        finally:
            for name in ("worker", "web"):
                machine.kill(name)
            machine.redis.replicaof("NO", "ONE")


def test_a_failover_behind_one_address_is_found_at_once(machine: Machine, replica: Redis) -> None:
    """The third webhook is accepted, idle worker and busy receiver follow, and each contact is answered once.

    Slow: a second server is brought in step, and the processes are restarted.
    """
    known = machine.redis.connection_pool.connection_kwargs
    there = replica.connection_pool.connection_kwargs["port"]
    with Strait(known["port"]) as front:
        url = f"redis://:{known['password']}@127.0.0.1:{front.port}/0"
        for name in ("web", "worker"):
            machine.restart(name, REDIS_URL=url)
        people = [machine.person("Plain") for _ in range(12)]
        machine.sim.order("defaults", completion_seconds=0.5)
        said = [each.says("Who is there?") for each in people[:8]]
        machine.post_at_once(machine.webhook_of(said[0]), times=50)

        machine.redis.execute_command("FAILOVER", "TO", "127.0.0.1", there)  # type: ignore[no-untyped-call] # as the client has it
        poll("a new primary", lambda: replica.info("replication")["role"] == "master")
        front.lead_to(there)

        body = machine.webhook_of(people[8].says("And now?", webhook=False))
        answers = [machine.post(body).status_code for _ in range(10)]
        for each in people[9:]:
            each.says("And I?")
        poll(
            "a reply to all",
            lambda: [len(each.replies) for each in people] == [1] * 12,
            told=lambda: [len(each.replies) for each in people],
        )
        assert 429 not in answers[MOST_REFUSED:]
        assert machine.lives("worker")
