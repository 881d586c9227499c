"""The endpoint for workflow webhooks: the same answers as for marketplace events, for senders with the secret."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import anyio
import pytest

from bridge.locations_file import read
from bridge.receiver.app import build
from bridge.receiver.webhooks import MOST_BYTES
from bridge.store.redis.connection import now_ms
from bridge.wiring import build_locations
from tests.keys import key, pattern
from tests.receiver.conftest import Receiver, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx
    from redis import Redis

FREE = json.loads((Path(__file__).parent.parent / "samples" / "derived" / "workflow_webhook_inbound_sms.json").read_bytes())
HERE = FREE["location"]["id"]
ROUTE = "/webhooks/workflow"
SHARED, OLDER = "shared-secret/with:odd+characters", "older-secret"


@pytest.fixture
async def receiver(redis_url: str, redis: Redis) -> AsyncIterator[Receiver]:
    del redis
    settings = settings_for(redis_url, BRIDGE_WORKFLOW_SECRET=f"{SHARED}, {OLDER} ,")
    app = build(settings)
    async with app.router.lifespan_context(app):
        yield Receiver(app, settings)


def apply(receiver: Receiver, redis: Redis, secret: str = "", location: str = HERE) -> None:
    text = f"[locations.{location}]\nworkflow_secret = {json.dumps(secret)}"
    build_locations(receiver.settings, redis).apply(read(text, {}))


async def hook(receiver: Receiver, secret: str = SHARED, path: str = ROUTE, **root: Any) -> httpx.Response:
    body = json.dumps({**FREE, **root}).encode()
    return await receiver.call("POST", path, body, {"X-Bridge-Secret": secret, "Content-Type": "application/json"})


async def test_a_workflow_webhook_is_accepted(receiver: Receiver, redis: Redis) -> None:
    """The status is 202 with the known ids; a second one with GHL's id is a duplicate, without it that is decided later."""
    apply(receiver, redis)
    ids = {"message_id": "m1", "conversation_id": "c1"}
    first, again, unnamed = await hook(receiver, customData=ids), await hook(receiver, customData=ids), await hook(receiver)
    assert (first.status_code, first.json()) == (202, {"status": "accepted", **ids})
    assert (again.status_code, again.json()) == (200, {"status": "duplicate", **ids})
    assert (unnamed.status_code, unnamed.json()["status"]) == (202, "accepted")
    assert unnamed.json()["message_id"].startswith("workflow-")
    assert redis.llen(key("waiting", f"{HERE}:{FREE['contact_id']}")) == 2


async def test_a_form_is_accepted(receiver: Receiver, redis: Redis) -> None:
    """A custom webhook may send a form."""
    apply(receiver, redis)
    body = f"location_id={HERE}&contact_id=c&message=hi&message_id=m".encode()
    headers = {"X-Bridge-Secret": SHARED, "Content-Type": "application/x-www-form-urlencoded"}
    assert (await receiver.call("POST", ROUTE, body, headers)).json() == {"status": "accepted", "message_id": "m"}


@pytest.mark.parametrize(
    ("root", "answer"),
    [
        ({"location": {"id": "Unknown"}}, {"status": "ignored", "reason": "unknown_location"}),
        ({"message": {"body": "x", "direction": "outbound"}}, {"status": "ignored", "reason": "not_inbound"}),
        ({"message": {"type": "", "body": ""}}, {"status": "ignored", "reason": "blank"}),
        ({"message": {"type": 1, "body": "x"}, "customData": {}}, {"status": "ignored", "reason": "not_a_message"}),
        ({"contact_id": None}, {"status": "ignored", "reason": "unparseable"}),
    ],
)
async def test_what_is_not_to_be_answered_is_a_2xx(
    receiver: Receiver, redis: Redis, root: dict[str, Any], answer: dict[str, str]
) -> None:
    """A sender with the secret gets the reason, with a status that is not retried."""
    apply(receiver, redis)
    told = await hook(receiver, **root)
    assert (told.status_code, {name: told.json()[name] for name in answer}) == (200, answer)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (ROUTE, {"X-Bridge-Secret": SHARED}),
        (ROUTE, {"X-Bridge-Secret": OLDER}),
        (ROUTE, {"Authorization": f"Bearer {SHARED}"}),
        (f"{ROUTE}/{quote(SHARED)}", {}),
        (f"{ROUTE}/{quote(SHARED, safe='')}", {}),
        (f"{ROUTE}/{OLDER}", {"Authorization": "Basic x"}),
        (f"{ROUTE}/{OLDER}/", {}),
        (f"{ROUTE}//{OLDER}", {}),
        (f"http://bridge//webhooks//workflow/{OLDER}//", {}),
        (f"{ROUTE}/", {"X-Bridge-Secret": OLDER}),
    ],
)
async def test_the_secret_may_come_in_three_places(receiver: Receiver, redis: Redis, path: str, headers: dict[str, str]) -> None:
    """It may be in its own header, as a bearer token or in the path; any of the configured ones is valid, for a rotation."""
    apply(receiver, redis)
    assert (await receiver.call("POST", path, json.dumps(FREE).encode(), headers)).status_code == 202


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (ROUTE, {}),
        (f"{ROUTE}/", {}),
        (ROUTE, {"X-Bridge-Secret": "wrong"}),
        (ROUTE, {"X-Bridge-Secret": f"{SHARED}, {OLDER}"}),
        (ROUTE, {"Authorization": SHARED}),
        (f"{ROUTE}/wrong", {}),
        (f"{ROUTE}/{OLDER}/more", {}),
    ],
)
@pytest.mark.parametrize("body", [FREE, {**FREE, "location": {"id": "Unknown"}}, {}, []])
async def test_without_the_secret_nothing_is_told(
    receiver: Receiver, redis: Redis, path: str, headers: dict[str, str], body: object
) -> None:
    """The status is 401 without details, whether the location is known or not, and nothing is stored."""
    apply(receiver, redis)
    answer = await receiver.call("POST", path, json.dumps(body).encode(), headers)
    assert (answer.status_code, answer.json()) == (401, {"status": "unauthorized"})
    assert not list(redis.scan_iter(pattern("message", "*")))


RAW = {"X-Bridge-Secret": SHARED, "Content-Type": "application/json"}


@pytest.mark.parametrize("text", ["Hello,\nwhen do you open?", 'He said "come in", when?', "a\ttab"])
async def test_a_raw_body_is_accepted(receiver: Receiver, redis: Redis, text: str) -> None:
    """A template with a text that has line breaks, tabs or quotes is a message like any other."""
    apply(receiver, redis)
    body = f'{{"contact_id":"c","location_id":"{HERE}","message":"{text}","channel":"SMS","message_id":"m"}}'.encode()
    told = await receiver.call("POST", ROUTE, body, RAW)
    assert (told.status_code, told.json()) == (202, {"status": "accepted", "message_id": "m"})
    assert json.loads(redis.hget(key("message", HERE, "m"), "body") or "")["text"] == text


def poll_for_heartbeat(redis: Redis) -> None:
    while not redis.exists(key("receiving")):
        time.sleep(0.01)


async def test_a_body_that_cannot_be_read_is_swept_for(receiver: Receiver, redis: Redis) -> None:
    """If the ids can be read but not the text, GHL is swept soon; without the secret the request has no effect."""
    apply(receiver, redis)
    body = f'{{"contact_id":"c","location_id":"{HERE}","first_name":"Bob "Bobby" Lee","message":"hi"}}'.encode()
    planned = now_ms(redis) + 600_000.0

    def plan() -> float:
        return redis.zscore(key("sweeps", of=HERE), HERE) or 0.0

    assert (await receiver.call("POST", ROUTE, body, {**RAW, "X-Bridge-Secret": "wrong"})).status_code == 401
    # The receiver's own first heartbeat has swept everything.
    await anyio.to_thread.run_sync(poll_for_heartbeat, redis)
    redis.zadd(key("sweeps", of=HERE), {HERE: planned})
    assert (await receiver.call("POST", ROUTE, body, {**RAW, "X-Bridge-Secret": "wrong"})).status_code == 401
    assert plan() == planned

    told = await receiver.call("POST", ROUTE, body, RAW)

    assert (told.status_code, told.json()) == (200, {"status": "ignored", "reason": "unparseable"})
    assert now_ms(redis) < plan() < now_ms(redis) + 10_000 < planned

    build_locations(receiver.settings, redis).apply(read(f"[locations.{HERE}]\nreconcile_minutes = 0", {}))
    assert (await receiver.call("POST", ROUTE, body, RAW)).status_code == 200
    assert redis.zscore(key("sweeps", of=HERE), HERE) is None


async def test_a_locations_own_secret_is_the_only_one(receiver: Receiver, redis: Redis) -> None:
    """The shared ones stay valid for other locations, and for this one after its own was removed."""
    apply(receiver, redis, "own-secret")
    apply(receiver, redis, "", "There")
    elsewhere: dict[str, Any] = {"location": {"id": "There"}}
    assert [(await hook(receiver, secret)).status_code for secret in ("own-secret", SHARED)] == [202, 401]
    assert [(await hook(receiver, secret, **elsewhere)).status_code for secret in ("own-secret", SHARED)] == [401, 202]
    apply(receiver, redis, "")
    assert [(await hook(receiver, secret)).status_code for secret in ("own-secret", SHARED)] == [401, 202]


async def test_without_any_secret_set_nobody_is_let_in(redis_url: str, redis: Redis) -> None:
    """While no secret is set the endpoint is closed, also for an empty one."""
    settings = settings_for(redis_url)
    app = build(settings)
    async with app.router.lifespan_context(app):
        closed = Receiver(app, settings)
        apply(closed, redis)
        assert [(await hook(closed, secret)).status_code for secret in ("", "anything")] == [401, 401]


async def test_without_redis_nothing_is_promised(stranded: Receiver) -> None:
    """Requests with a secret get 429 with `Retry-After`; those without cause no call to Redis."""
    answer = await hook(stranded)
    assert (answer.status_code, answer.json(), float(answer.headers["Retry-After"]) > 0) == (429, {"status": "unavailable"}, True)
    assert (await hook(stranded, "")).status_code == 401


async def test_a_body_over_the_limit_is_refused(receiver: Receiver) -> None:
    """The status is 413, as at the other endpoint."""
    answer = await receiver.call("POST", f"{ROUTE}/{OLDER}", b"x" * (MOST_BYTES + 1))
    assert (answer.status_code, answer.json()) == (413, {"status": "too_large"})


async def test_a_large_body_is_read_all_the_same(receiver: Receiver, redis: Redis) -> None:
    """A body that takes long to parse is parsed in a thread."""
    apply(receiver, redis)
    assert (await hook(receiver, message={"type": 2, "body": "word " * 10_000})).status_code == 202


async def test_no_secret_is_logged(receiver: Receiver, redis: Redis, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a right nor a wrong secret is in a log, wherever it was sent."""
    apply(receiver, redis)
    for path, secret in ((f"{ROUTE}/{OLDER}", ""), (f"{ROUTE}/guessed-secret", ""), (ROUTE, "guessed-secret"), (ROUTE, OLDER)):
        await hook(receiver, secret, path)
    said = "".join(capsys.readouterr())
    assert "webhook" in said
    assert "secret" not in said.replace("the secret is not the one of BRIDGE_WORKFLOW_SECRET", "")
