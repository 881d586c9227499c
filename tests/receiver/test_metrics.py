"""/metrics: the counts of all processes in Prometheus' format, without personal data."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from bridge.ghl.access import Need
from bridge.ghl.rate_limit_headers import Limits
from bridge.metrics import FAMILIES, GHL_REQUEST, Tally
from bridge.model import Dead, Ended, LocationId, Reason, Status
from bridge.receiver.app import build
from bridge.store.figures.counts import Counts
from bridge.store.limits.budget import Budgets
from tests.keys import key
from tests.receiver.conftest import Receiver, settings_for
from tests.receiver.test_receiver_app import SMS
from tests.stored import accept, claim, lanes_of, message

if TYPE_CHECKING:
    from redis import Redis

OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
EVENT = json.loads(SMS)
HERE = LocationId(EVENT["locationId"])


async def samples(receiver: Receiver) -> dict[str, float]:
    """Every sample by its name and its labels."""
    text = (await receiver.call("GET", "/metrics")).text
    return {
        " ".join([sample.name, *(value for _, value in sorted(sample.labels.items()) if value)]): sample.value
        for family in parse(text)
        for sample in family.samples
    }


def live_a_little(redis: Redis, receiver: Receiver) -> None:
    """Some replies, skips, a hold, and requests."""
    receiver.knows(redis, HERE)
    lanes = lanes_of(redis)
    for number in range(5):
        accept(redis, message(f"m{number}", f"c{number}", HERE))
    turns = [turn for lane in claim(lanes) if (turn := lanes.lease(lane))]
    lanes.end(turns[0], Ended(status=Status.REPLIED, message_ids=tuple(one.id for one in turns[0].messages)))
    ids = tuple(one.id for one in turns[1].messages)
    lanes.end(turns[1], Ended(status=Status.SKIPPED, message_ids=ids, reason=Reason.DND))
    ids = tuple(one.id for one in turns[2].messages)
    lanes.write_dead_letter(turns[2], ids, Dead(error="no"), answer=None, at_ms=1)
    ids = tuple(one.id for one in turns[3].messages)
    lanes.end(turns[3], Ended(status=Status.NO_REPLY, message_ids=ids, reason=Reason.REFUSAL))
    tally = Tally()
    tally.time(GHL_REQUEST, "POST /conversations/messages", "2xx", seconds=0.3)
    tally.time(GHL_REQUEST, "POST /conversations/messages", "lost", seconds=200)
    Counts(redis).add(tally)


async def test_prometheus_can_read_it(receiver: Receiver, redis: Redis) -> None:
    """It can be read in both formats; every metric has its description, and every histogram is complete."""
    live_a_little(redis, receiver)
    plain = await receiver.call("GET", "/metrics")
    families = list(parse(plain.text))
    other = (await receiver.call("GET", "/metrics", headers=OPENMETRICS)).text
    assert {family.name.removesuffix("_info") for family in families} == {
        family.name
        for family in parse_openmetrics(other)  # type: ignore[no-untyped-call]
    }
    assert plain.headers["content-type"].startswith("text/plain; version=")
    for family in families:
        assert family.name.startswith("ghl_bridge_")
        assert family.documentation
    histograms = [family for family in families if family.type == "histogram"]
    assert len(histograms) == sum(bool(family.edges) for family in FAMILIES)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed; Debian has it in `prometheus`")
async def test_names_and_units_are_as_prometheus_wants_them(receiver: Receiver, redis: Redis) -> None:
    """`promtool check metrics` reports nothing."""
    live_a_little(redis, receiver)
    text = (await receiver.call("GET", "/metrics")).text
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)  # noqa: ASYNC221, S607
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_what_happened_is_counted(receiver: Receiver, redis: Redis) -> None:
    """Outcomes by status and reason, times in their buckets, and gauges are counted."""
    live_a_little(redis, receiver)
    found = await samples(receiver)
    assert found["ghl_bridge_messages_accepted_total"] == 5
    assert found["ghl_bridge_messages_total replied"] == 1
    assert found["ghl_bridge_messages_total dnd skipped"] == 1
    assert found["ghl_bridge_messages_total human_takeover skipped"] == 0
    assert found["ghl_bridge_messages_total refusal no_reply"] == 1
    assert found["ghl_bridge_messages_total filtered no_reply"] == 0
    assert "ghl_bridge_messages_total refusal skipped" not in found
    assert found["ghl_bridge_messages_total dead"] == 1
    assert found["ghl_bridge_open_dead_letters"] == 1
    assert found["ghl_bridge_conversations answering"] == 1
    assert found["ghl_bridge_conversations waiting"] == 0
    assert found["ghl_bridge_workers"] == 1
    assert found["ghl_bridge_reply_duration_seconds_count"] == 1
    name, post = "ghl_bridge_ghl_request_duration_seconds", "POST /conversations/messages"
    assert found[f"{name}_bucket 2xx 0.25 {post}"] == 0
    assert found[f"{name}_bucket 2xx 0.5 {post}"] == found[f"{name}_bucket 2xx +Inf {post}"] == 1
    assert found[f"{name}_bucket lost 120.0 {post}"] == 0
    assert found[f"{name}_count lost {post}"] == 1
    assert found[f"{name}_sum lost {post}"] == 200


async def test_webhooks_are_counted_by_their_answer(receiver: Receiver, redis: Redis) -> None:
    """A receiver's counts are written after a second, and every receiver shows them."""
    receiver.knows(redis, HERE)
    await receiver.take(SMS)
    await receiver.take(SMS)
    await receiver.take(json.dumps({**EVENT, "type": "Unheard", "messageId": "m2", "webhookId": "w2"}).encode())
    await receiver.call("POST", "/webhooks/ghl", SMS, {"X-GHL-Signature": "N/A"})
    await receiver.call("POST", "/webhooks/ghl", SMS, {"Content-Length": "99999999"})
    other = build(receiver.settings)
    async with other.router.lifespan_context(other):
        second = Receiver(other, receiver.settings)
        for _ in range(100):
            found = await samples(second)
            if found["ghl_bridge_webhooks_total accepted"]:
                break
            await asyncio.sleep(0.1)
        told = {name.partition(" ")[2]: count for name, count in found.items() if "webhooks_total" in name and count}
    assert told == {"accepted": 1, "duplicate": 1, "ignored not_a_message": 1, "unauthorized": 1, "too_large": 1}
    assert found["ghl_bridge_webhook_duration_seconds_count"] == 1


async def test_the_least_of_ghls_budget_is_told(receiver: Receiver, redis: Redis) -> None:
    """It is that of the location with the least left, with the number of locations that wait."""
    found = await samples(receiver)
    assert found["ghl_bridge_ghl_budget_left_ratio interval"] == found["ghl_bridge_ghl_budget_left_ratio day"] == 1
    receiver.knows(redis, HERE, LocationId("another"))
    budgets = Budgets(redis)
    for _ in range(30):
        budgets.acquire(HERE, Need.POST)
    budgets.acquire(LocationId("another"), Need.POST)
    budgets.rate_limited(LocationId("another"), 30, Limits())
    found = await samples(receiver)
    assert found["ghl_bridge_ghl_budget_left_ratio interval"] == 0.7
    assert found["ghl_bridge_ghl_budget_left_ratio day"] == pytest.approx(1 - 30 / 200_000)
    assert found["ghl_bridge_locations_waiting_for_ghl"] == 1


async def test_it_names_nobody(receiver: Receiver, redis: Redis) -> None:
    """It has no id of a location, contact, conversation or message; locations only with their setting."""
    live_a_little(redis, receiver)
    redis.hincrby(key("tally", HERE), "deliveries|SMS|accepted", 1)
    text = (await receiver.call("GET", "/metrics")).text
    ids = [HERE, *(f"{kind}{number}" for kind in ("m", "c", "conversation-c") for number in range(4))]
    assert [id_ for id_ in ids if f'"{id_}"' in text or f"{id_}:" in text] == []
    open_minded = build(settings_for(receiver.settings.state_url, BRIDGE_METRICS_LOCATIONS="1"))
    async with open_minded.router.lifespan_context(open_minded):
        found = await samples(Receiver(open_minded, receiver.settings))
    assert found[f"ghl_bridge_location_messages_total {HERE} replied"] == 1
    assert found[f"ghl_bridge_location_ghl_budget_left {HERE} interval"] == 100
    assert found[f"ghl_bridge_location_deliveries_total SMS accepted {HERE}"] == 1


async def test_a_family_of_another_version_is_left_out(receiver: Receiver, redis: Redis) -> None:
    """While two versions run, one of them counts families that the other doesn't know."""
    redis.hset(key("totals"), mapping={"news|a|b": 1, "messages|replied|": 3})
    assert (await samples(receiver))["ghl_bridge_messages_total replied"] == 3


async def test_without_redis_there_are_no_metrics(stranded: Receiver) -> None:
    """The status is 503, with a sentence and without a password."""
    answer = await stranded.call("GET", "/metrics")
    assert answer.status_code == 503
    assert "Redis could not" in answer.text
    assert "hidden" not in answer.text
