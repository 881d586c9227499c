"""GHL lists messages late: a reply counts as absent only when it would be listed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.keys import key

if TYPE_CHECKING:
    from tests.story.machine import Machine

CONTACTS = 60
LAG_SECONDS = 6.0


@pytest.mark.nightly
def test_a_list_that_is_late_doubles_nothing(machine: Machine) -> None:
    """Sixty posts with lost answers, a list six seconds late, only one look and no echoes: sixty replies."""
    machine.redis.delete(key("lag", "Blind"))
    machine.sim.order("defaults", echo="off", list_lag_seconds=LAG_SECONDS)
    people = [machine.person("Blind") for _ in range(CONTACTS)]
    for each in people:
        each.fault("post", {"kind": "cut", "when": "after"}, times=1)
    said = [each.says("Did you get that?") for each in people]
    records = [each.settles(one, seconds=120) for each, one in zip(people, said, strict=True)]
    replies = [len(each.replies) for each in people]
    assert (sum(replies), max(replies)) == (CONTACTS, 1)
    assert [one.status for one in records] == ["replied"] * CONTACTS
    assert sum(len(each.requests("post")) for each in people) == CONTACTS
    assert int(machine.redis.hget(key("lag", "Blind"), "missing") or 0) > 0
