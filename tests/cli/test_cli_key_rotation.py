"""`ghl-bridge secrets rotate`: after it the newest key is enough."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from tests.keys import key
from tests.stored import PROVIDED_TOML

if TYPE_CHECKING:
    from redis import Redis

    from tests.cli.conftest import Run

TEXT = PROVIDED_TOML + "\n".join(f"[locations.L{number}]\nghl_token = 'pit-{number}'" for number in range(5))


def test_rotating_makes_older_keys_superfluous(run: Run, redis: Redis) -> None:
    """It prints how many records were re-encrypted; a second run has nothing to do."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    run("locations", "apply", "-", stdin=TEXT, BRIDGE_SECRET_KEY=old)

    first = run("secrets", "rotate", BRIDGE_SECRET_KEY=f"{new},{old}")
    again = run("secrets", "rotate", "--json", BRIDGE_SECRET_KEY=f"{new},{old}")

    assert (first.returncode, first.stdout.splitlines()[0]) == (0, "5 re-encrypted with the newest key, 0 already were")
    assert "may be removed" in first.stdout
    assert json.loads(again.stdout) == {"resealed": 0, "current": 5, "unreadable": [], "changing": [], "erased": 0}
    assert len(json.loads(run("locations", "list", "--json", BRIDGE_SECRET_KEY=new).stdout)) == 5
    assert not [name for name in redis.scan_iter("*") if redis.type(name) == "string" and "pit-" in str(redis.get(name))]


def test_what_no_key_opens_is_named(run: Run) -> None:
    """The exit code is 1, and the other records are re-encrypted anyway."""
    lost, old, new = (Fernet.generate_key().decode() for _ in range(3))
    run("locations", "apply", "-", stdin=f"{PROVIDED_TOML}[locations.Lost]", BRIDGE_SECRET_KEY=lost)
    run("locations", "apply", "-", stdin=f"{PROVIDED_TOML}[locations.Good]", BRIDGE_SECRET_KEY=f"{old},{lost}")

    done = run("secrets", "rotate", BRIDGE_SECRET_KEY=f"{new},{old}")

    assert (done.returncode, "location Lost" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
    assert "1 re-encrypted" in done.stdout
    assert run("secrets", "rotate", BRIDGE_SECRET_KEY=f"{new},{old},{lost}").returncode == 0
    assert len(json.loads(run("locations", "list", "--json", BRIDGE_SECRET_KEY=new).stdout)) == 2


def test_stops_of_erased_contacts_need_the_key_that_they_were_kept_under(run: Run, redis: Redis) -> None:
    """The owners are unknown, so these can't be re-encrypted: the output says that, and not to remove the key."""
    redis.hset(key("erased", "digest"), "stop:SMS", 1)
    done = run("secrets", "rotate")
    assert ("keep it" in done.stdout, "taken out" in done.stdout) == (True, False)
