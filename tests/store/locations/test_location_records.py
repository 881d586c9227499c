"""Stored locations: encrypted, rotated, and applied together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from bridge.errors import Misconfigured, Unavailable
from bridge.locations import Location
from bridge.locations_file import read
from bridge.model import LocationId
from bridge.store.redis.connection import connect_without_retries, now_ms
from tests.keys import key
from tests.stored import FERNET_KEY, accept, locations_of, message, snapshot

if TYPE_CHECKING:
    from redis import Redis

    from bridge.store.locations.records import Locations

NEW_KEY = Fernet.generate_key().decode()
HERE = LocationId("here")
FILE = """
[locations.here]
name = "Acme"
ghl_token = "pit-secret"
workflow_secret = "secret-of-the-workflow"
debounce_seconds = 0.25
debounce_max_seconds = 7
channels = ["SMS", "Email"]
openai = { token = "sk-secret", system_prompt = "a secret prompt" }
assistable = { token = "as-secret", assistant_id = "a1" }
"""


@pytest.fixture
def locations(redis: Redis) -> Locations:
    return locations_of(redis)


def test_a_location_comes_back_as_it_was(redis: Redis, locations: Locations) -> None:
    """The location is stored completely, with other known fields beside it."""
    (location,) = read(FILE, {})
    locations.apply([location])
    kept = locations.get(HERE)
    assert kept
    assert kept.location == location
    assert kept.location.ghl_token
    assert kept.location.ghl_token.get_secret_value() == "pit-secret"
    assert kept.activated_at_ms == pytest.approx(now_ms(redis), abs=5000)
    assert (kept.last_event_at_ms, kept.unclaimed) == (0, 0)
    assert redis.hmget(key("location", HERE), ["debounce_ms", "debounce_max_ms"]) == ["250", "7000"]


def test_no_secret_is_readable_in_redis(redis: Redis, locations: Locations) -> None:
    """No key and no value in Redis contains a token in clear text."""
    locations.apply(read(FILE, {}))
    assert "secret" not in repr(snapshot(redis))
    assert "Acme" not in repr(snapshot(redis))


def test_an_unknown_location_is_none(locations: Locations) -> None:
    """A location that was never applied does not exist."""
    assert locations.get(HERE) is None
    assert locations.all() == ()


def test_applying_again_replaces_settings_and_keeps_the_rest(redis: Redis, locations: Locations) -> None:
    """A second apply changes the settings at once, but neither the activation nor other known fields."""
    locations.apply([Location(id="here", name="old")])
    redis.hset(key("location", HERE), "activated_at", 17)
    redis.hset(key("location", HERE), "unclaimed", 2)
    accept(redis, message())
    locations.apply([Location(id="here", name="new"), Location(id="there")])
    kept = locations.get(HERE)
    assert kept
    assert (kept.location.name, kept.activated_at_ms, kept.unclaimed) == ("new", 17, 2)
    assert kept.last_event_at_ms > 0


def test_keys_rotate(redis: Redis, locations: Locations) -> None:
    """With a new key before the old one all can be read; settings that are applied again need only the new key."""
    locations.apply([Location(id="here"), Location(id="there")])
    both = locations_of(redis, NEW_KEY, FERNET_KEY)
    assert len(both.all()) == 2
    both.apply([Location(id="here")])
    new = locations_of(redis, NEW_KEY)
    assert new.get(HERE)
    with pytest.raises(Misconfigured, match=r"BRIDGE_SECRET_KEY does not decrypt location there"):
        new.get(LocationId("there"))


def test_a_wrong_key_names_the_location(redis: Redis, locations: Locations) -> None:
    """If no key decrypts a location, the operator must act, and the error says which location and how."""
    locations.apply([Location(id="here")])
    wrong = locations_of(redis, NEW_KEY)
    for look in (lambda: wrong.get(HERE), wrong.all):
        with pytest.raises(Misconfigured, match="location here: add the key of that time after the new one"):
            look()


def test_all_are_listed_by_name(locations: Locations) -> None:
    """The list is in the order of names, then ids."""
    locations.apply([Location(id="c", name="b"), Location(id="b", name="a"), Location(id="a", name="b"), Location(id="d")])
    assert [kept.location.id for kept in locations.all()] == ["d", "b", "a", "c"]


def test_a_thousand_locations_are_quick(redis: Redis) -> None:
    """Reading, applying and listing 1,000 locations takes less than 5 s."""
    text = "[defaults]\ntimezone = 'Europe/Berlin'\n" + "\n".join(
        f'[locations.l{number}]\nname = "n{number}"\nghl_token = {{ env = "T" }}' for number in range(1000)
    )
    began = time.monotonic()
    locations_of(redis).apply(read(text, {"T": "pit"}))
    assert len(locations_of(redis).all()) == 1000
    assert time.monotonic() - began < 5


def test_without_redis_locations_are_unavailable() -> None:
    """Every method reports that Redis can't be reached."""
    with connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        locations = locations_of(nowhere)
        for call in (lambda: locations.get(HERE), locations.all, lambda: locations.apply([Location(id="here")])):
            with pytest.raises(Unavailable, match="location"):
                call()
