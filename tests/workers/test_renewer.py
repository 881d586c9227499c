"""The renewer: grants are renewed before they expire, whether they are in use or not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from bridge.access.token_refresh import TokenRefresh
from bridge.store.redis.connection import connect
from tests.access.granting import opened
from tests.stored import eventually, grants_of, pass_time
from workers.renewer import Renewer

if TYPE_CHECKING:
    from redis import Redis


def test_what_is_due_is_renewed_by_one_of_two(redis: Redis) -> None:
    """Two workers send one request; a grant that isn't due is left alone."""
    with opened(redis) as lender:
        lender.lend(seconds=100)
        renewers = [Renewer(lender.renewing(), every=0.02) for _ in range(2)]
        threads = [threading.Thread(target=renewer.run) for renewer in renewers]
        for thread in threads:
            thread.start()
        threading.Event().wait(0.1)
        assert lender.asked == []
        pass_time(redis, 95)
        eventually(lambda: lender.asked)
        threading.Event().wait(0.1)
        for renewer, thread in zip(renewers, threads, strict=True):
            renewer.stop()
            thread.join(10)
    assert lender.shown() == ["refresh-0"]


def test_without_redis_it_waits() -> None:
    """It ends on request."""
    with connect("redis://127.0.0.1:1/0") as nowhere:
        renewer = Renewer(TokenRefresh(grants_of(nowhere), None), every=0.01)
        thread = threading.Thread(target=renewer.run)
        thread.start()
        threading.Event().wait(0.2)
        assert thread.is_alive()
        renewer.stop()
        thread.join(10)
    assert not thread.is_alive()
