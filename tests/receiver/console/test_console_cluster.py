"""Lists while a node of a cluster is missing: what the others have, and what is not listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.store.redis.connection import connect
from bridge.store.redis.partitions import partition_of
from infra.dev import cluster
from tests.receiver.console.conftest import opened, words
from tests.served import ADMIN_TOKEN
from tests.stored import accept, keep, message

if TYPE_CHECKING:
    from pathlib import Path

# Of the first half of the partitions, and of the second.
HERE, THERE = "L2", "L1"

LATTER = "8, 9, 10, 11, 12, 13, 14, 15"


async def test_pages_show_the_rest_and_say_what_is_missing(tmp_path: Path) -> None:
    """Locations, conversations and dead letters of the other node are listed; each page and the admin API name the partitions."""
    assert (partition_of(HERE) // 8, partition_of(THERE) // 8) == (0, 1)
    with cluster.running(tmp_path, primaries=2, replicas=0) as nodes:
        with connect(nodes.url) as redis:
            keep(redis, HERE, THERE)
            accept(redis, *(message(f"m-{one}", location=one, contact=f"contact-{one}") for one in (HERE, THERE)))
        async with opened(nodes.url, BROKER_URL="redis://127.0.0.1:1") as browser:
            await browser.log_in()
            for path in ("/locations", "/conversations"):
                shown = words(await browser.see(path))
                assert (HERE in shown, THERE in shown, "Not listed" in shown) == (True, True, False)
            nodes.nodes[1].kill()
            for path in ("/locations", "/conversations", "/dead-letters"):
                shown = words(await browser.see(path))
                assert f"the locations of partitions {LATTER} are missing: its node 127.0.0.1:{nodes.nodes[1].port}" in shown
                assert THERE not in shown
            assert f"contact-{HERE}" in words(await browser.see("/conversations?status=overdue"))
            answer = await browser.http.get(
                "/api/v1/conversations?status=overdue", headers={"Authorization": "Bearer " + ADMIN_TOKEN}
            )
            assert [one["location_id"] for one in answer.json()["conversations"]] == [HERE]
            assert len(answer.json()["missing"]) == 1
