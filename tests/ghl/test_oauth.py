"""OAuth as plain values: the requests, and what to do after each answer."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.errors import BridgeError, OperatorMustFix, OutcomeUnknown, Retryable, TokenRefused
from bridge.ghl.oauth import USUAL_SECONDS, App, Granted, by_code, by_refresh, chooser, decipher, for_location
from bridge.model import LocationId

APP = App(client_id="app-1", client_secret="s3cret", redirect_url="https://bridge.example/oauth/callback")
# As the published description has them, and as they were seen.
LOCATION = {
    "access_token": "at",
    "token_type": "Bearer",
    "expires_in": 86399,
    "refresh_token": "rt",
    "scope": "conversations.readonly",
    "userType": "Location",
    "locationId": "L1",
    "companyId": "C1",
    "userId": "U1",
}
COMPANY = {**LOCATION, "userType": "Company", "approvedLocations": ["L1", "", 7, "L2"]}
del COMPANY["locationId"]
LENT = {"access_token": "at", "expires_in": 3600, "locationId": "L2", "userId": "U1"}


def read(status: int, document: object) -> Granted:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return decipher(status, {}, body, what="refresh token")


def test_an_installer_is_sent_to_ghls_chooser() -> None:
    """The URL has the app, the redirect, the scopes and the state, each escaped."""
    address = urlsplit(chooser(APP, state="a b&c"))
    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://marketplace.gohighlevel.com/v2/oauth/chooselocation"
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert query.pop("scope").split() == [
        "conversations.readonly",
        "conversations/message.readonly",
        "conversations/message.write",
        "contacts.readonly",
        "contacts.write",
        "oauth.write",
        "conversation-ai.readonly",
    ]
    assert query == {"response_type": "code", "client_id": "app-1", "redirect_uri": APP.redirect_url, "state": "a b&c"}
    assert "state" not in parse_qs(urlsplit(chooser(APP)).query)


def test_tokens_are_asked_for_by_forms_of_snake_case() -> None:
    """They are GHL's names of version 2021-07-28; GHL knows by the code whether a location or an agency installed."""
    client = {"client_id": "app-1", "client_secret": "s3cret"}
    assert by_code(APP, "c") == {**client, "grant_type": "authorization_code", "code": "c", "redirect_uri": APP.redirect_url}
    assert by_refresh(APP, "r", "Company") == {
        **client,
        "grant_type": "refresh_token",
        "refresh_token": "r",
        "user_type": "Company",
    }
    assert for_location("C1", LocationId("L1")) == {"companyId": "C1", "locationId": "L1"}


def test_each_kind_of_grant_is_read() -> None:
    """A location's tokens, an agency's with its locations, and a token exchanged for an agency's are read."""
    own, agency, lent = read(200, LOCATION), read(200, COMPANY), read(201, LENT)
    assert (own.kind, own.location_id, own.company_id, own.access_token, own.refresh_token) == (
        "Location",
        "L1",
        "C1",
        "at",
        "rt",
    )
    assert own.seconds == 86399
    assert (agency.kind, agency.location_id, agency.locations) == ("Company", "", ("L1", "L2"))
    assert (lent.kind, lent.location_id, lent.refresh_token, lent.seconds) == ("Location", "L2", "", 3600)


@pytest.mark.parametrize("told", [None, 0, -1, True, "soon", float("inf")])
def test_a_life_that_makes_no_sense_is_the_usual_one(told: object) -> None:
    """GHL's tokens last about a day."""
    assert read(200, {**LOCATION, "expires_in": told}).seconds == USUAL_SECONDS


@pytest.mark.parametrize(
    ("status", "document", "kind", "word"),
    [
        (400, {"error": "invalid_grant", "error_description": "This refresh token is invalid"}, TokenRefused, "refresh token"),
        (401, {"statusCode": 401, "message": "Invalid token: access token is invalid"}, TokenRefused, "401"),
        (403, {"message": "Forbidden"}, TokenRefused, "403"),
        (422, {"message": ["code should not be empty"]}, TokenRefused, "422"),
        (401, {"error": "UnAuthorized!", "error_description": "Invalid client credentials!"}, OperatorMustFix, "GHL_CLIENT_ID"),
        (400, {"error": "invalid_client"}, OperatorMustFix, "GHL_CLIENT_SECRET"),
        (400, {"error": "invalid_grant", "error_description": "redirect_uri differs"}, OperatorMustFix, "GHL_REDIRECT_URL"),
        (404, {"message": "Not Found"}, OperatorMustFix, "GHL_API_URL"),
        (403, b"<html>", OperatorMustFix, "GHL_API_URL"),
        (301, b"", OperatorMustFix, "GHL_API_URL"),
        (429, {}, Retryable, "429"),
        (408, {}, OutcomeUnknown, "408"),
        (500, {}, OutcomeUnknown, "500"),
        (200, {}, OutcomeUnknown, "can't be read"),
        (200, b"<html>", OutcomeUnknown, "can't be read"),
        (200, {"access_token": 7}, OutcomeUnknown, "can't be read"),
    ],
)
def test_a_refusal_says_what_to_do_next(status: int, document: object, kind: type[BridgeError], word: str) -> None:
    """The grant is over, the app is configured wrongly, nothing was used, or that is unknown."""
    with pytest.raises(BridgeError, match=word) as caught:
        read(status, document)
    assert type(caught.value) is kind


def test_secrets_don_t_print() -> None:
    """A log or an error contains neither the app's secret nor tokens."""
    shown = repr(APP) + repr(read(200, LOCATION))
    assert not [secret for secret in ("s3cret", "'at'", "'rt'") if secret in shown]


@pytest.mark.parametrize("status", [200, 201])
def test_tokens_are_read_in_both_spellings(status: int) -> None:
    """API version v3 answers in camelCase; the older spelling has priority if both are there."""
    newer = {"accessToken": "a", "refreshToken": "r", "expiresIn": 60, "userType": "Location", "locationId": "L1"}
    granted = decipher(status, {}, json.dumps(newer).encode(), what="token")
    assert (granted.access_token, granted.refresh_token, granted.seconds, granted.kind) == ("a", "r", 60, "Location")
    both = {**newer, "access_token": "b", "refresh_token": "s", "expires_in": 30}
    granted = decipher(status, {}, json.dumps(both).encode(), what="token")
    assert (granted.access_token, granted.refresh_token, granted.seconds) == ("b", "s", 30)
