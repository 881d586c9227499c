"""The simulated grants: each code and refresh token works once, and revoked ones don't work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.simulator.official import Official
from bridge.simulator.options import CLIENT_ID, CLIENT_SECRET
from bridge.simulator.overlays import OAUTH

if TYPE_CHECKING:
    import httpx

    from tests.simulator.conftest import Receiver, Simulator

APP = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
CONTACT = "/contacts/someone"


def ask(simulator: Simulator, **form: str) -> httpx.Response:
    return simulator.http.post("/oauth/token", data={**APP, **form})


def pair(simulator: Simulator, **order: Any) -> dict[str, Any]:
    """Install the app and exchange the code at the token endpoint."""
    code = simulator.order("install", **order)["code"]
    answer = ask(simulator, grant_type="authorization_code", code=code)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def exchange(simulator: Simulator, token: str, location_id: str, *, company_id: str = "Agency") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Version": "2021-07-28"}
    return simulator.http.post("/oauth/locationToken", data={"companyId": company_id, "locationId": location_id}, headers=headers)


def opens(simulator: Simulator, token: str, location_id: str) -> bool:
    """Whether a token is valid for a location."""
    query = {"locationId": location_id}
    return simulator.ghl("GET", "/conversations/search", token=token, params=query).status_code == 200


def test_a_code_is_good_for_one_pair(simulator: Simulator) -> None:
    """The tokens name their location and agency, and work for that location; the same code works only once."""
    code = simulator.order("install", location_id="L1", company_id="Agency")["code"]

    first, second = (ask(simulator, grant_type="authorization_code", code=code) for _ in range(2))

    told = first.json()
    assert {name: told[name] for name in ("userType", "locationId", "companyId", "expires_in")} == {
        "userType": "Location",
        "locationId": "L1",
        "companyId": "Agency",
        "expires_in": 86399,
    }
    assert Official().faults_of(OAUTH, "GetAccessCodeSuccessfulResponseDto", told) == []
    assert (opens(simulator, told["access_token"], "L1"), opens(simulator, "another", "L1")) == (True, False)
    assert (second.status_code, second.json()["error"]) == (400, "invalid_grant")


def test_a_refresh_token_is_good_for_one_pair(simulator: Simulator) -> None:
    """Each pair has the next refresh token; both uses and the refusal are counted."""
    simulator.order("defaults", refresh_seconds=0)
    told = pair(simulator, location_id="L1")
    used = told["refresh_token"]

    following = ask(simulator, grant_type="refresh_token", refresh_token=used).json()
    again = ask(simulator, grant_type="refresh_token", refresh_token=used)

    assert following["refresh_token"] != used
    assert opens(simulator, following["access_token"], "L1")
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    counts = simulator.counts()["grants"]
    assert (counts["by_code"], counts["refreshed"], counts["refused"]) == ({"L1": 1}, {"L1": 1}, {"refresh_token": 1})


def test_a_refresh_token_that_is_shown_again_at_once_brings_the_same_pair(simulator: Simulator) -> None:
    """This holds for 30 s, and not after an uninstall; it is counted as repeated."""
    told = pair(simulator, location_id="L1")
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    first, second = ask(simulator, **form).json(), ask(simulator, **form).json()
    assert first == second
    counts = simulator.counts()["grants"]
    assert (counts["refreshed"], counts["repeated"], counts["refused"]) == ({"L1": 1}, {"L1": 1}, {})
    simulator.order("uninstall", location_id="L1", webhook=False)
    assert ask(simulator, **form).status_code == 400


def test_an_install_is_reconnected_by_the_apps_credentials(simulator: Simulator) -> None:
    """The code is exchanged like an install's; without the app, or with other credentials, it is refused."""
    pair(simulator, location_id="L1")
    keys = {"clientKey": CLIENT_ID, "clientSecret": CLIENT_SECRET}

    def reconnect(**form: str) -> httpx.Response:
        return simulator.http.post("/oauth/reconnect", json={**keys, **form})

    code = reconnect(locationId="L1").json()["authorizationCode"]
    assert opens(simulator, ask(simulator, grant_type="authorization_code", code=code).json()["access_token"], "L1")
    assert [reconnect(locationId="L2").status_code, reconnect(locationId="L1", clientSecret="guessed").status_code] == [400, 401]
    assert simulator.counts()["grants"]["reconnected"] == {"L1": 1}
    simulator.order("uninstall", location_id="L1", webhook=False)
    assert reconnect(locationId="L1").status_code == 400


def test_tokens_end(simulator: Simulator) -> None:
    """After their time, or on demand, they are invalid; the refresh token stays."""
    simulator.order("defaults", token_seconds=0)
    ended = pair(simulator, location_id="L1")
    simulator.order("defaults", token_seconds=60)
    lasting = pair(simulator, location_id="L2")
    assert opens(simulator, lasting["access_token"], "L2")
    simulator.order("expire", owner="L2")
    for told, location in ((ended, "L1"), (lasting, "L2")):
        refused = simulator.ghl("GET", "/conversations/search", token=told["access_token"], params={"locationId": location})
        assert (refused.status_code, refused.json()["message"]) == (401, "Invalid token: access token is invalid")
        fresh = ask(simulator, grant_type="refresh_token", refresh_token=told["refresh_token"]).json()
        assert opens(simulator, fresh["access_token"], location)


def test_an_agencys_token_is_exchanged_for_its_locations(simulator: Simulator) -> None:
    """It works for no location itself; the exchanged token has no refresh token, and exists only for its locations."""
    told = pair(simulator, company_id="Agency", location_ids=["L1", "L2"])
    assert (told["userType"], told["approvedLocations"]) == ("Company", ["L1", "L2"])
    assert not opens(simulator, told["access_token"], "L1")

    answer = exchange(simulator, told["access_token"], "L1")

    assert Official().faults_of(OAUTH, "GetLocationAccessTokenSuccessfulResponseDto", answer.json()) == []
    assert "refresh_token" not in answer.json()
    assert opens(simulator, answer.json()["access_token"], "L1")
    assert not opens(simulator, answer.json()["access_token"], "L2")
    assert exchange(simulator, told["access_token"], "L3").status_code == 400
    assert exchange(simulator, told["access_token"], "L1", company_id="Other").status_code == 400
    assert exchange(simulator, "nobody's", "L1").status_code == 401


def test_what_was_uninstalled_opens_nothing(simulator: Simulator) -> None:
    """Access and refresh tokens end, those of an agency's locations too."""
    own, agency = pair(simulator, location_id="L1"), pair(simulator, company_id="Agency", location_ids=["L2"])
    lent = exchange(simulator, agency["access_token"], "L2").json()
    simulator.order("uninstall", location_id="L1")
    simulator.order("uninstall", company_id="Agency")
    assert not opens(simulator, own["access_token"], "L1")
    assert not opens(simulator, lent["access_token"], "L2")
    for told in (own, agency):
        assert ask(simulator, grant_type="refresh_token", refresh_token=told["refresh_token"]).status_code == 400


def test_installs_are_told_by_webhooks(simulator: Simulator, receiver: Receiver) -> None:
    """An agency's install has its own webhook and one per location, all signed."""
    simulator.order("install", company_id="Agency", location_ids=["L1", "L2"])
    simulator.order("uninstall", location_id="L1")
    simulator.order("install", location_id="L3", webhook=False)
    told = [hook.payload for hook in receiver.wait_for(4)]
    assert [(one["type"], one.get("installType"), one.get("locationId"), one.get("companyId")) for one in told] == [
        ("INSTALL", "Company", None, "Agency"),
        ("INSTALL", "Location", "L1", "Agency"),
        ("INSTALL", "Location", "L2", "Agency"),
        ("UNINSTALL", None, "L1", None),
    ]
    assert all(one["webhookId"] and one["appId"] and one["timestamp"] for one in told)
    assert "x-ghl-signature" in receiver.hooks[0].headers


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({**APP, "client_secret": "guessed", "grant_type": "refresh_token", "refresh_token": "r"}, 401),
        ({"client_id": CLIENT_ID, "grant_type": "refresh_token"}, 422),
        ({**APP, "grant_type": "password"}, 422),
        ({**APP, "grant_type": "authorization_code", "code": "guessed"}, 400),
    ],
)
def test_what_the_token_endpoint_refuses(simulator: Simulator, form: dict[str, str], status: int) -> None:
    """Strangers, incomplete forms and unknown codes are refused."""
    assert simulator.http.post("/oauth/token", data=form).status_code == status


def test_grants_can_go_wrong(simulator: Simulator) -> None:
    """An answer that is cut after its effect leaves the refresh token used."""
    simulator.order("defaults", refresh_seconds=0)
    told = pair(simulator, location_id="L1")
    simulator.fault("oauth", {"kind": "status", "status": 500, "when": "after"}, times=1)
    form = {"grant_type": "refresh_token", "refresh_token": told["refresh_token"]}
    assert ask(simulator, **form).status_code == 500
    assert ask(simulator, **form).status_code == 400
