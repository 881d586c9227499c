"""A cluster over TLS: state in `rediss+cluster://`, with the certificates of a private CA."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.dev import cluster
from tests.story.certificates import SERVER, certify, needs_tls
from tests.story.machine import poll
from tests.story.on_cluster import LOCATIONS, pointed_at

if TYPE_CHECKING:
    from tests.story.machine import Machine

pytestmark = needs_tls


def test_state_on_a_cluster_over_tls(machine: Machine, tmp_path: Path) -> None:
    """Contacts of each partition are answered once; a receiver that does not trust the CA accepts nothing and says why.

    Slow: a cluster with replicas, and the processes are started again.
    """
    certify(tmp_path)
    environ = {"BROKER_URL": machine.environ["REDIS_URL"], "BRIDGE_CONFIRM_REPLICAS": "1"}
    with (
        cluster.running(tmp_path / "nodes", primaries=2, program=Path(str(SERVER)), certificates=tmp_path) as nodes,
        pointed_at(machine, nodes.url, environ),
    ):
        assert nodes.url.startswith("rediss+cluster://")
        people = [machine.person(location) for location in LOCATIONS[::5]]
        said = [each.says("Is it private here?") for each in people]
        assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * len(people)
        assert [(len(each.replies), each.completions) for each in people] == [(1, 1)] * len(people)
        assert machine.cli("doctor").returncode == 0

        bare = nodes.url.partition("?")[0]
        machine.kill("web")
        machine.start("web", REDIS_URL=bare)
        poll("the receiver", machine.listens)
        refused = machine.post(machine.webhook_of(people[0].says("Who are you?", webhook=False)))
        ready = machine.http.get(f"{machine.url}/readyz")
        done = machine.cli("doctor", REDIS_URL=bare)
        assert (refused.status_code, ready.status_code, done.returncode) == (429, 503, 1)
        for why in (ready.json()["why"], done.stdout):
            assert "its certificate is not trusted" in why
