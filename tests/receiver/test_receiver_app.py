"""The receiver's routes: its sender can act on every answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import LocationId
from bridge.receiver.answers import LINGER_BYTES
from bridge.receiver.app import COLLECT_AFTER
from bridge.receiver.webhooks import MOST_BYTES
from tests.keys import key
from tests.receiver.conftest import PEM
from tests.stored import locations_of
from tests.story.redis_faults import FAULTS

if TYPE_CHECKING:
    from redis import Redis
    from starlette.types import Message

    from tests.receiver.conftest import Receiver

SAMPLES = Path(__file__).parent.parent / "samples"
EVENTS = {
    file.stem: file.read_bytes()
    for file in sorted(SAMPLES.rglob("*.json"))
    if file.parent.name != "errors" and file.name != "INDEX.json"
}
SMS = EVENTS["inbound_sms_full_envelope"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/webhooks/ghl", 405),
        ("PUT", "/webhooks/ghl", 405),
        ("POST", "/healthz", 405),
        ("GET", "/", 200),
        ("POST", "/", 405),
        ("GET", "/api/docs", 200),
        ("GET", "/api/", 404),
        ("POST", "/webhooks", 404),
        ("POST", "/webhooks/ghl/more", 404),
    ],
)
async def test_only_the_doors_that_there_are_can_be_opened(
    receiver: Receiver, redis: Redis, method: str, path: str, status: int
) -> None:
    """Other paths are 404, other methods 405."""
    receiver.knows(redis, "somewhere")
    assert (await receiver.call(method, path)).status_code == status


@pytest.mark.parametrize(
    "path",
    ["/webhooks/ghl/", "//webhooks/ghl", "/webhooks//ghl", "///webhooks///ghl//", "/webhooks/workflow/", "//webhooks/workflow"],
)
async def test_a_slash_too_many_is_the_same_route(receiver: Receiver, path: str) -> None:
    """A doubled or trailing slash leads to the webhook's route, without a redirect or a 404."""
    answers = [await receiver.call(method, f"http://bridge{path}") for method in ("POST", "GET")]
    assert [answer.status_code for answer in answers] == [401, 405]


@pytest.mark.parametrize("name", EVENTS)
async def test_no_authentic_event_is_answered_with_an_error(receiver: Receiver, redis: Redis, name: str) -> None:
    """Each of GHL's own payloads gets a 2xx and a status of the contract; inbound messages of a known location get 202."""
    event = json.loads(EVENTS[name])
    receiver.knows(redis, str(event.get("locationId") or "Unknown"))

    answer = await receiver.take(EVENTS[name])

    document = answer.json()
    assert document["status"] in {"accepted", "ignored"}
    assert answer.status_code == (202 if document["status"] == "accepted" else 200)
    assert ("reason" in document) is (document["status"] == "ignored")
    inbound = name.startswith("inbound_") and name not in {"inbound_call", "inbound_voicemail"}
    assert (document["status"] == "accepted") is inbound


async def test_the_answer_names_the_ids(receiver: Receiver, redis: Redis) -> None:
    """The sender can use them with `explain`."""
    event = json.loads(SMS)
    receiver.knows(redis, event["locationId"])
    ids = {"message_id": event["messageId"], "conversation_id": event["conversationId"]}

    assert (await receiver.take(SMS)).json() == {"status": "accepted", **ids}
    assert (await receiver.take(SMS)).json() == {"status": "duplicate", **ids}


async def test_without_redis_nothing_is_promised(stranded: Receiver) -> None:
    """Webhooks get 429 with `Retry-After`; `readyz` is 503 without a password; `healthz` is 200."""
    answer, ready, alive = (
        await stranded.take(SMS),
        await stranded.call("GET", "/readyz"),
        await stranded.call("GET", "/healthz"),
    )

    assert (answer.status_code, answer.json(), float(answer.headers["Retry-After"]) > 0) == (429, {"status": "unavailable"}, True)
    assert (ready.status_code, alive.status_code) == (503, 200)
    assert "hidden" not in ready.text


async def test_an_unsigned_webhook_costs_redis_nothing(stranded: Receiver) -> None:
    """The signature is checked first, so a stranger learns nothing of Redis' state."""
    assert (await stranded.call("POST", "/webhooks/ghl", b"{}")).status_code == 401


async def test_a_state_that_is_not_what_it_should_be_is_no_promise(receiver: Receiver, redis: Redis) -> None:
    """If a script fails, the answer is 429, as for everything that was not stored."""
    event = json.loads(SMS)
    receiver.knows(redis, event["locationId"])
    redis.set(key("waiting", event["locationId"], event["contactId"]), "not a list")

    assert (await receiver.take(SMS)).status_code == 429


async def test_a_state_that_never_had_a_location_promises_nothing(receiver: Receiver, redis: Redis) -> None:
    """With an emptied Redis, messages of both directions get 429 until there is a location, then 200."""
    before = [await receiver.take(EVENTS[name]) for name in ("inbound_sms_full_envelope", "inbound_call", "outbound_sms")]
    ready = await receiver.call("GET", "/readyz")
    receiver.knows(redis, "somewhere")
    locations_of(redis).remove(LocationId("somewhere"))
    after = await receiver.take(SMS)

    assert [answer.status_code for answer in before] == [429] * 3
    assert (ready.status_code, ready.json()["why"].partition(":")[0]) == (503, "no location")
    assert (after.status_code, after.json()["reason"]) == (200, "unknown_location")
    assert (await receiver.call("GET", "/readyz")).status_code == 200


@pytest.mark.parametrize(
    ("code", "words"), [("READONLY", "a replica"), ("NOREPLICAS", "fewer replicas"), ("OOM", "full"), ("NOPERM", "right")]
)
async def test_a_redis_that_refuses_writes_is_not_ready(receiver: Receiver, redis: Redis, code: str, words: str) -> None:
    """`readyz` is 503 with the server's reason as a sentence, webhooks get 429, and `healthz` stays 200."""
    receiver.knows(redis, json.loads(SMS)["locationId"])
    with FAULTS[code](redis):
        ready, alive = await receiver.call("GET", "/readyz"), await receiver.call("GET", "/healthz")
        taken = await receiver.take(SMS)
    assert (ready.status_code, alive.status_code, taken.status_code) == (503, 200, 429)
    assert words in ready.json()["why"]
    assert (await receiver.take(SMS)).status_code == 202


async def test_an_install_works_on_a_state_without_a_location(receiver: Receiver) -> None:
    """It is the first location, so later messages there don't count as those of an emptied Redis."""
    install = json.loads(EVENTS["app_install_location"])
    installed = await receiver.take(EVENTS["app_install_location"])
    written = await receiver.take(json.dumps({**json.loads(SMS), "locationId": install["locationId"]}).encode())

    assert (installed.status_code, written.status_code) == (200, 200)
    assert written.json()["reason"] == "unconfigured"


async def test_readyz_tells_what_an_operator_asks(receiver: Receiver, redis: Redis) -> None:
    """It has the number of live workers, the age of the oldest overdue conversation, and whether a 202 is durable."""
    receiver.knows(redis, json.loads(SMS)["locationId"])
    await receiver.take(SMS)
    deadline = time.monotonic() + 5
    told: dict[str, Any] = {}
    while time.monotonic() < deadline and not told.get("oldest_overdue_seconds"):
        told = (await receiver.call("GET", "/readyz")).json()

    assert told["workers"] == 0
    assert 0 < told["oldest_overdue_seconds"] < 5
    assert told["durability"] == {"complete": True, "missing": []}


@pytest.mark.parametrize("announced", [True, False])
async def test_of_an_endless_body_little_is_read(receiver: Receiver, announced: bool) -> None:
    """The answer is sent at the limit; a little more is read so that it arrives, and then no more."""
    read = 0
    sent: list[Message] = []
    told_after: list[int] = []

    async def receive() -> Message:
        nonlocal read
        read += 65536
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)
        told_after.append(read)

    headers = [(b"content-length", b"99999999999")] if announced else []
    scope = {"type": "http", "method": "POST", "path": "/webhooks/ghl", "query_string": b"", "headers": headers}
    await receiver.app(scope, receive, send)

    start, answer, end = sent
    assert start["status"] == 413
    assert (b"connection", b"close") in start["headers"]
    assert (answer["body"], answer["more_body"]) == (b'{"status":"too_large"}', True)
    assert (end["body"], end["more_body"]) == (b"", False)
    before = 0 if announced else MOST_BYTES + 65536
    assert told_after == [before, before, before + LINGER_BYTES]


def test_what_a_web_process_starts_with_is_not_looked_through_for_garbage(redis_url: str) -> None:
    """Python's garbage collector skips what existed before the first request, and runs rarely."""
    told = "import gc; from bridge.receiver.app import from_process_environment as start; "
    told += "start(); print(gc.get_freeze_count(), gc.get_threshold()[0])"
    command, environ = (sys.executable, "-c", told), {**os.environ, "REDIS_URL": redis_url, "GHL_WEBHOOK_KEYS": PEM}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)

    frozen, after = map(int, done.stdout.split())
    assert frozen > after == COLLECT_AFTER


async def test_an_event_takes_the_direct_way(receiver: Receiver, redis: Redis) -> None:
    """Neither Starlette's middleware nor its routes see a webhook at its exact path; the answer is the same as by the route."""
    receiver.knows(redis, json.loads(SMS)["locationId"])
    direct = await receiver.take(SMS)
    built = [receiver.app.middleware_stack is not None]
    signed = direct.request.headers["x-ghl-signature"]
    by_route = await receiver.call("POST", "http://bridge//webhooks/ghl", SMS, {"X-GHL-Signature": signed})
    built.append(receiver.app.middleware_stack is not None)
    assert built == [False, True]
    assert [direct.status_code, by_route.status_code] == [202, 200]
    assert dict(direct.json(), status="") == dict(by_route.json(), status="")
    assert direct.headers.keys() == by_route.headers.keys()
