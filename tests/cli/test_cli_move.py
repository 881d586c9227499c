"""`ghl-bridge move`: the state of REDIS_URL goes where a file or standard input says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bridge.store.redis.connection import connect
from bridge.store.redis.installation import installation_id
from bridge.store.redis.schema import take_over
from tests.keys import key
from tests.stored import FERNET_KEY, HERE, keep, own_redis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from tests.cli.conftest import Run


@pytest.fixture
def new(tmp_path: Path) -> Iterator[str]:
    """The new Redis, empty."""
    with own_redis(tmp_path / "new") as server:
        yield server.url


@pytest.fixture
def old(redis: Redis) -> Redis:
    """A state with a location."""
    take_over(redis)
    installation_id(redis)
    keep(redis)
    return redis


@pytest.mark.usefixtures("old")
def test_the_state_is_moved(run: Run, redis_url: str, new: str, tmp_path: Path) -> None:
    """The URL is in a file or comes by standard input, so that no command line shows its password. Back it goes too."""
    file = tmp_path / "url"
    file.write_text(f"{new}\n", encoding="utf-8")
    done = run("move", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert "set REDIS_URL to the new Redis" in done.stdout
    with connect(new) as redis:
        assert redis.exists(key("location", HERE))
    again = run("move", "-", stdin=new)
    assert again.returncode == 1
    assert "was moved before" in again.stderr
    refused = run("locations", "list", BRIDGE_SECRET_KEY=FERNET_KEY)
    assert refused.returncode == 78
    assert "was moved to another one by `ghl-bridge move`" in refused.stderr
    back = run("move", "-", "--json", stdin=redis_url, REDIS_URL=new)
    assert json.loads(back.stdout)["keys"] > 0
    assert run("locations", "list", BRIDGE_SECRET_KEY=FERNET_KEY).returncode == 0


@pytest.mark.parametrize(
    ("told", "code", "why"),
    [
        ("nonsense", 2, "the URL of the new Redis must be like"),
        ("sentinel://:hunter2@a:1", 2, "names a Sentinel"),
        ("redis://:hunter2@127.0.0.1:1/0", 1, "Redis could not move the state"),
    ],
)
@pytest.mark.usefixtures("old")
def test_a_wrong_url_is_told_without_its_password(run: Run, told: str, code: int, why: str) -> None:
    """And nothing is changed."""
    done = run("move", "-", stdin=told)
    assert done.returncode == code
    assert why in done.stderr
    assert "hunter2" not in done.stderr
    assert run("locations", "list", BRIDGE_SECRET_KEY=FERNET_KEY).returncode == 0


def test_what_has_no_state_is_not_moved(run: Run, bare: Run, new: str, tmp_path: Path) -> None:
    """Nor is one at the server of BRIDGE_URL, nor to a file that isn't there."""
    assert "has no complete state of this version" in run("move", "-", stdin=new).stderr
    far = bare("move", "-", stdin=new, BRIDGE_URL="http://127.0.0.1:1", BRIDGE_ADMIN_TOKEN="t" * 32)
    assert "without BRIDGE_URL" in far.stderr
    missing = run("move", str(tmp_path / "nothing"))
    assert (missing.returncode, "can't be read" in missing.stderr) == (2, True)
