"""The admin API: logins, requests, answers and refusals."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bridge.operating.registry import OPERATIONS
from bridge.store.operators.login_rate_limit import MOST_OF_ALL, MOST_OF_AN_ADDRESS, WINDOW_MS, LoginRateLimit
from tests.keys import key
from tests.served import ADMIN_TOKEN, served
from tests.stored import PROVIDED, accept, keep, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

LOCATION = {**PROVIDED, "name": "Acme", "ghl_token": "pit-very-secret", "debounce_seconds": 0.5}


@pytest.fixture(scope="module")
def url(redis_url: str) -> Iterator[str]:
    """A receiver with an admin token."""
    with served(redis_url) as url:
        yield f"{url}/api/v1"


@pytest.fixture
def api(url: str, redis: Redis) -> Iterator[httpx.Client]:
    """A client with a valid token, and an empty Redis."""
    del redis
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}) as client:
        yield client


def refused(answer: httpx.Response) -> tuple[int, str]:
    """The status and the code of a refusal, which has a sentence too."""
    error = answer.json()["error"]
    assert answer.headers["content-type"] == "application/json"
    assert error["message"]
    return answer.status_code, error["code"]


def apply(api: httpx.Client, *ids: str, **more: Any) -> httpx.Response:
    return api.put("/locations", json={"locations": dict.fromkeys(ids, LOCATION), **more})


def test_what_is_applied_is_listed_shown_paused_and_removed(api: httpx.Client) -> None:
    """All operations on a location work over HTTP; its token is never returned."""
    assert apply(api, "One", "Two").json()["locations"][0]["id"] == "One"
    assert api.post("/locations/One/pause").json() == {"id": "One"}
    assert [(each["id"], each["state"]) for each in api.get("/locations").json()["locations"]] == [
        ("One", "paused"),
        ("Two", "active"),
    ]
    assert api.post("/locations/One/resume").json() == {"id": "One", "replayed": None}
    shown = api.get("/locations/One")
    assert shown.json()["settings"]["debounce_seconds"] == 0.5
    assert "very-secret" not in shown.text
    assert api.delete("/locations/One").json() == {"id": "One"}
    assert refused(api.get("/locations/One")) == (404, "not_known")


def test_every_change_is_noted_with_its_door(api: httpx.Client) -> None:
    """Changes with the admin token are marked."""
    apply(api, "One")
    api.post("/locations/One/pause")
    api.get("/locations/One")

    changes = api.get("/audit", params={"limit": 10}).json()["changes"]

    assert [(each["who"], each["what"], each["ids"]) for each in changes] == [
        ("token", "locations.pause", ["One"]),
        ("token", "locations.apply", ["One"]),
    ]


def test_a_message_is_explained(api: httpx.Client, redis: Redis) -> None:
    """The answer has the contract's format."""
    apply(api, "here")
    accept(redis, message("m1"))

    told = api.get("/explain/m1").json()

    assert told["messages"][0]["status"] == "waiting"
    assert told["events"][0]["step"] == "accepted"
    assert refused(api.get("/explain/nobody")) == (404, "not_known")


WRONG = {"Authorization": "Bearer wrong"}
STRANGERS: dict[str, dict[str, str]] = {
    "no header": {},
    "another token": {"Authorization": "Bearer wrong"},
    "another kind": {"Authorization": f"Basic {ADMIN_TOKEN}"},
    "an empty token": {"Authorization": "Bearer"},
    "a token with more behind it": {"Authorization": f"Bearer {ADMIN_TOKEN}x"},
    "a token in bytes that are no text": {"Authorization": "Bearer \xff\xfe"},
}


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
def test_nobody_is_let_in_without_the_token(url: str, redis: Redis, headers: dict[str, str]) -> None:
    """The status is 401 for every path, existing or not, with the header that says how to log in."""
    del redis
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    for path in ("/locations", "/openapi.json", "/nowhere"):
        answer = httpx.get(url + path, headers=encoded)
        assert refused(answer) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_without_a_token_in_the_settings_the_api_is_closed(redis_url: str, redis: Redis) -> None:
    """The status is 403 for every request."""
    del redis
    with served(redis_url, BRIDGE_ADMIN_TOKEN="") as url:
        for token in ("", "Bearer", f"Bearer {ADMIN_TOKEN}"):
            answer = httpx.get(f"{url}/api/v1/locations", headers={"Authorization": token})
            assert refused(answer) == (403, "closed")


def test_who_guesses_too_often_has_to_wait(api: httpx.Client, url: str) -> None:
    """After twenty wrong tokens in a minute an address gets 429 and the time to wait, even with the right token."""
    for _ in range(MOST_OF_AN_ADDRESS):
        assert httpx.get(f"{url}/audit").status_code == 401
        assert httpx.get(f"{url}/audit", headers=WRONG).status_code == 401

    answer = httpx.get(f"{url}/audit", headers=WRONG)

    assert refused(answer) == (429, "too_often")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert api.get("/audit").status_code == 429


def test_failures_from_elsewhere_lock_no_operator_out(redis: Redis) -> None:
    """After two hundred failures in a minute unknown addresses wait; for an address with an earlier login only its own count."""
    logins = LoginRateLimit(redis)
    logins.succeeded("operator")
    for number in range(MOST_OF_ALL):
        logins.failed(f"address{number}")

    assert 0 < logins.wait("stranger") <= 60
    assert logins.wait("operator") == 0
    for _ in range(MOST_OF_AN_ADDRESS):
        logins.failed("operator")
    assert logins.wait("operator") > 0


def test_all_that_is_kept_of_logins_expires(redis: Redis) -> None:
    """Failures expire a minute after the first of them, known addresses after a day."""
    logins = LoginRateLimit(redis)
    logins.failed("a")
    redis.pexpire(key("logins", "a"), WINDOW_MS - 5000)
    logins.failed("a")
    logins.succeeded("a")

    assert 0 < redis.pttl(key("logins", "a")) <= WINDOW_MS - 5000
    assert all(redis.pttl(name) > 0 for name in redis.scan_iter("*"))


REQUESTS = {
    "a body that is no JSON": ("PUT", "/locations", "{", 400),
    "a body that is no object": ("PUT", "/locations", "[]", 400),
    "a field that is missing": ("PUT", "/locations", "{}", 400),
    "a field of another kind": ("PUT", "/locations", '{"locations": {}, "prune": "yes"}', 400),
    "a field that is not known": ("PUT", "/locations", '{"locations": {}, "colour": 1}', 400),
    "a question in the query that is not known": ("GET", "/locations?colour=1", "", 400),
    "a limit out of bounds": ("GET", "/locations?limit=501", "", 400),
    "a limit that is no number": ("GET", "/dead-letters?limit=many", "", 400),
    "a place that no page gave": ("GET", "/dead-letters?after=x", "", 400),
    "no ids": ("POST", "/dead-letters/replay", '{"ids": []}', 400),
    "ids that are not known": ("POST", "/dead-letters/drop", '{"ids": ["x"]}', 404),
    "a location with a wrong key": ("PUT", "/locations", '{"locations": {"One": {"mode": "loud"}}}', 422),
    "a location that names the server's environment": (
        "PUT",
        "/locations",
        '{"locations": {"One": {"ghl_token": {"env": "BRIDGE_SECRET_KEY"}}}}',
        422,
    ),
    "a path that is not there": ("GET", "/nowhere", "", 404),
    "a method that is not there": ("PATCH", "/locations", "", 405),
}


@pytest.mark.parametrize(("method", "path", "body", "status"), REQUESTS.values(), ids=REQUESTS)
def test_a_wrong_request_is_named(api: httpx.Client, method: str, path: str, body: str, status: int) -> None:
    """Each error has its status, a code for programs and a sentence for people."""
    assert refused(api.request(method, path, content=body))[0] == status


def test_a_wrong_method_tells_the_right_ones(api: httpx.Client) -> None:
    """The status is 405 with Allow."""
    assert set(api.patch("/locations").headers["allow"].split(", ")) == {"GET", "HEAD", "PUT"}
    assert api.head("/locations").status_code == 200


def test_a_body_without_end_is_not_read(api: httpx.Client) -> None:
    """The status is 413 as soon as the size is known to be too large, announced or not."""

    def endless() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 1024 * 1024

    assert refused(api.put("/locations", content=b" " * (17 * 1024 * 1024))) == (413, "too_large")
    assert refused(api.put("/locations", content=endless())) == (413, "too_large")


def test_without_redis_the_api_says_so() -> None:
    """The status is 503, with a sentence and without a traceback."""
    with served("redis://127.0.0.1:1/0") as url:
        answer = httpx.get(f"{url}/api/v1/locations", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}, timeout=30)
        assert refused(answer) == (503, "unavailable")


def test_without_the_secret_key_webhooks_are_served_and_locations_are_not(redis_url: str, redis: Redis) -> None:
    """A missing setting affects only what needs it."""
    keep(redis)
    with served(redis_url, BRIDGE_SECRET_KEY="") as url:
        answer = httpx.get(f"{url}/api/v1/locations", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})
        assert refused(answer) == (503, "misconfigured")
        assert httpx.get(f"{url}/readyz").status_code == 200


def test_a_thousand_locations_are_applied_in_seconds(api: httpx.Client) -> None:
    """It takes less than 5 s, and applies all or none."""
    began = time.monotonic()
    done = apply(api, *(f"L{number:04}" for number in range(1000)))

    assert done.status_code == 200
    assert time.monotonic() - began < 5
    page = api.get("/locations", params={"limit": 500, "after": "L0499"}).json()
    assert (len(page["locations"]), page["next"]) == (500, None)


def test_the_document_tells_every_operation(api: httpx.Client) -> None:
    """It is OpenAPI 3.1, generated from the same registry as the routes."""
    document = api.get("/openapi.json").json()

    told = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert document["openapi"] == "3.1.0"
    assert told == {(each.path, each.method) for each in OPERATIONS}
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))
    assert all(each["summary"] for methods in document["paths"].values() for each in methods.values())
    assert "pit-" not in json.dumps(document)
