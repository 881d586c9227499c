"""A sweep on demand: as far back as requested, without answering a message twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import NotKnown
from bridge.operating.local import LocalOperations
from bridge.operating.reconcile import Reconcile, Reconciled, reconcile
from bridge.operating.services import AdminServices
from bridge.settings import from_environment
from tests.keys import key
from tests.stored import FERNET_KEY, HERE, keep, snapshot
from tests.test_sweep import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from bridge.operating.operation import Operations
    from tests.test_sweep import Books


@pytest.fixture
def books(redis: Redis) -> Iterator[Books]:
    keep(redis, ghl_token="pit")
    with opened(redis) as books:
        yield books


@pytest.fixture
def perform(redis_url: str, books: Books) -> Iterator[Operations]:
    environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "GHL_API_URL": books.url}
    admin_services = AdminServices(from_environment(environ))
    yield LocalOperations(admin_services, who="cli")
    admin_services.close()


def outcomes(reconciled: Reconciled) -> list[tuple[str, str]]:
    return [(one.message_id, one.outcome) for one in reconciled.found]


def test_by_itself_it_looks_as_far_back_as_the_next_sweep_would(perform: Operations, books: Books) -> None:
    """It never looks back beyond the activation."""
    books.write("ana", "m1", ago=60)
    done = perform(reconcile, Reconcile(location_id=HERE))
    assert (outcomes(done), done.complete, done.why) == ([], True, None)


def test_by_hand_it_looks_as_far_back_as_it_is_told_to(perform: Operations, books: Books) -> None:
    """It may look back beyond the activation; a dry run shows what would be accepted, and changes nothing."""
    books.write("ana", "m1", ago=60)
    books.write("bob", "m2", ago=7200)
    before = {name: kept for name, kept in snapshot(books.redis).items() if "budget" not in name}
    dry = perform(reconcile, Reconcile(location_id=HERE, since_seconds=3600, dry_run=True))
    assert {name: kept for name, kept in snapshot(books.redis).items() if "budget" not in name} == before
    assert outcomes(dry) == [("m1", "missing")]
    done = perform(reconcile, Reconcile(location_id=HERE, since_seconds=3600))
    assert outcomes(done) == [("m1", "accepted")]
    assert (done.found[0].contact_id, bool(done.found[0].written_at)) == ("ana", True)
    assert outcomes(perform(reconcile, Reconcile(location_id=HERE, since_seconds=3600))) == []
    assert books.redis.lrange(key("waiting", "here:bob"), 0, -1) == []


def test_what_it_changes_is_on_record(perform: Operations, books: Books) -> None:
    """A dry run is not in the audit log."""
    perform(reconcile, Reconcile(location_id=HERE, dry_run=True))
    perform(reconcile, Reconcile(location_id=HERE))
    assert books.redis.zcard(key("audit")) == 1


def test_what_stops_it_is_said(perform: Operations, books: Books) -> None:
    """A used rate limit or a refused token leaves it incomplete; an unknown location is an error."""
    for number in range(60):
        books.write(f"c{number}", f"m{number}", ago=60 + number)
    done = perform(reconcile, Reconcile(location_id=HERE, since_seconds=3600))
    assert (len(done.found), done.complete, "budget" in (done.why or "")) == (49, False, True)
    books.redis.delete(key("budget", HERE))
    books.refusing["search"] = [401]
    refused = perform(reconcile, Reconcile(location_id=HERE))
    assert (refused.found, refused.complete, "token refused" in (refused.why or "")) == ((), False, True)
    with pytest.raises(NotKnown):
        perform(reconcile, Reconcile(location_id="Nobody"))
