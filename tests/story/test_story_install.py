"""The app is installed, renewed, revoked, uninstalled and installed again, by people and events in any order."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from tests.keys import key
from tests.stored import snapshot
from tests.story.machine import Person, poll, toml

if TYPE_CHECKING:
    import httpx

    from tests.story.machine import Machine


def fresh() -> str:
    return f"L{uuid4().hex[:19]}"


def callback(machine: Machine, code: str, **more: str) -> httpx.Response:
    return machine.http.get(f"{machine.url}/oauth/callback", params={"code": code, **more})


def install(machine: Machine, **order: Any) -> None:
    """Install the app at GHL and return the code, like a browser does."""
    assert callback(machine, machine.sim.order("install", **order)["code"]).status_code == 200


def apply(machine: Machine, *locations: str, **settings: Any) -> None:
    """Apply locations without a token."""
    usual = {"debounce_seconds": 0.05, "assistable": {"assistant_id": "a", "delivery": "bridge"}}
    done = machine.cli("locations", "apply", "-", stdin=toml({location: {**usual, **settings} for location in locations}))
    assert done.returncode == 0, done.stderr


def installed(machine: Machine) -> str:
    """A new location for a story, installed and with settings."""
    location = fresh()
    install(machine, location_id=location)
    apply(machine, location)
    return location


def person(machine: Machine, location: str) -> Person:
    made = machine.sim.order("contacts", contact_id=f"c{uuid4().hex[:19]}", location_id=location)
    return Person(machine, made["contact_id"], location, made["conversation_id"])


def grants(machine: Machine) -> dict[str, dict[str, int]]:
    """GHL's counts of grants."""
    counted: dict[str, dict[str, int]] = machine.sim.ask("counts")["grants"]
    return counted


def listed(machine: Machine, location: str) -> dict[str, Any]:
    found = json.loads(machine.cli("locations", "list", "--json").stdout)
    return next(each for each in found if each["id"] == location)


def test_an_installed_location_is_answered(machine: Machine) -> None:
    """From the install link to the reply: unconfigured until the template is applied, then with the install's token."""
    away = machine.http.get(f"{machine.url}/oauth/install")
    state = parse_qs(urlsplit(away.headers["location"]).query)["state"][0]
    location = fresh()
    code = machine.sim.order("install", location_id=location)["code"]
    assert callback(machine, code, state=state).status_code == 200
    ana = person(machine, location)

    early = ana.says("Is anybody there?")

    answer = early["answers"][0]
    assert (answer["status_code"], answer["body"]["status"], answer["body"]["reason"]) == (200, "ignored", "unconfigured")
    record = machine.record(early["message_id"])
    assert record
    assert (record.status, record.reason) == ("skipped", "unconfigured")
    template = machine.cli("locations", "template").stdout
    assert f"[locations.{location}]" in template
    apply(machine, location)
    assert ana.settles(ana.says("And now?")).status == "replied"
    assert (len(ana.replies), grants(machine)["by_code"][location]) == (1, 1)


def test_nothing_of_an_install_is_readable_anywhere(machine: Machine) -> None:
    """Redis, the command line's output and the logs (which every story checks) contain neither codes nor tokens."""
    machine.sim.order("defaults", token_seconds=1)
    location = installed(machine)
    ana = person(machine, location)
    assert ana.settles(ana.says("Keep it to yourself")).status == "replied"
    ended = time.monotonic() + 1.1
    poll("the end of the token's second", lambda: time.monotonic() > ended)
    assert ana.settles(ana.says("Still?")).status == "replied"
    assert grants(machine)["refreshed"][location] >= 1

    commands = (["list"], ["list", "--json"], ["show", location], ["show", location, "--json"], ["template"])
    printed = "".join(machine.cli("locations", *command).stdout for command in commands) + machine.cli("doctor", "--json").stdout

    assert location in printed
    for everything in (printed, repr(snapshot(machine.redis))):
        assert "oauth-" not in everything
        assert machine.environ["GHL_CLIENT_SECRET"] not in everything


def test_fifty_conversations_with_an_ended_token_renew_it_once(machine: Machine) -> None:
    """Two workers and fifty contacts cause one refresh and fifty replies."""
    location = installed(machine)
    people = [person(machine, location) for _ in range(50)]
    machine.start("worker-2")
    machine.ready(workers=2)
    machine.sim.order("expire", owner=location)
    machine.sim.order("defaults", oauth_seconds=0.5)

    said = [each.says(f"We are {number}", wait=False) for number, each in enumerate(people)]

    assert {each.settles(one, seconds=60).status for each, one in zip(people, said, strict=True)} == {"replied"}
    assert [len(each.replies) for each in people] == [1] * 50
    assert grants(machine)["refreshed"][location] == 1
    assert "refresh_token" not in grants(machine)["refused"]


def test_an_agencys_locations_are_answered(machine: Machine) -> None:
    """One install for all of them: each gets its token by exchange when it is first needed, and once."""
    company, locations = f"A{uuid4().hex[:10]}", [fresh(), fresh()]
    install(machine, company_id=company, location_ids=locations)
    apply(machine, *locations)
    people = [person(machine, location) for location in locations for _ in range(3)]

    said = [each.says("Hello agency", wait=False) for each in people]

    assert {each.settles(one).status for each, one in zip(people, said, strict=True)} == {"replied"}
    assert [grants(machine)["exchanged"][location] for location in locations] == [1, 1]
    assert company not in grants(machine)["refreshed"]


def killed_while_renewing(machine: Machine, location: str, ana: Person, on: str, when: str) -> dict[str, Any]:
    """Kill the worker while GHL has a request for tokens, before or after its effect, and start another one."""
    machine.sim.order("expire", owner=location)
    machine.sim.fault(on, {"kind": "hang", "when": when}, location_id=location, times=1)
    said = ana.says("Who is renewing?")
    poll(
        "a request for tokens", lambda: any(one["on"] == on and one["met"] for one in machine.sim.ask("faults")["faults"]) or None
    )
    machine.kill("worker")
    # As if the lease of the dead one were over.
    machine.redis.hset(key("grant", f"location:{location}"), "lease_until", 0)
    machine.start("worker")
    return said


@pytest.mark.parametrize(("when", "repeated"), [("before", 0), ("after", 1)])
def test_a_kill_during_a_refresh_costs_nothing(machine: Machine, when: str, repeated: int) -> None:
    """Whether GHL had used the refresh token or not, the next worker gets tokens, within GHL's 30 s the same ones."""
    location = installed(machine)
    ana = person(machine, location)
    assert ana.settles(killed_while_renewing(machine, location, ana, "oauth_token", when)).status == "replied"
    counted = grants(machine)
    assert (counted["refreshed"][location], counted["repeated"].get(location, 0)) == (1, repeated)
    assert (counted["reconnected"].get(location, 0), len(ana.replies), ana.completions) == (0, 1, 1)


@pytest.mark.parametrize(("when", "reconnected"), [pytest.param("before", 1, marks=pytest.mark.nightly), ("after", 2)])
def test_a_kill_during_a_reconnect_costs_nothing(machine: Machine, when: str, reconnected: int) -> None:
    """The refresh token is lost, and the worker that requested the reconnect dies: the next one reconnects, without a person."""
    location = installed(machine)
    ana = person(machine, location)
    lose_refresh_token(machine, location)
    assert ana.settles(killed_while_renewing(machine, location, ana, "oauth_reconnect", when)).status == "replied"
    counted = grants(machine)
    assert (counted["reconnected"][location], counted["by_code"][location]) == (reconnected, 2)
    assert (listed(machine, location)["token_trouble"], len(ana.replies), ana.completions) == (None, 1, 1)


@pytest.mark.parametrize(("when", "by_code"), [pytest.param("before", 2, marks=pytest.mark.nightly), ("after", 3)])
def test_a_kill_during_the_exchange_of_a_reconnects_code_costs_nothing(machine: Machine, when: str, by_code: int) -> None:
    """The worker dies between GHL's code and the tokens: the next one reconnects again, without a person."""
    location = installed(machine)
    ana = person(machine, location)
    lose_refresh_token(machine, location)
    # GHL doesn't know whose the lost refresh token is: of the requests for tokens, this one is by the code.
    assert ana.settles(killed_while_renewing(machine, location, ana, "oauth_token", when)).status == "replied"
    counted = grants(machine)
    assert (counted["reconnected"][location], counted["by_code"][location]) == (2, by_code)
    assert (listed(machine, location)["token_trouble"], len(ana.replies), ana.completions) == (None, 1, 1)


def lose_refresh_token(machine: Machine, location: str) -> None:
    """Let GHL lose the location's refresh token."""
    machine.sim.order("expire", owner=location, refresh=True)


def test_a_lost_refresh_token_is_healed_by_one_reconnect(machine: Machine) -> None:
    """Twenty contacts wait for it: one refusal, one reconnect, twenty replies, and no person is needed."""
    location = installed(machine)
    people = [person(machine, location) for _ in range(20)]
    lose_refresh_token(machine, location)
    machine.sim.order("expire", owner=location)
    said = [each.says("Still there?", wait=False) for each in people]
    assert {each.settles(one).status for each, one in zip(people, said, strict=True)} == {"replied"}
    counted = grants(machine)
    assert (counted["reconnected"][location], counted["by_code"][location], location in counted["refreshed"]) == (1, 2, False)
    assert [len(each.replies) for each in people] == [1] * 20


def test_a_refused_reconnect_is_said_with_the_way_out(machine: Machine) -> None:
    """The refresh token is lost and GHL refuses the reconnect: the error has the install link, and a new install fixes it."""
    location = installed(machine)
    ana = person(machine, location)
    lose_refresh_token(machine, location)
    machine.sim.order("expire", owner=location)
    refused = {"message": "The app is not installed in this location.", "error": "Bad Request"}
    machine.sim.fault("oauth_reconnect", {"kind": "status", "status": 400, "body": refused})
    record = ana.settles(ana.says("Who is renewing?"))
    assert (record.status, "can't be renewed" in record.error) == ("dead", True)
    assert "https://marketplace.gohighlevel.com/v2/oauth/chooselocation?" in listed(machine, location)["token_trouble"]
    doctor = machine.cli("doctor", "--location", location)
    assert (doctor.returncode, "install the app again" in doctor.stdout) == (1, True)

    install(machine, location_id=location)

    assert listed(machine, location)["token_trouble"] is None
    after = ana.says("Are you back?")
    assert ana.settles(after).status == "replied"


def test_a_grant_that_is_used_up_puts_its_location_on_hold_until_the_next_install(machine: Machine) -> None:
    """Three refused logins cause it; a new install releases waiting messages and the dead letters that caused it."""
    location = installed(machine)
    people = [person(machine, location) for _ in range(5)]
    machine.sim.order("uninstall", location_id=location, webhook=False)
    said = []
    for each in people[:3]:
        said.append(each.says("Anybody?"))
        poll("a dead letter", lambda: (machine.record(said[-1]["message_id"]) or pytest.fail("gone")).status == "dead")
    said += [each.says("Hello?") for each in people[3:]]
    assert listed(machine, location)["state"] == "hold"

    install(machine, location_id=location)

    assert [each.settles(one).status for each, one in zip(people, said, strict=True)] == ["replied"] * 5
    assert (listed(machine, location)["state"], [len(each.replies) for each in people]) == ("active", [1] * 5)


def test_an_uninstalled_location_stops_until_it_is_installed_again(machine: Machine) -> None:
    """Its tokens are deleted and its messages skipped with a reason; they aren't answered after a new install."""
    location = installed(machine)
    ana = person(machine, location)
    assert ana.settles(ana.says("Before")).status == "replied"
    (answer,) = machine.sim.order("uninstall", location_id=location)["answers"]
    assert (answer["status_code"], answer["body"]["status"]) == (200, "ignored")
    assert not machine.redis.exists(key("grant", f"location:{location}"))
    assert listed(machine, location)["state"] == "uninstalled"

    meanwhile = ana.settles(ana.says("Meanwhile"))

    assert (meanwhile.status, meanwhile.reason, meanwhile.facts) == ("skipped", "location_paused", "the app was uninstalled")
    install(machine, location_id=location)
    assert ana.settles(ana.says("After")).status == "replied"
    assert (listed(machine, location)["state"], len(ana.replies)) == ("active", 2)


def test_an_uninstall_that_comes_late_stops_nothing(machine: Machine) -> None:
    """The app was installed again since: by its own time the event is older."""
    location = installed(machine)
    ana = person(machine, location)
    sample = {"type": "UNINSTALL", "locationId": location, "webhookId": str(uuid4())}
    for at in ("2020-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z"):
        assert machine.post(json.dumps({**sample, "timestamp": at}).encode()).json()["status"] == "ignored"
    assert ana.settles(ana.says("Still here?")).status == "replied"
    assert listed(machine, location)["state"] == "active"


def test_an_uninstall_that_can_not_be_kept_comes_again(machine: Machine) -> None:
    """While Redis is stuck it gets 429 like every webhook, and GHL's retry takes effect."""
    location = installed(machine)
    machine.signal("redis", signal.SIGSTOP)
    (answer,) = machine.sim.order("uninstall", location_id=location)["answers"]
    machine.signal("redis", signal.SIGCONT)
    assert answer["status_code"] == 429
    poll("the stop", lambda: listed(machine, location)["state"] == "uninstalled")


def test_a_token_of_the_file_wins_over_the_install(machine: Machine) -> None:
    """The token in the file is used; the install's tokens are not changed."""
    location = installed(machine)
    machine.private.add("pit-of-the-file")
    machine.sim.order("locations", id=location, token="pit-of-the-file")
    apply(machine, location, ghl_token="pit-of-the-file")
    machine.sim.order("expire", owner=location)
    ana = person(machine, location)
    assert ana.settles(ana.says("Which one?")).status == "replied"
    assert location not in grants(machine)["refreshed"]
