"""The audit log: who changed what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import WrongInput
from bridge.operating import audit, locations
from bridge.operating.audit import AuditQuery
from bridge.operating.local import LocalOperations
from bridge.operating.locations import Apply, LocationQuery
from bridge.store.operators.audit import MOST, Audit
from tests.keys import key
from tests.stored import PROVIDED, RETENTION_MS, pass_time

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations
    from bridge.operating.services import AdminServices


def test_every_change_is_noted_newest_first(admin_services: AdminServices) -> None:
    """An entry has the way, the action and the ids; reading is not a change."""
    by_cli, by_token = LocalOperations(admin_services, who="cli"), LocalOperations(admin_services, who="token")
    by_cli(locations.apply, Apply(locations={"One": PROVIDED, "Two": PROVIDED}))
    by_token(locations.pause, LocationQuery("One"))
    by_token(locations.show, LocationQuery("One"))

    found = by_cli(audit.audit, AuditQuery()).changes

    assert [(each.who, each.what, each.ids, each.outcome) for each in found] == [
        ("token", "locations.pause", ("One",), "done"),
        ("cli", "locations.apply", ("One", "Two"), "done"),
    ]
    assert all(each.at for each in found)


def test_what_was_refused_is_no_change(redis: Redis, perform: Operations) -> None:
    """Wrong input changes nothing, and leaves no entry."""
    with pytest.raises(WrongInput):
        perform(locations.pause, LocationQuery("Nobody"))
    with pytest.raises(WrongInput):
        perform(locations.apply, Apply(locations={"One": {"mode": "loud"}}))

    assert not redis.exists(key("audit"))


def test_changes_expire(redis: Redis, admin_services: AdminServices) -> None:
    """An entry older than the retention time is deleted with the next one, or expires."""
    audit = Audit(redis, retention_ms=RETENTION_MS)
    audit.note(who="cli", what="old", ids=["a"], outcome="done")
    pass_time(redis, RETENTION_MS / 1000 + 1)
    audit.note(who="cli", what="new", ids=["a"], outcome="done")

    assert [entry.what for entry in admin_services.audit.page(skip=0, most=10)] == ["new"]
    assert 0 < redis.pttl(key("audit")) <= RETENTION_MS


def test_changes_are_bounded(redis: Redis) -> None:
    """The oldest entries are deleted first."""
    redis.zadd(key("audit"), {f'{{"id": "{number}"}}': 4_000_000_000_000 + number for number in range(MOST)})
    Audit(redis, retention_ms=RETENTION_MS).note(who="cli", what="w", ids=["a"], outcome="done")

    assert redis.zcard(key("audit")) == MOST


def test_a_change_of_very_many_names_the_first_hundred(admin_services: AdminServices) -> None:
    """The change of a thousand locations is one entry of limited size."""
    admin_services.audit.note(who="cli", what="w", ids=[str(number) for number in range(1000)], outcome="done")

    (entry,) = admin_services.audit.page(skip=0, most=1)
    assert entry.ids == tuple(str(number) for number in range(100))


def test_pages_of_changes(perform: Operations) -> None:
    """`skip` leaves out the newest."""
    for id_ in ("One", "Two", "Three"):
        perform(locations.apply, Apply(locations={id_: PROVIDED}))

    assert [each.ids for each in perform(audit.audit, AuditQuery(skip=1, limit=1)).changes] == [("Two",)]
