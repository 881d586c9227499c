"""Reading a conversation back, so that a message's absence is proven or known to be unproven."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import Retryable
from bridge.ghl.access import alone
from bridge.ghl.client import GHL
from bridge.ghl.message_window import MOST_PAGES, read_window
from bridge.model import ConversationId
from bridge.wire.calls import Wire
from tests.other_side import OtherSide, answering, http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.model import Window
    from tests.other_side import Visit

NOW = 1_800_000_000_000


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def row(id_: str, *, seconds_ago: float, body: str = "Hello", direction: str = "outbound") -> dict[str, Any]:
    at = datetime.fromtimestamp(NOW / 1000 - seconds_ago, UTC)
    return {"id": id_, "direction": direction, "body": body, "dateAdded": at.isoformat()}


def page(*rows: dict[str, Any], more: bool = False, clock: float = 0.0) -> bytes:
    """A page from GHL, whose clock is `clock` seconds behind."""
    date = format_datetime(datetime.fromtimestamp(NOW / 1000 - clock, UTC), usegmt=True)
    listing = {"nextPage": more, "lastMessageId": rows[-1]["id"] if rows else "", "messages": rows}
    return http(200, {"messages": listing}, {"Date": date})


def read(wire: Wire, server: OtherSide, *, seconds_ago: float) -> Window:
    ghl = GHL(wire, server.url, sleep=lambda _: None)
    since = NOW - round(seconds_ago * 1000)
    return read_window(ghl, ConversationId("conv"), token=alone("t"), since_ms=since, now_ms=NOW, seconds=5)


def ids(window: Window) -> list[str]:
    return [message.id for message in window.messages]


def test_only_what_is_not_older_than_the_attempt_is_in_the_window(wire: Wire) -> None:
    """Messages from before the attempt prove nothing and are left out, except for a small difference of clocks."""
    with OtherSide(
        answering(page(row("new", seconds_ago=1), row("slack", seconds_ago=11), row("old", seconds_ago=60)))
    ) as server:
        window = read(wire, server, seconds_ago=10)
    assert (ids(window), window.complete) == (["new", "slack"], True)


def test_pages_are_read_back_to_the_attempt(wire: Wire) -> None:
    """If a page ends after the attempt, the next one is read, and no further one."""
    first, second = (
        page(row("m1", seconds_ago=1), more=True),
        page(row("m2", seconds_ago=2), row("m3", seconds_ago=60), more=True),
    )
    with OtherSide(answering(first, second)) as server:
        window = read(wire, server, seconds_ago=10)
    assert (ids(window), window.complete) == (["m1", "m2"], True)
    assert [request.target for request in server.requests][1].endswith("&lastMessageId=m1")
    assert len(server.requests) == 2


def test_a_window_that_ends_too_early_says_so(wire: Wire) -> None:
    """A conversation that is too long to be read back to the attempt is not complete."""
    with OtherSide(answering(*(page(row(f"m{n}", seconds_ago=1), more=True) for n in range(MOST_PAGES + 1)))) as server:
        window = read(wire, server, seconds_ago=10)
    assert not window.complete
    assert len(server.requests) == MOST_PAGES


@pytest.mark.parametrize("clock", [30.0, -30.0])
def test_the_attempt_is_looked_for_by_the_clock_of_ghl(wire: Wire, clock: float) -> None:
    """If GHL's clock differs, the time of the attempt is converted."""
    sent, before = row("sent", seconds_ago=5 + clock), row("before", seconds_ago=20 + clock)
    with OtherSide(answering(page(sent, before, clock=clock))) as server:
        assert ids(read(wire, server, seconds_ago=10)) == ["sent"]


def test_a_message_whose_time_cannot_be_read_is_in_the_window(wire: Wire) -> None:
    """A row without a time may be the wanted message."""
    odd = {"id": "odd", "direction": "outbound", "body": "Hello"}
    with OtherSide(answering(page(odd, row("old", seconds_ago=60)))) as server:
        assert ids(read(wire, server, seconds_ago=10)) == ["odd"]


def test_texts_that_the_list_leaves_out_are_fetched(wire: Wire) -> None:
    """An outbound message without a text is read separately; an inbound one isn't."""
    rows = page(row("mail", seconds_ago=1, body=""), row("theirs", seconds_ago=2, body="", direction="inbound"))
    with OtherSide(answering(rows, http(200, {"message": {"body": "<p>Hi</p>"}}))) as server:
        window = read(wire, server, seconds_ago=10)
    assert [message.text for message in window.messages] == ["<p>Hi</p>", ""]
    assert [request.target for request in server.requests][1:] == ["/conversations/messages/mail"]


def test_a_read_that_fails_proves_nothing(wire: Wire) -> None:
    """If a later page can't be read, the whole reading fails."""
    fault = http(500, {})
    with OtherSide(answering(page(row("m1", seconds_ago=1), more=True), fault, fault, fault)) as server, pytest.raises(Retryable):
        read(wire, server, seconds_ago=10)


def test_the_time_that_an_answer_takes_is_no_difference_of_clocks(wire: Wire) -> None:
    """A wait for the rate limit or a slow GHL makes the window begin earlier, never later."""
    answer = page(row("m1", seconds_ago=10), clock=-3.5)

    def serve(visit: Visit) -> None:
        while visit.request():
            time.sleep(2.0)
            visit.send(answer)

    with OtherSide(serve) as server:
        assert ids(read(wire, server, seconds_ago=10)) == ["m1"]
