"""Re-encryption with the newest key can be repeated, and continues after an interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from bridge.errors import Misconfigured, Unavailable
from bridge.ghl.oauth import Granted
from bridge.ghl.workflow_secrets import verify
from bridge.locations_file import read
from bridge.model import Again, ContactId, Lane, LocationId, MessageId
from bridge.store.locations.grants import of_location
from bridge.store.redis.connection import connect_without_retries, text
from bridge.store.redis.sealing import Resealing, Seal
from tests.keys import key
from tests.stored import FERNET_KEY, HERE, accept, excerpts_of, grants_of, keep, lanes_of, locations_of, message, snapshot, take

if TYPE_CHECKING:
    from redis import Redis

    from bridge.store.redis.sealing import Resealed

NEW = Fernet.generate_key().decode()
MINE = of_location(HERE)
FILE = """
[locations.here]
ghl_token = "pit-1"
workflow_secret = "of-the-workflow"
"""


def reseal(redis: Redis, *fernet_keys: str) -> tuple[Resealed, Resealed]:
    """Re-encrypt the location and its grant."""
    return locations_of(redis, *fernet_keys).reseal(HERE), grants_of(redis, *fernet_keys).reseal(MINE)


@pytest.fixture
def kept(redis: Redis) -> Redis:
    """A location and a grant, encrypted with the old key."""
    locations_of(redis).apply(read(FILE, {}))
    granted = Granted(
        kind="Location", access_token="at", refresh_token="rt", seconds=60, location_id=LocationId(HERE), company_id=""
    )
    grants_of(redis).install(MINE, granted)
    return redis


def test_what_an_older_key_sealed_is_sealed_again(kept: Redis) -> None:
    """From then on the newest key is enough; another run has nothing to do."""
    assert reseal(kept, NEW, FERNET_KEY) == ("resealed", "resealed")
    location, grant = locations_of(kept, NEW).get(HERE), grants_of(kept, NEW).get(MINE)
    assert location
    assert location.location == read(FILE, {})[0]
    assert grant
    assert (grant.access_token, grant.refresh_token) == ("at", "rt")
    for wrong in (lambda: locations_of(kept).get(HERE), lambda: grants_of(kept).get(MINE)):
        with pytest.raises(Misconfigured):
            wrong()
    before = snapshot(kept)
    assert reseal(kept, NEW, FERNET_KEY) == ("current", "current")
    assert snapshot(kept) == before


def test_what_services_said_is_sealed_again(kept: Redis) -> None:
    """An expired text does not come back."""
    keep(kept)
    lanes, said = lanes_of(kept), excerpts_of(kept).seal("no such model", provider="openai")
    for number in range(2):
        accept(kept, message(f"m{number}", f"c{number}"))
        turn = take(lanes, Lane(HERE, ContactId(f"c{number}")))
        lanes.again(turn, [MessageId(f"m{number}")], Again(wait=9, why="busy"), excerpt=said)
    both = excerpts_of(kept, NEW, FERNET_KEY)
    one, other = both.ids()
    kept.delete(key("excerpt", other))
    assert [both.reseal(id_) for id_ in (one, other, one)] == ["resealed", "gone", "current"]
    told = excerpts_of(kept, NEW).get(one)
    assert told
    assert (told.provider, told.text) == ("openai", "no such model")
    assert kept.pttl(key("excerpt", one)) > 0
    assert both.ids() == (one,)


def test_nothing_else_is_changed(kept: Redis) -> None:
    """Neither known fields of a location nor the end of a grant changes."""
    kept.hset(key("location", HERE), mapping={"paused": 1, "unclaimed": 3})
    before = snapshot(kept)
    reseal(kept, NEW, FERNET_KEY)
    after = snapshot(kept)
    changed = {
        (name, field)
        for name, fields in before.items()
        if fields != after[name]
        for field in fields
        if fields[field] != after[name][field]
    }
    assert changed == {
        (key("location", HERE), "settings"),
        (key("location", HERE), "workflow_hash"),
        (key("grant", MINE), "sealed"),
    }


def test_a_workflow_secret_is_known_by_the_newest_key(kept: Redis) -> None:
    """Its hash, which webhooks are compared with, is computed with the newest key too."""
    reseal(kept, NEW, FERNET_KEY)
    own = text(kept.hget(key("location", HERE), "workflow_hash"))
    verify([b"of-the-workflow"], LocationId(HERE), own=own, shared=(), keys=(NEW,))


def test_without_the_key_nothing_is_lost(kept: Redis) -> None:
    """It stays as it is, and is named, as is a missing record."""
    before = snapshot(kept)
    assert reseal(kept, NEW) == ("unreadable", "unreadable")
    assert snapshot(kept) == before
    assert locations_of(kept, NEW).reseal(LocationId("there")) == "gone"


def test_what_is_applied_meanwhile_counts(kept: Redis) -> None:
    """A file that is applied between reading and writing isn't overwritten."""
    resealing = Resealing(kept, Seal([NEW, FERNET_KEY]))
    applied: list[int] = []

    def made_of(content: bytes) -> dict[str, str]:
        if not applied:
            applied.append(1)
            locations_of(kept).apply(read(FILE.replace("pit-1", "pit-2"), {}))
        return {"settings": Seal([NEW]).close(content)}

    assert resealing.reseal(key("location", HERE), "settings", made_of) == "resealed"
    location = locations_of(kept, NEW).get(HERE)
    assert location
    assert location.location.ghl_token
    assert location.location.ghl_token.get_secret_value() == "pit-2"


def test_another_process_with_another_key_is_told(kept: Redis) -> None:
    """It would continue to encrypt with the old key."""
    resealing = Resealing(kept, Seal([NEW, FERNET_KEY]))

    def made_of(content: bytes) -> dict[str, str]:
        locations_of(kept).apply(read(FILE, {}))
        return {"settings": Seal([NEW]).close(content)}

    assert resealing.reseal(key("location", HERE), "settings", made_of) == "changing"


def test_without_redis_nothing_is_sealed() -> None:
    """The error says so."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere, pytest.raises(Unavailable):
        locations_of(nowhere).reseal(HERE)
