"""GHL's token endpoints with real sockets: what is sent, and how often."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from bridge.errors import BridgeError, OutcomeUnknown, Retryable, TokenRefused
from bridge.ghl.oauth import App
from bridge.ghl.tokens import Tokens
from bridge.model import LocationId
from bridge.wire.calls import Wire
from tests.other_side import OtherSide, answering, cutting, http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.other_side import Visit

APP = App(client_id="app-1", client_secret="s3cret", redirect_url="https://bridge.example/oauth/callback")
LENT = http(200, {"access_token": "at", "refresh_token": "rt", "locationId": "L1", "userType": "Location", "expires_in": 60})


@pytest.fixture
def tokens() -> Iterator[Callable[[str], Tokens]]:
    wire = Wire()
    yield lambda url: Tokens(wire, url, APP)
    wire.close()


def test_a_pair_is_asked_for_by_a_form(tokens: Callable[[str], Tokens]) -> None:
    """Both ways post a form to `/oauth/token`, without a bearer token."""
    with OtherSide(answering(LENT)) as server:
        tokens(server.url + "/").by_code("the code", seconds=5)
        assert tokens(server.url).by_refresh("r+t/=", "Location", seconds=5).access_token == "at"
    for request, name, value in zip(server.requests, ("code", "refresh_token"), ("the code", "r+t/="), strict=True):
        form = {key: values[0] for key, values in parse_qs(request.body.decode(), strict_parsing=True).items()}
        assert (request.method, request.target) == ("POST", "/oauth/token")
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert request.headers["version"] == "2021-07-28"
        assert "authorization" not in request.headers
        assert (form["client_id"], form["client_secret"], form[name]) == ("app-1", "s3cret", value)


def test_a_locations_token_is_asked_for_with_the_agencys(tokens: Callable[[str], Tokens]) -> None:
    """The agency's token is the bearer token; the client's secret is not sent."""
    with OtherSide(answering(LENT)) as server:
        tokens(server.url).for_location("agency's", "C1", LocationId("L1"), seconds=5)
    (request,) = server.requests
    assert (request.target, request.body) == ("/oauth/locationToken", b"companyId=C1&locationId=L1")
    assert (request.headers["authorization"], request.headers["version"]) == ("Bearer agency's", "2021-07-28")


def test_the_exchange_of_v3_has_another_path() -> None:
    """With GHL_API_VERSION=v3 the exchange uses that version's path, and each request has the version."""
    wire = Wire()
    with OtherSide(answering(LENT)) as server:
        Tokens(wire, server.url, APP, version="v3").for_location("agency's", "C1", LocationId("L1"), seconds=5)
    wire.close()
    (request,) = server.requests
    assert (request.target, request.headers["version"]) == ("/oauth/location-token", "v3")


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (answering(http(500, {})), OutcomeUnknown),
        (answering(http(200, {})), OutcomeUnknown),
        (cutting(b""), OutcomeUnknown),
        (cutting(b"HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n{"), OutcomeUnknown),
        (answering(http(400, {"error": "invalid_grant"})), TokenRefused),
    ],
)
def test_what_may_be_used_up_is_shown_once(
    tokens: Callable[[str], Tokens], behave: Callable[[Visit], None], kind: type[BridgeError]
) -> None:
    """A refresh token whose answer is lost is not sent a second time automatically."""
    with OtherSide(behave) as server, pytest.raises(kind):
        tokens(server.url).by_refresh("rt", "Location", seconds=5)
    assert len(server.requests) == 1


def test_what_was_not_sent_is_tried_again(tokens: Callable[[str], Tokens]) -> None:
    """If GHL had no time for it, nothing was used, and the second attempt gets the tokens."""
    with OtherSide(answering(http(429, {}, {"Retry-After": "0"}), LENT)) as server:
        assert tokens(server.url).by_refresh("rt", "Location", seconds=5).refresh_token == "rt"
        url = server.url
    assert len(server.requests) == 2
    with pytest.raises(Retryable, match="nothing was sent"):
        tokens(url).by_refresh("rt", "Location", seconds=0.5)
