"""Wake-ups that a claim adds to the broker's own list are Celery's messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import Celery

from bridge.broker import REDIS_TRANSPORT
from tests.keys import key
from tests.stored import LONG, accept, keep, lanes_of, message
from workers.tasks import WakeUp

if TYPE_CHECKING:
    from redis import Redis

QUEUE = "ghl-bridge-of-this-test"


def app_of(redis: Redis) -> Celery:
    where = redis.connection_pool.connection_kwargs
    app = Celery("ghl-bridge", set_as_current=False)
    password = where.get("password") or ""
    app.conf.update(
        broker_url=f"redis://:{password}@{where['host']}:{where['port']}/{where.get('db', 0)}",
        task_default_queue=QUEUE,
        broker_transport_options=REDIS_TRANSPORT,
    )
    return app


def fetched(app: Celery, count: int) -> list[Any]:
    """The items that Celery's consumer gets, oldest first."""
    with app.connection_for_read() as connection, connection.SimpleQueue(QUEUE) as queue:
        found = [queue.get(timeout=5) for _ in range(count)]
        for one in found:
            one.ack()
        return found


def test_a_claim_wakes_as_a_published_message_would(redis: Redis) -> None:
    """It has the same task and argument, and its own id, in the order in which the lanes were claimed."""
    app = app_of(redis)
    wake_up = WakeUp(app, "bridge.answer")
    keep(redis)
    accept(redis, message("m1", "ana"), message("m2", "ben"))
    claim = lanes_of(redis).claim("w", slots=2, alive_seconds=LONG, most=2, wake_ups=wake_up.as_list())
    assert redis.llen(QUEUE) == len(claim.lanes) == 2
    pushed = fetched(app, 2)
    wake_up.publish(claim.lanes)
    published = fetched(app, 2)
    for one, other, lane in zip(pushed, published, claim.lanes, strict=True):
        assert one.payload[:2] == other.payload[:2] == [[str(lane)], {}]
        assert one.headers["task"] == other.headers["task"]
        assert (one.content_type, one.delivery_info) == (other.content_type, other.delivery_info)
    assert len({one.headers["id"] for one in pushed}) == len({one.delivery_tag for one in pushed}) == 2


def test_who_publishes_elsewhere_finds_nothing_in_the_list(redis: Redis) -> None:
    """Without a list a claim only claims."""
    keep(redis)
    accept(redis, message())
    assert lanes_of(redis).claim("w", slots=1, alive_seconds=LONG, most=1).lanes
    assert not redis.exists(QUEUE)
    assert redis.zcard(key("inflight")) == 1
