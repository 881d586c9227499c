"""`ghl-bridge locations` and `dead-letters` where a location is on hold: what ends the hold, and what comes back with it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from bridge.model import ContactId, Dead, Lane
from bridge.store.redis.connection import key
from tests import forks
from tests.stored import FERNET_KEY, HERE, accept, claim, lanes_of, locations_of, message, take

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from redis import Redis

FILE = """
[locations.here]
ghl_token = "{ghl}"
debounce_seconds = 0
[locations.here.assistable]
assistant_id = "a1"
token = "{provider}"
"""
LANES = [Lane(HERE, ContactId(f"c{number}")) for number in range(3)]


class Bridge:
    """The command line as a process, on this test's Redis."""

    def __init__(self, url: str, folder: Path) -> None:
        usual = {"PATH": os.environ["PATH"], "BRIDGE_DATA_DIR": str(folder)}
        self._environ = {**usual, "REDIS_URL": url, "BRIDGE_SECRET_KEY": FERNET_KEY}

    def __call__(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return forks.run(*arguments, environ=self._environ, stdin=stdin)

    def apply(self, *, ghl: str = "pit", provider: str = "as") -> str:
        done = self("locations", "apply", "-", stdin=FILE.format(ghl=ghl, provider=provider))
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def bridge(redis: Redis, redis_url: str, tmp_path: Path) -> Bridge:
    """A location that three refused logins have put on hold."""
    bridge = Bridge(redis_url, tmp_path)
    bridge.apply()
    lanes = lanes_of(redis)
    for number, lane in enumerate(LANES):
        accept(redis, message(f"m{number}", lane.contact_id))
        turn = take(lanes, lane)
        lanes.write_dead_letter(turn, [turn.messages[0].id], Dead(error="no", refused="ghl"), answer=None, at_ms=1)
    assert redis.hexists(key("location", HERE), "hold")
    return bridge


def is_held(redis: Redis) -> bool:
    kept = locations_of(redis).get(HERE)
    assert kept
    return kept.hold_since_ms > 0


@pytest.mark.parametrize("changed", [{"ghl": "pit-2"}, {"provider": "as-2"}])
def test_a_changed_token_ends_a_hold(redis: Redis, bridge: Bridge, changed: dict[str, str]) -> None:
    """Whichever login changes: what waited is due, and the dead letters that caused the hold are replayed."""
    assert "no longer on hold" in bridge.apply(**changed)
    assert not is_held(redis)
    assert set(claim(lanes_of(redis))) == set(LANES)
    assert not redis.zcard(key("dead"))


def test_the_same_token_ends_no_hold(redis: Redis, bridge: Bridge) -> None:
    """Applying a file again says nothing about the login that was refused."""
    assert "on hold" not in bridge.apply()
    assert is_held(redis)
    assert claim(lanes_of(redis)) == ()


def test_resume_ends_a_hold(redis: Redis, bridge: Bridge) -> None:
    """The operator's word is enough; a second time there is nothing to lift."""
    assert "3 dead letter(s) are replayed" in bridge("locations", "resume", "here").stdout
    assert not is_held(redis)
    assert "replayed" not in bridge("locations", "resume", "here").stdout


def test_a_hold_is_listed(bridge: Bridge) -> None:
    """`locations list` says which side refused, `dead-letters list` what died of it."""
    (listed,) = json.loads(bridge("locations", "list", "--json").stdout)
    assert (listed["state"], listed["hold_why"]) == ("hold", "ghl")
    assert listed["hold_since"]
    dead_letters = json.loads(bridge("dead-letters", "list", "--json").stdout)
    assert [dead_letter["message_ids"] for dead_letter in dead_letters] == [["m0"], ["m1"], ["m2"]]
