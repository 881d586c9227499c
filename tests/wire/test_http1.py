"""The ways in which an answer may be framed, and when its connection serves another request."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from bridge.errors import OperatorMustFix, OutcomeUnknown
from bridge.wire.calls import Answer, CutShort, Wire
from bridge.wire.http1 import MOST_HEAD_BYTES
from tests.other_side import OtherSide, Visit, answering, cutting, http

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwhol\r\n1;x=y\r\ne\r\n0\r\nX-End: yes\r\n\r\n"
HINTS = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A wire of this test."""
    with contextlib.closing(Wire()) as wire:
        yield wire


def ask(wire: Wire, url: str, headers: dict[str, str] | None = None) -> Answer:
    """One request."""
    return wire.call("POST", url, json={"a": 1}, seconds=5.0, headers=headers or {})


@pytest.mark.parametrize(
    "answer",
    [
        http(200, b"whole"),
        CHUNKED,
        HINTS + http(200, b"whole"),
        b"HTTP/1.1 200\r\nCONTENT-LENGTH:5\r\n\r\nwhole",
        b"HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade\r\nContent-Length: 5\r\n\r\nwhole",
    ],
    ids=["length", "chunks", "informational answers before it", "no reason, headers in capitals", "an offer to upgrade"],
)
def test_a_whole_answer_leaves_its_connection_open(wire: Wire, answer: bytes) -> None:
    """However it is framed, the next request goes over the same connection, and no header of one is the other's."""
    with OtherSide(answering(answer, http(204, b""))) as server:
        first, second = ask(wire, server.url), ask(wire, server.url)
    assert (first.status, first.body, second.status, second.body) == (200, b"whole", 204, b"")
    assert "Link" not in first.headers
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nwhole",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nwhole",
        http(200, b"whole") + b"more",
        http(200, b"whole") + http(500, b"not asked for"),
    ],
    ids=["it says so", "HTTP/1.0", "rubbish after it", "a second answer"],
)
def test_a_connection_that_may_be_at_its_end_serves_no_other_request(wire: Wire, answer: bytes) -> None:
    """The next request has a connection of its own."""
    with OtherSide(answering(answer, http(200, b"other"))) as server:
        assert [ask(wire, server.url).body for _ in range(2)] == [b"whole", b"other"]
    assert server.connections == 2


def test_a_body_without_a_length_ends_with_its_connection(wire: Wire) -> None:
    """This is how servers of HTTP/1.0 send what they don't know the length of."""
    with OtherSide(cutting(b"HTTP/1.1 200 OK\r\n\r\nwhole")) as server:
        assert ask(wire, server.url).body == b"whole"


@pytest.mark.parametrize("answer", [CHUNKED[:-20], CHUNKED[:-1], http(200, b"whole")[:-1]])
def test_a_body_that_is_cut_is_not_taken_for_whole(wire: Wire, answer: bytes) -> None:
    """Its status is known, its body is not."""
    with OtherSide(cutting(answer)) as server, pytest.raises(CutShort) as cut:
        ask(wire, server.url)
    assert cut.value.status == 200


def test_endless_headers_are_not_read_to_their_end(wire: Wire) -> None:
    """A hostile server costs a bounded amount of memory."""
    endless = b"HTTP/1.1 200 OK\r\n" + b"X-More: yes\r\n" * (MOST_HEAD_BYTES // 8)
    with OtherSide(cutting(endless)) as server, pytest.raises(OutcomeUnknown):
        ask(wire, server.url)


@pytest.mark.parametrize("value", ["a\rb", "a\x00b", "a\x7fb", " a", "a\n"])
def test_no_header_breaks_its_line(wire: Wire, value: str) -> None:
    """A value with a control character is refused before anything is sent."""
    with OtherSide(answering(http(200, b""))) as server:
        with pytest.raises(OperatorMustFix):
            ask(wire, server.url, headers={"X-Token": value})
        assert ask(wire, server.url, headers={"X-Token": "a \tb"}).status == 200
    assert [request.headers["x-token"] for request in server.requests] == ["a \tb"]


def test_a_request_leaves_in_one_piece(wire: Wire) -> None:
    """Its head does not wait for its body: a server that reads once has all of it."""
    seen: list[bytes] = []

    def look(visit: Visit) -> None:
        seen.append(visit.read())
        visit.send(http(200, b""))

    with OtherSide(look) as server:
        ask(wire, server.url)
    assert seen[0].startswith(b"POST / HTTP/1.1\r\n")
    assert seen[0].endswith(b'{"a": 1}')
