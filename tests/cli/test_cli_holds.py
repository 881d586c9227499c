"""`ghl-bridge locations` and `dead-letters` for a location on hold: what ends the hold, and what is replayed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from bridge.model import ContactId, Dead, Lane
from tests import forks
from tests.keys import card, key
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
    """The command line as a process, with this test's Redis."""

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
    """A location on hold after three refused logins."""
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
    """A change of either login makes waiting lanes due, and replays the dead letters that caused the hold."""
    assert "no longer on hold" in bridge.apply(**changed)
    assert not is_held(redis)
    assert set(claim(lanes_of(redis))) == set(LANES)
    assert not card(redis, "dead")


def test_the_same_token_ends_no_hold(redis: Redis, bridge: Bridge) -> None:
    """Applying the same file again does not change the refused login, so the hold stays."""
    assert "on hold" not in bridge.apply()
    assert is_held(redis)
    assert claim(lanes_of(redis)) == ()


def test_resume_ends_a_hold(redis: Redis, bridge: Bridge) -> None:
    """The operator may lift a hold; a second time there is none."""
    assert "3 dead letter(s) are replayed" in bridge("locations", "resume", "here").stdout
    assert not is_held(redis)
    assert "replayed" not in bridge("locations", "resume", "here").stdout


def test_a_hold_is_listed(bridge: Bridge) -> None:
    """`locations list` names the side that refused, `dead-letters list` the dead letters."""
    (listed,) = json.loads(bridge("locations", "list", "--json").stdout)
    assert (listed["state"], listed["hold_why"]) == ("hold", "ghl")
    assert listed["hold_since"]
    dead_letters = json.loads(bridge("dead-letters", "list", "--json").stdout)
    assert [dead_letter["message_ids"] for dead_letter in dead_letters] == [["m0"], ["m1"], ["m2"]]
