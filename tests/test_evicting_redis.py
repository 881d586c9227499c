"""A Redis that evicts keys when it is full: it loses accepted messages, so `/readyz` and `doctor` name its policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.operating.doctor.installation import DoctorQuery, examine
from bridge.operating.local import LocalOperations
from bridge.operating.services import AdminServices
from bridge.receiver.app import build
from bridge.store.redis.connection import connect_without_retries
from tests.keys import key
from tests.receiver.conftest import Receiver, settings_for
from tests.stored import HERE, accept, keep, message, own_redis

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.settings import Settings

POLICIES = ("allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl")


def doctor_says(settings: Settings) -> str:
    """What `doctor` finds about durability, as a problem; empty if it finds none."""
    services = AdminServices(settings)
    findings = LocalOperations(services, who="cli")(examine, DoctorQuery(location_id="")).findings
    services.close()
    return "".join(each.says for each in findings if each.what == "durability" and not each.ok)


async def test_every_policy_that_evicts_is_named(tmp_path: Path) -> None:
    """Readiness stays 200, because it accepts; durability is incomplete, with the policy to set."""
    with own_redis(tmp_path) as server, connect_without_retries(server.url, seconds=5) as redis:
        settings = settings_for(server.url, GHL_API_URL="http://127.0.0.1:1")
        keep(redis)
        app = build(settings)
        async with app.router.lifespan_context(app):
            for policy in ("noeviction", *POLICIES):
                redis.config_set("maxmemory-policy", policy)
                lacks = [] if policy == "noeviction" else [f"maxmemory-policy noeviction (is {policy})"]
                answer = await Receiver(app, settings).call("GET", "/readyz")
                assert (answer.status_code, answer.json()["durability"]["missing"]) == (200, lacks)
                assert all(one in doctor_says(settings) for one in lacks)
                assert bool(doctor_says(settings)) == bool(lacks)


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru"])
def test_what_is_evicted_was_accepted(tmp_path: Path, policy: str) -> None:
    """A full Redis that evicts accepts new messages and deletes older ones: the reason for `noeviction`."""
    with own_redis(tmp_path) as server, connect_without_retries(server.url, seconds=5) as redis:
        keep(redis)
        redis.config_set("maxmemory-policy", policy)
        redis.config_set("maxmemory", redis.info("memory")["used_memory"] + 200_000)
        taken: list[str] = []
        while not redis.info("stats")["evicted_keys"] and len(taken) < 2000:
            taken += [f"m{len(taken) + number}" for number in range(50)]
            accept(redis, *(message(one, f"c{one}", text="words " * 20) for one in taken[-50:]))
        assert not all(redis.exists(key("message", HERE, one)) for one in taken)
