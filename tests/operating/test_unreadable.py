"""A lost key: no process starts with another one, and the locations file repairs the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from bridge.errors import Misconfigured
from bridge.operating import locations
from bridge.operating.key_rotation import rotate
from bridge.operating.locations import Apply, LocationQuery
from bridge.operating.operation import Nothing
from bridge.operating.services import AdminServices
from bridge.settings import from_environment
from bridge.store.redis.canary import Canary
from bridge.wiring import begin
from tests.keys import key
from tests.stored import FERNET_KEY, keep, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from bridge.settings import Settings

OTHER = Fernet.generate_key().decode()
HERE = {"name": "Here", "mode": "off", "ghl_token": "pit-new"}


def _settings(redis_url: str, *keys: str) -> Settings:
    return from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": ",".join(keys)})


@pytest.fixture
def services(redis_url: str, redis: Redis) -> Iterator[AdminServices]:
    """The services of a process with another key than the one location's."""
    begin(_settings(redis_url, FERNET_KEY))
    keep(redis, ghl_token="pit-old")
    services = AdminServices(_settings(redis_url, OTHER))
    yield services
    services.close()


def test_a_process_must_open_what_is_kept(redis_url: str, services: AdminServices, redis: Redis) -> None:
    """Any of its keys counts, for a rotation; without a matching one it doesn't start, on older states too."""
    begin(_settings(redis_url, OTHER, FERNET_KEY))
    with pytest.raises(Misconfigured, match="BRIDGE_SECRET_KEY can decrypt nothing"):
        begin(services.settings)
    redis.delete(key("canary"))
    with pytest.raises(Misconfigured, match="--replace-unreadable"):
        begin(services.settings)
    assert not redis.exists(key("canary"))


def test_after_a_rotation_the_old_key_can_go(redis_url: str, services: AdminServices) -> None:
    """`secrets rotate` re-encrypts the canary too."""
    both = AdminServices(_settings(redis_url, OTHER, FERNET_KEY))
    assert rotate.run(both, Nothing()).unreadable == ()
    both.close()
    begin(services.settings)


def test_the_file_replaces_what_no_key_opens(redis_url: str, services: AdminServices) -> None:
    """With every token in the file and no live process with the old key, `apply` repairs the state, and processes start."""
    locations.apply.run(services, Apply(locations={"here": HERE}))
    begin(_settings(redis_url, OTHER))
    assert [kept.location.name for kept in services.locations.all()] == ["Here"]


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ({"there": HERE}, "can't decrypt location here, and the file lacks them"),
        ({"here": {"name": "Here", "mode": "off"}}, "no ghl_token for location here"),
    ],
)
def test_what_is_not_in_the_file_is_not_lost(
    services: AdminServices, redis: Redis, tables: dict[str, dict[str, object]], why: str
) -> None:
    """If the file lacks a location or a token, the exit code is 78, even if forced, and nothing is changed."""
    before = snapshot(redis)
    with pytest.raises(Misconfigured, match=why):
        locations.apply.run(services, Apply(locations=tables, replace_unreadable=True))
    assert snapshot(redis) == before


def test_while_a_process_with_the_old_key_lives_nothing_is_written_over(services: AdminServices, redis: Redis) -> None:
    """This key is probably the wrong one; `--replace-unreadable` overrules that."""
    Canary(redis, [FERNET_KEY]).register()
    with pytest.raises(Misconfigured, match="a process with another key runs"):
        locations.apply.run(services, Apply(locations={"here": HERE}))
    locations.apply.run(services, Apply(locations={"here": HERE}, replace_unreadable=True))
    assert services.locations.unreadable() == ()


def test_what_no_key_opens_can_be_removed(services: AdminServices) -> None:
    """Its settings are not needed for that."""
    locations.remove.run(services, LocationQuery("here"))
    assert services.locations.ids() == ()
