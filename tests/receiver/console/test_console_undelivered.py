"""The list of undelivered replies: a button sends one of them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.answering.test_deliveries import reply, told
from tests.receiver.console.conftest import opened, words
from tests.world import opened as opened_world

if TYPE_CHECKING:
    from redis import Redis


async def test_a_reply_is_sent_once_more_by_its_button(redis: Redis, redis_url: str) -> None:
    """The page shows the result, the reply leaves the list, and a second click sends nothing."""
    with opened_world(redis) as world:
        world.keep(takeover_seconds=0, history_messages=0)
        reply(world)
        world.texts["r1"] = "answer 1"
        told(world, "failed")
        async with opened(redis_url, GHL_API_URL=world.url) as operator:
            await operator.log_in()
            page = await operator.see("/conversations")
            assert "Send again r1" in words(page)
            done = await operator.submit("/undelivered", id="r1")
            assert "Reply r1 is sent again" in words(done)
            again = await operator.submit("/undelivered", id="r1")
            assert "Send again r1" not in words(await operator.see("/conversations"))
            assert again.status_code in {400, 404}
        world.work()
        assert world.posts() == ["answer 1", "answer 1"]
