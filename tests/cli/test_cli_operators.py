"""`ghl-bridge operators` and `audit`, and the command line with an operator's own token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.served import served
from tests.stored import FERNET_KEY, keep

if TYPE_CHECKING:
    from redis import Redis

    from tests.cli.conftest import Run


def test_an_operator_is_added_listed_and_removed(run: Run) -> None:
    """Standard output is only the token; the audit log has both changes."""
    added = run("operators", "add", "jane", "--role", "operate", "--days", "30")
    assert added.returncode == 0, added.stderr
    assert added.stdout.strip().startswith("op-")
    [listed] = json.loads(run("operators", "list", "--json").stdout)
    assert (listed["name"], listed["role"], listed["location_ids"]) == ("jane", "operate", [])
    assert added.stdout.strip() not in run("operators", "list").stdout
    assert run("operators", "add", "jane", "--role", "read").returncode == 2
    assert run("operators", "add", "bob", "--role", "owner").returncode == 2
    assert run("operators", "remove", "jane").returncode == 0
    changes = json.loads(run("audit", "--json").stdout)
    assert [each["what"] for each in changes] == ["operators.remove", "operators.add"]


def test_the_command_line_is_limited_with_its_token(bare: Run, redis_url: str, redis: Redis) -> None:
    """A client's token can use only its own location, and the error names the limit."""
    keep(redis, "here", "there")
    local = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}
    token = bare("operators", "add", "acme", "--role", "read", "--location", "here", **local).stdout.strip()
    with served(redis_url) as url:
        remote = {"BRIDGE_URL": url, "BRIDGE_ADMIN_TOKEN": token}
        listed = bare("locations", "list", "--json", **remote)
        assert [each["id"] for each in json.loads(listed.stdout)] == ["here"]
        assert "not known here" in bare("locations", "show", "there", **remote).stderr
        assert "needs the role operate" in bare("locations", "pause", "here", **remote).stderr
