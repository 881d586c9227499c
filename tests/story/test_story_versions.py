"""GHL retires an API version and the legacy signature: it is reported, and nothing is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bridge.policy.legacy_signatures import UNUSED_MS
from bridge.store.figures.signatures import signatures_seen
from tests.keys import key
from tests.story.machine import poll
from tests.story.test_story_metrics import told

if TYPE_CHECKING:
    from tests.story.machine import Machine


def state_of(machine: Machine, location: str) -> tuple[str, str | None]:
    shown = json.loads(machine.cli("locations", "show", location, "--json").stdout)
    return shown["state"], shown["hold_why"]


def test_a_retired_api_version_holds_the_location_and_the_new_value_releases_it(machine: Machine) -> None:
    """There is no dead letter: the messages wait, doctor names the setting, and after it is set each has exactly one reply.

    Slow: receiver and worker are restarted with the new value.
    """
    machine.apply(Retired={})
    machine.sim.order("defaults", retired_versions=["2021-04-15", "2021-07-28"])
    people = [machine.person("Retired") for _ in range(3)]
    said = [each.says("Hello?") for each in people]
    poll("a hold", lambda: state_of(machine, "Retired") == ("hold", "version"))
    assert "GHL_API_VERSION" in machine.cli("doctor", "--location", "Retired").stdout
    listed = json.loads(machine.cli("dead-letters", "list", "--location", "Retired", "--json").stdout)
    waiting = {machine.explain(one["message_id"])["messages"][0]["status"] for one in said}
    assert (listed, waiting, [each.replies for each in people]) == ([], {"waiting"}, [[], [], []])

    machine.kill("worker")
    machine.start("worker-new", GHL_API_VERSION="2023-02-21")

    assert {each.settles(one).status for each, one in zip(people, said, strict=True)} == {"replied"}
    assert [(len(each.replies), len(each.requests("post"))) for each in people] == [(1, 1)] * 3
    assert state_of(machine, "Retired") == ("active", None)


def test_events_with_the_legacy_signature_alone_are_counted_and_refused_once_it_is_over(machine: Machine) -> None:
    """They are accepted, counted and named by doctor; after seven days of Ed25519 without one they are refused: 401, no reply."""
    ana, before = machine.person("Plain"), told(machine)
    machine.sim.order("defaults", legacy_signature="only")
    assert ana.settles(ana.says("Signed the old way")).status == "replied"
    counted = "ghl_bridge_signatures_total rsa"
    poll("the count", lambda: told(machine)[counted] > before[counted])
    assert "legacy RSA signature alone" in machine.cli("doctor").stdout

    machine.sim.order("defaults", legacy_signature="both")
    assert ana.settles(ana.says("Signed both ways")).status == "replied"
    newest = poll("Ed25519 on record", lambda: signatures_seen(machine.redis).ed25519_at_ms)
    machine.redis.hset(key("signatures"), "ed25519_since", newest - UNUSED_MS)
    machine.sim.order("defaults", legacy_signature="only")
    ana.says("Signed the old way again")
    refused = "ghl_bridge_signatures_total rsa_refused"
    poll("the refusal", lambda: told(machine)[refused] > before[refused])
    machine.redis.delete(key("signatures"))
    assert (len(ana.replies), ana.completions) == (2, 2)
