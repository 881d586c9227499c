"""Installing the app: the user is redirected to GHL with a state, and returns with a code; lost tokens are reported."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.fernet import Fernet

from bridge.access.installing import STATE_SECONDS, Installing
from bridge.errors import OutcomeUnknown, Rejected, TokenRefused, Unavailable
from bridge.ghl.tokens import Tokens
from bridge.model import LocationId
from bridge.store.locations.grants import of_company, of_location
from bridge.store.locations.installs import Installs
from bridge.store.redis.connection import connect_without_retries
from bridge.wire.calls import Wire
from tests.access.granting import APP
from tests.other_side import OtherSide, answering, http
from tests.stored import FERNET_KEY, RETENTION_MS, grants_of, keep, locations_of

if TYPE_CHECKING:
    from redis import Redis

PAIR: dict[str, Any] = {"access_token": "at", "refresh_token": "rt", "expires_in": 60, "userType": "Location"}
OWN = http(200, {**PAIR, "locationId": "here", "companyId": "agency"})
WHOLE = http(200, {**PAIR, "userType": "Company", "companyId": "agency", "approvedLocations": ["here", "there"]})


def installing(redis: Redis, url: str, *, now: float = 0.0, keys: tuple[str, ...] = (FERNET_KEY,)) -> Installing:
    return Installing(
        Tokens(Wire(), url, APP),
        grants_of(redis),
        Installs(redis, retention_ms=RETENTION_MS),
        fernet_keys=keys,
        clock=lambda: time.time() + now,
    )


def state_of(address: str) -> str:
    (state,) = parse_qs(urlsplit(address).query)["state"]
    return state


def test_a_location_is_installed(redis: Redis) -> None:
    """The code is sent to GHL once; the tokens are stored, and the location is known."""
    with OtherSide(answering(OWN)) as server:
        here = installing(redis, server.url)
        granted = here.take("the-code", state_of(here.chooser()))
    assert (granted.location_id, len(server.requests)) == ("here", 1)
    assert b"code=the-code" in server.requests[0].body
    grant = grants_of(redis).get(of_location(LocationId("here")))
    assert grant
    assert (grant.access_token, grant.refresh_token, grant.company_id) == ("at", "rt", "agency")
    keep(redis)
    kept = locations_of(redis).get(LocationId("here"))
    assert kept
    assert (kept.installed_at_ms > 0, kept.company_id) == (True, "agency")


def test_an_agency_is_installed_with_its_locations(redis: Redis) -> None:
    """An agency's install stores one pair of tokens for all its locations, and each location is known."""
    with OtherSide(answering(WHOLE)) as server:
        installing(redis, server.url).take("the-code", "")
    assert grants_of(redis).get(of_company("agency"))
    assert Installs(redis, retention_ms=RETENTION_MS).unconfigured() == ("here", "there")


def test_the_mark_is_ours_and_young(redis: Redis) -> None:
    """A wrong, foreign or missing state, or one older than an hour, is refused before the code is sent to GHL."""
    with OtherSide(answering(OWN)) as server:
        here = installing(redis, server.url)
        good = state_of(here.chooser())
        other = state_of(installing(redis, server.url, keys=(Fernet.generate_key().decode(),)).chooser())
        sealed = Fernet(FERNET_KEY).encrypt(b"something else that is sealed here").decode()
        for wrong in ("x", "\N{SNOWMAN}", good[:-2], other, sealed):
            with pytest.raises(Rejected):
                here.take("the-code", wrong)
        with pytest.raises(Rejected):
            installing(redis, server.url, now=STATE_SECONDS + 5).take("the-code", good)
        assert server.requests == []
        installing(redis, server.url, now=STATE_SECONDS - 60).take("the-code", good)
        here.take("another-code", "")
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(400, {"error": "invalid_grant", "error_description": "This authorization code is invalid"}), TokenRefused),
        (http(200, {"access_token": "at", "userType": "Company"}), OutcomeUnknown),
        (http(500, {}), OutcomeUnknown),
    ],
)
def test_what_ghl_refuses_is_kept_nowhere(redis: Redis, answer: bytes, kind: type[Exception]) -> None:
    """After an invalid code, or an answer without a location, nothing is stored."""
    with OtherSide(answering(answer)) as server, pytest.raises(kind):
        installing(redis, server.url).take("the-code", "")
    assert redis.keys("*") == []


def test_without_redis_the_code_is_not_used_up() -> None:
    """The code is sent to GHL only if Redis can store the tokens."""
    with OtherSide(answering(OWN)) as server, connect_without_retries("redis://127.0.0.1:1/0", seconds=1) as nowhere:
        with pytest.raises(Unavailable):
            installing(nowhere, server.url).take("the-code", "")
        assert server.requests == []
