"""Downloads from addresses that strangers may have chosen: permitted addresses, and limits."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from bridge.wire.calls import Wire
from bridge.wire.destinations import only_public
from bridge.wire.downloads import Downloads
from tests.other_side import OtherSide, Visit, http

if TYPE_CHECKING:
    from tests.other_side import Visit

MEGABYTE = 1024 * 1024


def downloads(*addresses: str, simulated: bool = False) -> Downloads:
    """Downloads with names that resolve to these addresses, whatever they are."""
    resolve = only_public(lambda _host, _port: list(addresses)) if addresses else only_public()
    return Downloads(Wire(resolve=resolve), simulated=simulated)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://files.example.com/1.ogg", "its address is not https"),
        ("ftp://files.example.com/1.ogg", "its address is not https"),
        ("https://user@files.example.com/1.ogg", "its address is not https"),
        ("file:///etc/passwd", "its address is not https"),
        ("https://[::1", "its address is invalid"),
        ("", "its address is not https"),
        ("http://127.0.0.1:6379/", "its address is this machine's"),
        ("https://localhost/", "its address is this machine's"),
        ("https://[::ffff:127.0.0.1]/", "its address is this machine's"),
        ("https://10.0.0.1/", "its address is not public"),
        ("https://169.254.169.254/latest/meta-data", "its address is not public"),
        ("https://[fd00::1]/", "its address is not public"),
    ],
)
def test_only_public_addresses_are_reached(url: str, why: str) -> None:
    """Only https to public addresses is allowed, not to this machine."""
    assert downloads().get(url, seconds=2, max_bytes=MEGABYTE).why == why


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "168.63.129.16"])
def test_a_name_that_leads_inside_is_not_followed(address: str) -> None:
    """The looked-up address is the checked one, so a name can't change in between."""
    got = downloads(address, simulated=True).get("https://files.example.com/1.ogg", seconds=2, max_bytes=MEGABYTE)
    assert (got.content, got.why) == (b"", "its address is not public")


def test_this_machine_counts_where_ghl_is_simulated_there() -> None:
    """With another GHL this machine is refused."""
    with OtherSide(lambda visit: visit.send(http(200, b"OggS")) if visit.request() else None) as side:
        assert downloads(simulated=True).get(side.url, seconds=5, max_bytes=MEGABYTE).content == b"OggS"
        assert downloads(simulated=False).get(side.url, seconds=5, max_bytes=MEGABYTE).why == "its address is this machine's"
        assert len(side.requests) == 1


def test_a_stream_without_an_end_is_cut() -> None:
    """The limit is a number of bytes, whatever the length header says."""

    def pour(visit: Visit) -> None:
        visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                visit.send(bytes(64 * 1024))

    with OtherSide(pour) as side:
        got = downloads(simulated=True).get(side.url, seconds=20, max_bytes=MEGABYTE)
    assert (got.content, got.why.startswith("it is larger than 1048576 bytes")) == (b"", True)


def test_a_stream_that_trickles_is_cut() -> None:
    """The limit is a total time (s), redirects included."""

    def trickle(visit: Visit) -> None:
        visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with contextlib.suppress(OSError):
            visit.trickle(bytes(1000), every=0.05)

    with OtherSide(trickle) as side:
        began = time.monotonic()
        got = downloads(simulated=True).get(side.url, seconds=0.5, max_bytes=MEGABYTE)
        took = time.monotonic() - began
    assert (got.content, "did not arrive within 0.5 s" in got.why) == (b"", True)
    assert took < 5


@pytest.mark.parametrize(
    ("status", "stale"), [(401, True), (403, True), (404, True), (410, True), (500, False), (204, False), (206, False)]
)
def test_a_status_tells_whether_another_address_may_do(status: int, stale: bool) -> None:
    """Media hosts answer 403 and 404 for expired addresses."""
    with OtherSide(lambda visit: visit.send(http(status)) if visit.request() else None) as side:
        got = downloads(simulated=True).get(side.url, seconds=5, max_bytes=MEGABYTE)
    assert (got.why, got.stale) == (f"its host answered HTTP {status}", stale)


def test_nothing_is_told_of_who_downloads() -> None:
    """There is no login, and no cookie of an earlier answer."""

    def redirect(visit: Visit) -> None:
        while visit.request():
            visit.send(http(302, b"", {"Location": "/2", "Set-Cookie": "a=b"}))

    with OtherSide(redirect) as side:
        assert downloads(simulated=True).get(f"{side.url}/1", seconds=5, max_bytes=MEGABYTE).why == "more than 3 redirects"
        assert [request.target for request in side.requests] == ["/1", "/2", "/2", "/2"]
        assert all({"cookie", "authorization"} & set(request.headers) == set() for request in side.requests)
