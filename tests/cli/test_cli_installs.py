"""Installed locations on the command line: they are known before they have settings, and problems of their tokens are shown."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from bridge.cli.locations import TEMPLATE
from bridge.ghl.oauth import Granted
from bridge.model import AppChange, LocationId
from bridge.store.locations.grants import Grants, of_location
from bridge.store.locations.installs import Installs
from tests.stored import FERNET_KEY, PROVIDED_TOML, RETENTION_MS

if TYPE_CHECKING:
    from redis import Redis

    from tests.cli.conftest import Run

APP = {
    "GHL_CLIENT_ID": "app-1",
    "GHL_CLIENT_SECRET": "client-secret",
    "GHL_REDIRECT_URL": "https://bridge.example/oauth/callback",
    "BRIDGE_SECRET_KEY": FERNET_KEY,
    "GHL_API_URL": "http://127.0.0.1:1",
    "ASSISTABLE_URL": "http://127.0.0.1:1",
}
LINK = "https://marketplace.gohighlevel.com/v2/oauth/chooselocation?"


def note(redis: Redis, location: str, *, installed: bool) -> None:
    change = AppChange(installed=installed, location_id=LocationId(location), company_id="", at_ms=0)
    Installs(redis, retention_ms=RETENTION_MS).note(change)


def lend(redis: Redis, location: str, *, refused: bool = False) -> None:
    grants, owner = Grants(redis, fernet_keys=[FERNET_KEY]), of_location(LocationId(location))
    granted = Granted(
        kind="Location",
        access_token="at-secret",
        refresh_token="rt-secret",
        seconds=60,
        location_id=LocationId(location),
        company_id="",
    )
    grants.install(owner, granted)
    if refused:
        grant = grants.get(owner)
        assert grant
        grants.refuse(owner, grants.begin(owner, version=grant.version).nonce, "its refresh token is used up")


def listed(run: Run) -> dict[str, Any]:
    return {each["id"]: each for each in json.loads(run("locations", "list", "--json", **APP).stdout)}


def test_a_template_is_ready_to_be_applied(run: Run, redis: Redis) -> None:
    """It contains all installed locations without settings; applied with an assistant, they use the install."""
    for location in ("L1", "L2"):
        note(redis, location, installed=True)
        lend(redis, location)
    run("locations", "apply", "-", stdin=f"{PROVIDED_TOML}[locations.L2]", **APP)

    printed = run("locations", "template", **APP).stdout

    assert printed == TEMPLATE.format(id="L1") + "\n"
    assert list(tomllib.loads(printed)["locations"]) == ["L1"]
    assert json.loads(run("locations", "template", "--json", **APP).stdout) == {"location_ids": ["L1"]}
    assert {id_: (each["state"], each["token"]) for id_, each in listed(run).items()} == {
        "L1": ("unconfigured", "install"),
        "L2": ("active", "install"),
    }
    assert run("locations", "show", "L1", **APP).returncode == 2
    assert "L1.assistable.assistant_id: is needed" in run("locations", "apply", "-", stdin=printed, **APP).stderr
    filled = printed.replace('assistant_id = ""', 'assistant_id = "a"')
    assert run("locations", "apply", "-", stdin=filled, **APP, ASSISTABLE_TOKEN="t").returncode == 0
    assert (listed(run)["L1"]["state"], listed(run)["L1"]["token_trouble"]) == ("active", None)
    assert "no location" in run("locations", "template", **APP).stdout


@pytest.mark.parametrize("command", [["list"], ["show", "L1"], ["show", "L1", "--json"]])
def test_a_grant_that_can_not_be_renewed_is_said_with_the_way_out(run: Run, redis: Redis, command: list[str]) -> None:
    """The list and the location say why, and where to install again; no token is printed."""
    note(redis, "L1", installed=True)
    lend(redis, "L1", refused=True)
    run("locations", "apply", "-", stdin=f"{PROVIDED_TOML}[locations.L1]", **APP)

    told = run("locations", *command, **APP).stdout

    assert f"its refresh token is used up; install the app again: {LINK}" in told
    assert "secret" not in told.replace("workflow_secret", "")


def test_doctor_says_how_a_location_logs_in(run: Run, redis: Redis) -> None:
    """By its file, by the install, or not at all; a used grant and a missing app are problems, missing settings a note."""
    for location in ("Good", "Bad", "Gone", "Bare"):
        note(redis, location, installed=True)
    lend(redis, "Good")
    lend(redis, "Bad", refused=True)
    text = (
        PROVIDED_TOML
        + "[locations.Good]\n[locations.Bad]\n[locations.Gone]\n[locations.File]\nghl_token = 'pit-x'\n[locations.None]"
    )
    run("locations", "apply", "-", stdin=text, **APP)
    note(redis, "Gone", installed=False)

    findings = json.loads(run("doctor", "--json", **APP).stdout)

    said = {each["what"].removeprefix("location "): (each["ok"], each["says"]) for each in findings}
    assert said["Good ghl_token"] == (True, "from the install of the app")
    assert said["File ghl_token"] == (True, "set")
    assert said["Bad ghl_token"][0] is False
    assert LINK in said["Bad ghl_token"][1]
    assert said["None ghl_token"][0] is False
    assert (said["Gone state"][0], "uninstalled" in said["Gone state"][1]) == (False, True)
    assert any("1 with the app but no settings" in each["says"] for each in findings)


def test_a_stop_after_an_uninstall_ends_by_resume_or_by_a_token(run: Run, redis: Redis) -> None:
    """Applying the same file again does not lift it, because the file may contain a thousand other locations."""
    text = f"{PROVIDED_TOML}[locations.L1]\n[locations.L2]"
    run("locations", "apply", "-", stdin=text, **APP)
    for location in ("L1", "L2"):
        note(redis, location, installed=True)
        note(redis, location, installed=False)
    run("locations", "apply", "-", stdin=text, **APP)
    assert [each["state"] for each in listed(run).values()] == ["uninstalled", "uninstalled"]

    run("locations", "resume", "L1", **APP)
    run("locations", "apply", "-", stdin=f"{PROVIDED_TOML}[locations.L2]\nghl_token = 'pit-new'", **APP)

    one, two = listed(run).values()
    assert (one["state"], one["token_trouble"].partition(";")[0]) == ("active", "the install returned no tokens")
    assert (two["state"], two["token"], two["token_trouble"]) == ("active", "file", None)
