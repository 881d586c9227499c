"""Events with only GHL's legacy RSA signature: accepted and counted, until the app's own events show that it is obsolete."""

from __future__ import annotations

import base64
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.metrics import SIGNATURES
from bridge.operating.doctor.signatures import examine_signatures
from bridge.operating.services import AdminServices
from bridge.policy.legacy_signatures import UNUSED_MS
from bridge.receiver.app import build
from bridge.store.figures.counts import Counts
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.receiver.conftest import KEY, PEM, Receiver, settings_for
from tests.receiver.test_receiver_app import SMS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from redis import Redis

    from bridge.operating.doctor.findings import Finding

    Started = Callable[..., AbstractAsyncContextManager[Receiver]]

LEGACY = rsa.generate_private_key(65537, 2048)
PEMS = PEM + LEGACY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
HERE = json.loads(SMS)["locationId"]


@pytest.fixture
def started(redis_url: str, redis: Redis) -> Started:
    """Starts a receiver with a setting; its counts are written at its end."""

    @asynccontextmanager
    async def start(setting: str, **more: str) -> AsyncIterator[Receiver]:
        settings = settings_for(redis_url, GHL_WEBHOOK_KEYS=PEMS, GHL_LEGACY_SIGNATURES=setting, **more)
        app = build(settings)
        async with app.router.lifespan_context(app):
            receiver = Receiver(app, settings)
            receiver.knows(redis, HERE)
            yield receiver

    return start


async def by_rsa(receiver: Receiver, body: bytes = SMS) -> int:
    signature = base64.b64encode(LEGACY.sign(body, padding.PKCS1v15(), SHA256())).decode()
    return (await receiver.call("POST", "/webhooks/ghl", body, {"X-WH-Signature": signature})).status_code


async def by_ed25519(receiver: Receiver, body: bytes = SMS) -> int:
    signature = base64.b64encode(KEY.sign(body)).decode()
    return (await receiver.call("POST", "/webhooks/ghl", body, {"X-GHL-Signature": signature})).status_code


def counted(redis: Redis) -> dict[str, int]:
    totals = Counts(redis).totals()
    return {kind: totals.get(SIGNATURES.field(kind), 0) for kind in ("ed25519", "rsa", "rsa_refused")}


def let_days_pass(redis: Redis) -> None:
    """Let the first Ed25519 signature be seven days older than the newest."""
    newest = int(redis.hget(key("signatures"), "ed25519_at") or 0)
    redis.hset(key("signatures"), "ed25519_since", newest - UNUSED_MS)


def look(receiver: Receiver) -> Finding:
    services = AdminServices(receiver.settings)
    try:
        return examine_signatures(services)
    finally:
        services.close()


async def test_rsa_alone_is_taken_and_counted(started: Started, redis: Redis) -> None:
    """Such an event is answered as usual, counted in the metric, and named by `doctor`."""
    async with started("auto") as receiver:
        assert await by_rsa(receiver) == 202
        assert await by_ed25519(receiver) == 200
    assert counted(redis) == {"ed25519": 1, "rsa": 1, "rsa_refused": 0}
    async with started("auto") as receiver:
        assert 'ghl_bridge_signatures_total{kind="rsa"} 1' in (await receiver.call("GET", "/metrics")).text
        found = look(receiver)
        assert (found.note, "1 event(s) came with the legacy RSA signature alone" in found.says) == (True, True)


async def test_auto_refuses_rsa_alone_after_seven_days_of_ed25519(started: Started, redis: Redis) -> None:
    """A refused event is a 401 with its own count, and does not change later decisions."""
    async with started("auto") as receiver:
        assert await by_ed25519(receiver) == 202
    let_days_pass(redis)
    async with started("auto") as receiver:
        assert [await by_rsa(receiver), await by_rsa(receiver)] == [401, 401]
    async with started("auto") as receiver:
        assert await by_rsa(receiver) == 401
        assert "GHL_LEGACY_SIGNATURES=1" in look(receiver).says
        assert await by_ed25519(receiver) == 200
    assert counted(redis) == {"ed25519": 2, "rsa": 0, "rsa_refused": 3}


async def test_one_event_with_rsa_alone_begins_the_seven_days_anew(started: Started, redis: Redis) -> None:
    """Earlier Ed25519 signatures no longer count."""
    async with started("auto") as receiver:
        await by_ed25519(receiver)
    async with started("auto") as receiver:
        assert await by_rsa(receiver) == 200
    assert redis.hgetall(key("signatures")).keys() == {"rsa_at"}
    async with started("auto") as receiver:
        await by_ed25519(receiver)
    since = int(redis.hget(key("signatures"), "ed25519_since") or 0)
    assert 0 <= now_ms(redis) - since < UNUSED_MS
    assert 0 < int(redis.pttl(key("signatures"))) <= 30 * 24 * 3600 * 1000


@pytest.mark.parametrize(("setting", "status"), [("1", 202), ("0", 401)])
async def test_the_setting_beats_what_was_seen(started: Started, redis: Redis, setting: str, status: int) -> None:
    """`1` accepts only RSA after seven days without it, `0` refuses it from the start."""
    if setting == "1":
        redis.hset(key("signatures"), mapping={"ed25519_since": 1, "ed25519_at": 1 + UNUSED_MS})
    async with started(setting) as receiver:
        assert await by_rsa(receiver) == status


async def test_another_apps_event_says_nothing_of_this_one(started: Started, redis: Redis) -> None:
    """GHL's keys sign for all apps, so only this app's events count."""
    async with started("auto", GHL_APP_ID="mine") as receiver:
        assert await by_ed25519(receiver, SMS.replace(b"{", b'{"appId": "another",', 1)) == 200
    assert counted(redis) == {"ed25519": 0, "rsa": 0, "rsa_refused": 0}
