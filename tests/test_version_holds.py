"""Locations on hold for GHL's API version: released if GHL accepts the version that is set now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.ghl.client import GHL
from bridge.store.operators.symptoms import holds_of
from bridge.version_holds import VersionHolds
from bridge.wire.calls import Wire
from tests.keys import key
from tests.other_side import OtherSide, Visit, http
from tests.stored import ghl_access_of, keep, locations_of

if TYPE_CHECKING:
    from redis import Redis

RETIRED = (401, {"statusCode": 401, "message": "version header is invalid."})
REFUSED = (401, {"statusCode": 401, "message": "Invalid token: access token is invalid"})
NO_SCOPE = (401, {"statusCode": 401, "message": "The token is not authorized for this scope."})
NOT_THERE = (404, {"statusCode": 404, "message": "Not Found"})


@pytest.mark.parametrize(
    ("answers", "released", "asked"),
    [
        ({"pit-a": NOT_THERE, "pit-b": NOT_THERE}, ("a", "b"), {"pit-a"}),
        ({"pit-a": RETIRED, "pit-b": NOT_THERE}, (), {"pit-a"}),
        ({"pit-a": NO_SCOPE, "pit-b": RETIRED}, ("a", "b"), {"pit-a"}),
        ({"pit-a": REFUSED, "pit-b": NOT_THERE}, ("a", "b"), {"pit-a", "pit-b"}),
        ({"pit-a": REFUSED, "pit-b": RETIRED}, (), {"pit-a", "pit-b"}),
        ({"pit-a": REFUSED, "pit-b": REFUSED}, (), {"pit-a", "pit-b"}),
        ({"pit-a": (503, {}), "pit-b": (503, {})}, (), {"pit-a", "pit-b"}),
    ],
)
def test_the_first_location_that_can_tell_decides_for_all(
    redis: Redis, answers: dict[str, tuple[int, dict[str, Any]]], released: tuple[str, ...], asked: set[str]
) -> None:
    """A version is the same for all; a refused token and an outage say nothing about it."""
    for id_ in ("a", "b", "c"):
        keep(redis, id_, ghl_token=f"pit-{id_}")
        redis.hset(key("location", id_), mapping={"hold": 1, "hold_why": "ghl" if id_ == "c" else "version"})
        redis.sadd(key("holds", of=id_), id_)
    shown = set()

    def serve(visit: Visit) -> None:
        while request := visit.request():
            token = request.headers["authorization"].removeprefix("Bearer ")
            shown.add(token)
            visit.send(http(*answers[token]))

    wire = Wire()
    with OtherSide(serve) as side:
        ghl = GHL(wire, side.url, version="v3", sleep=lambda _: None)
        holds = VersionHolds(redis=redis, locations=locations_of(redis), ghl_access=ghl_access_of(redis), ghl=ghl)
        assert holds.release() == released
    wire.close()
    assert shown == asked
    assert set(holds_of(redis)) == {"a", "b", "c"} - set(released)
