"""The wire: what is certain about a failed call."""

from __future__ import annotations

import contextlib
import datetime as dt
import gc
import gzip
import ipaddress
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bridge.errors import Fenced, OperatorMustFix, OutcomeUnknown, Retryable, Unavailable
from bridge.wire.calls import CONNECTIONS, KEEPALIVE_SECONDS, Answer, CutShort, Wire
from tests.other_side import OtherSide, Visit, answering, cutting, http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bridge.wire.deadline import Resolve

    Resolving = Callable[[Resolve], Wire]

OK = http(200, {"ok": True})
# What a busy machine may need beyond a deadline (s); what is to end there would last for at least twice as long.
SLACK = 4.0


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture
def resolving() -> Iterator[Resolving]:
    """A fixture that makes a wire with another resolver."""
    with contextlib.ExitStack() as stack:
        yield lambda resolve: stack.enter_context(contextlib.closing(Wire(resolve=resolve)))


def call(wire: Wire, url: str, **changes: Any) -> Answer:
    arguments: dict[str, Any] = {"method": "POST", "headers": {"Authorization": "Bearer t"}, "json": {"a": 1}, "seconds": 5.0}
    return wire.call(url=url, **{**arguments, **changes})


def reset(visit: Visit) -> None:
    visit.request()
    visit.reset()


def hold(visit: Visit) -> None:
    visit.hold()


def test_an_answer_comes_back_whole(wire: Wire) -> None:
    """Status, headers in any case and body of an answer are returned, with the duration of the call."""
    with OtherSide(answering(http(418, b"teapot", {"X-Trace-Id": "7"}))) as server:
        answer = call(wire, server.url)
    assert (answer.status, answer.headers["x-trace-ID"], answer.body) == (418, "7", b"teapot")
    assert 0 < answer.seconds < 5


def test_the_request_is_sent_as_told(wire: Wire) -> None:
    """Method, path, parameters, headers and JSON reach the server, without a request for compression."""
    with OtherSide(answering(OK)) as server:
        call(wire, server.url + "/x", json={"text": "grüße 😀"}, params={"limit": 20})
    (request,) = server.requests
    assert (request.method, request.target, request.document) == ("POST", "/x?limit=20", {"text": "grüße 😀"})
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer t"
    assert request.headers["accept-encoding"] == "identity"


def test_a_read_has_no_body(wire: Wire) -> None:
    """Without JSON there is neither body nor content type."""
    with OtherSide(answering(OK)) as server:
        call(wire, server.url, method="GET", json=None)
    assert server.requests[0].body == b""
    assert "content-type" not in server.requests[0].headers


def test_half_an_emoji_is_sent_as_a_question_mark(wire: Wire) -> None:
    """A text that UTF-8 can't represent is sent with a question mark for the broken character."""
    with OtherSide(answering(OK)) as server:
        call(wire, server.url, json={"text": "hi \ud83d"})
    assert server.requests[0].document == {"text": "hi ?"}


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is sent to its own server, whatever HTTP_PROXY and similar variables say, as the deployment guide says."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:1")
    with contextlib.closing(Wire()) as wire, OtherSide(answering(OK)) as server:
        assert call(wire, server.url).status == 200


def test_redirects_are_answers(wire: Wire) -> None:
    """A redirect is not followed."""
    with OtherSide(answering(http(307, b"", {"Location": "/elsewhere"}))) as server:
        assert call(wire, server.url).status == 307
    assert len(server.requests) == 1


def test_cookies_are_forgotten(wire: Wire) -> None:
    """A cookie of one call is not sent by the next, which may be another location's."""
    with OtherSide(answering(http(200, b"", {"Set-Cookie": "session=one"}))) as server:
        call(wire, server.url)
        call(wire, server.url)
    assert "cookie" not in server.requests[1].headers


def test_trickled_headers_end_at_the_deadline(wire: Wire) -> None:
    """A header byte each 0.2 s doesn't extend a call beyond its half second."""

    def behave(visit: Visit) -> None:
        visit.request()
        visit.trickle(b"HTTP/1.1 200 OK\r\nX-Slow: yes" + b"s" * 60, every=0.2)

    with OtherSide(behave) as server:
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown, match="read timeout after the request left"):
            call(wire, server.url, seconds=0.5)
        assert 0.4 < time.monotonic() - started < 0.5 + SLACK


def test_a_trickled_body_ends_at_the_deadline(wire: Wire) -> None:
    """A body byte each 0.2 s doesn't either, and the status is known."""

    def behave(visit: Visit) -> None:
        visit.request()
        visit.send(b"HTTP/1.1 201 X\r\nContent-Length: 100\r\n\r\n")
        visit.trickle(b"x" * 100, every=0.2)

    with OtherSide(behave) as server:
        started = time.monotonic()
        with pytest.raises(CutShort, match="HTTP 201, then read timeout") as caught:
            call(wire, server.url, seconds=0.5)
        assert 0.4 < time.monotonic() - started < 0.5 + SLACK
    assert caught.value.status == 201


def test_a_slow_reader_ends_at_the_deadline(wire: Wire) -> None:
    """If a server doesn't read the request's body, the call ends at its deadline with an unknown outcome."""
    with OtherSide(lambda visit: visit.trickle(b" " * 100, every=0.1)) as server:
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown, match="write timeout"):
            call(wire, server.url, json={"text": "x" * 8_000_000}, seconds=0.5)
        assert 0.4 < time.monotonic() - started < 0.5 + SLACK


def test_a_silent_handshake_ends_at_the_deadline(wire: Wire) -> None:
    """A server that accepts and never answers the TLS handshake was sent nothing."""
    with OtherSide(hold) as server:
        started = time.monotonic()
        with pytest.raises(Retryable, match="connect timeout, nothing was sent"):
            call(wire, f"https://127.0.0.1:{server.port}", seconds=0.5)
        assert 0.4 < time.monotonic() - started < 0.5 + SLACK


def test_no_time_means_no_request(wire: Wire) -> None:
    """A call without time left sends nothing."""
    with OtherSide(answering(OK)) as server, pytest.raises(Retryable):
        call(wire, server.url, seconds=0.0)
    assert server.bytes_received == 0


def test_a_refused_connection_is_retryable(wire: Wire) -> None:
    """A request without a connection was never sent, and the message has the host and the reason, but no full address."""
    with OtherSide(hold) as server:
        url = server.url
    with pytest.raises(Retryable) as caught:
        call(wire, url + "/secret?token=secret")
    assert "127.0.0.1" in str(caught.value)
    assert "refused, nothing was sent" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_unknown_host_is_retryable(wire: Wire) -> None:
    """To a name that doesn't resolve nothing is sent."""
    with pytest.raises(Retryable, match=r"^nowhere\.invalid: .*nothing was sent"):
        call(wire, "https://nowhere.invalid", seconds=20.0)


def test_any_address_of_a_host_will_do(resolving: Resolving) -> None:
    """The first address that answers is used."""
    with OtherSide(answering(OK)) as server:
        assert call(resolving(lambda _, __: ["127.0.0.2", "127.0.0.1"]), server.url).status == 200


def test_a_host_without_addresses_is_retryable(resolving: Resolving) -> None:
    """To a name without an address nothing is sent."""
    with pytest.raises(Retryable, match="no address, nothing was sent"):
        call(resolving(lambda _, __: []), "http://host")


def test_a_look_up_that_hangs_ends_at_the_deadline(resolving: Resolving) -> None:
    """A name server that doesn't answer doesn't extend the call."""
    hang = threading.Event()
    started = time.monotonic()
    with pytest.raises(Retryable, match="connect timeout, nothing was sent"):
        call(resolving(lambda _, __: [str(hang.wait(20))]), "http://host", seconds=0.3)
    hang.set()
    assert 0.2 < time.monotonic() - started < 0.3 + SLACK


def test_a_look_up_may_forbid_the_call(resolving: Resolving) -> None:
    """The bridge's own errors in a resolver are raised unchanged."""

    def refuse(host: str, port: int) -> list[str]:
        raise OperatorMustFix(f"{host}:{port} is private")

    with pytest.raises(OperatorMustFix, match="host:80 is private"):
        call(resolving(refuse), "http://host")


@pytest.mark.parametrize("url", ["", "ftp://host/", "https://xn--/", "https://", "http://host:port/", "no address at all"])
def test_what_is_no_address_is_the_operators(wire: Wire, url: str) -> None:
    """An invalid address is not tried again."""
    with pytest.raises(OperatorMustFix, match="address"):
        call(wire, url)


@pytest.mark.parametrize("token", ["tok\u00e9n", "token\nX-More: yes"])
def test_a_token_that_cant_be_a_header_is_the_operators(wire: Wire, token: str) -> None:
    """A token with invalid characters is never sent and never quoted."""
    with OtherSide(answering(OK)) as server:
        with pytest.raises(OperatorMustFix, match="token") as caught:
            call(wire, server.url, headers={"Authorization": token})
        assert token not in str(caught.value)
        assert call(wire, server.url).status == 200
    assert len(server.requests) == 1


def test_a_fence_at_the_wire_sends_nothing(wire: Wire) -> None:
    """Errors in `before_send` are raised unchanged, no byte is sent, and the wire stays usable."""
    fence = Fenced("another worker holds the lane")

    def before_send() -> None:
        raise fence

    with OtherSide(answering(OK)) as server:
        for _ in range(2):
            with pytest.raises(Fenced) as caught:
                call(wire, server.url, before_send=before_send)
            assert caught.value is fence
            assert server.ended.acquire(timeout=2)
        assert server.bytes_received == 0
        assert call(wire, server.url).status == 200
    assert len(server.requests) == 1


def test_a_fence_on_a_reused_connection_sends_nothing(wire: Wire) -> None:
    """A kept-alive connection calls `before_send` too."""

    def before_send() -> None:
        raise Unavailable("Redis is gone")

    with OtherSide(answering(OK)) as server:
        call(wire, server.url)
        with pytest.raises(Unavailable):
            call(wire, server.url, before_send=before_send)
        assert call(wire, server.url).status == 200
    assert len(server.requests) == 2


def test_each_request_is_asked_for_once(wire: Wire) -> None:
    """`before_send` is called once per request, whether its connection is new or not."""
    asked: list[int] = []
    with OtherSide(answering(OK)) as server:
        for _ in range(3):
            call(wire, server.url, before_send=lambda: asked.append(len(server.requests)))
        assert server.connections == 1
    assert asked == [0, 1, 2]


def test_a_slow_last_word_sends_nothing(wire: Wire) -> None:
    """If `before_send` used up the time, nothing is sent, and that is certain."""
    with OtherSide(answering(OK)) as server:
        with pytest.raises(Retryable, match="nothing was sent"):
            call(wire, server.url, seconds=0.3, before_send=lambda: time.sleep(0.4))
        assert server.ended.acquire(timeout=2)
        assert server.bytes_received == 0


def test_a_call_within_a_call_is_bounded_by_it(wire: Wire) -> None:
    """A read by `before_send` works, and ends when the outer call must."""
    with OtherSide(answering(OK)) as other, OtherSide(hold) as silent, OtherSide(answering(OK)) as server:
        assert call(wire, server.url, before_send=lambda: assert_ok(call(wire, other.url))).status == 200
        started = time.monotonic()
        with pytest.raises(OutcomeUnknown, match="read timeout"):
            call(wire, server.url, seconds=0.5, before_send=lambda: assert_ok(call(wire, silent.url, seconds=60.0)))
        assert time.monotonic() - started < 0.5 + SLACK
    assert len(server.requests) == 1


def test_an_answer_that_came_before_its_request_is_not_its_own(wire: Wire) -> None:
    """A server that answers twice is believed once: the next request gets an answer of its own, on another connection."""
    with OtherSide(answering(OK + http(500, b"not asked for"), OK)) as server:
        assert [call(wire, server.url).status for _ in range(2)] == [200, 200]
    assert server.connections == 2


def assert_ok(answer: Answer) -> None:
    assert answer.status == 200


@pytest.mark.parametrize(
    "behave", [cutting(b""), cutting(b"HTTP/1.1 201 Crea"), cutting(b"\x00\x01 secret words\r\n\r\n"), reset],
    ids=["hung up", "cut in the status", "no HTTP", "reset"],
)  # fmt: skip
def test_no_answer_to_a_request_that_left_is_unknown(wire: Wire, behave: Any) -> None:
    """Any fault before a status leaves the outcome unknown; the server's bytes are not quoted."""
    with OtherSide(behave) as server:
        with pytest.raises(OutcomeUnknown, match="after the request left") as caught:
            call(wire, server.url)
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 201 X\r\nContent-Length: 10\r\n\r\n{", "remote protocol error"),
        (b"HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "remote protocol error"),
        (http(201, b"x" * 1001), "more than 1000 bytes"),
        (http(201, gzip.compress(b"x" * 100_000, mtime=0), {"Content-Encoding": "gzip"}), "more than 1000 bytes unpacked"),
        (http(201, b"no gzip", {"Content-Encoding": "gzip"}), "can't be unpacked"),
        (http(201, gzip.compress(b"half", mtime=0)[:-4], {"Content-Encoding": "gzip"}), "a part of them"),
        (http(201, b"?", {"Content-Encoding": "br"}), "unknown encoding"),
    ],
)
def test_a_body_that_cant_be_read_leaves_the_status(wire: Wire, answer: bytes, fault: str) -> None:
    """A cut, oversized or undecodable body leaves the outcome unknown, except for the status."""
    with OtherSide(cutting(answer)) as server, pytest.raises(CutShort, match=fault) as caught:
        call(wire, server.url, max_bytes=1000)
    assert caught.value.status == 201


@pytest.mark.parametrize("body", [b"x" * 1000, gzip.compress(b"x" * 1000, mtime=0)])
def test_a_body_up_to_the_limit_is_read(wire: Wire, body: bytes) -> None:
    """A body of exactly the limit is read, and an unrequested compression is decoded."""
    encoding = {"Content-Encoding": "gzip"} if len(body) < 1000 else {}
    with OtherSide(answering(http(200, body, encoding))) as server:
        assert call(wire, server.url, max_bytes=1000).body == b"x" * 1000


def test_a_connection_that_the_server_closed_is_not_used(wire: Wire) -> None:
    """A closed idle connection is noticed before the next request, which is sent once, on a new one."""
    with OtherSide(cutting(OK)) as server:
        for _ in range(3):
            assert call(wire, server.url).status == 200
            assert server.ended.acquire(timeout=2)
        assert server.connections == 3
    assert len(server.requests) == 3


def test_an_old_connection_is_not_used(wire: Wire) -> None:
    """A connection that was idle for more than two seconds is not used for a request."""
    with OtherSide(answering(OK)) as server:
        call(wire, server.url)
        time.sleep(KEEPALIVE_SECONDS + 0.1)
        call(wire, server.url)
        assert server.connections == 2


def test_each_thread_has_its_own_connections(wire: Wire) -> None:
    """Threads share no connection, and a thread that ends leaves none behind."""
    with OtherSide(answering(OK)) as server:
        for _ in range(2):
            thread = threading.Thread(target=call, args=(wire, server.url))
            thread.start()
            thread.join()
        assert server.connections == 2
        gc.collect()
        assert server.ended.acquire(timeout=2)
        assert server.ended.acquire(timeout=2)


def test_many_hosts_share_few_connections(wire: Wire) -> None:
    """Kept-alive connections in one thread are limited, for any number of hosts."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(OtherSide(answering(OK))) for _ in range(CONNECTIONS + 2)]
        for server in servers:
            call(wire, server.url)
        assert all(server.ended.acquire(timeout=2) for server in servers[:2])
        assert not any(server.ended.acquire(blocking=False) for server in servers[2:])


def test_close_ends_the_connections_of_all_threads() -> None:
    """Closing the wire closes the connections of all threads."""
    wire, called, done = Wire(), threading.Event(), threading.Event()

    def elsewhere() -> None:
        call(wire, server.url)
        called.set()
        done.wait(5)

    with OtherSide(answering(OK)) as server:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        call(wire, server.url)
        assert called.wait(5)
        wire.close()
        assert server.ended.acquire(timeout=2)
        assert server.ended.acquire(timeout=2)
        done.set()
        thread.join()


def test_tls_is_spoken_and_checked(tmp_path: Path) -> None:
    """A server with a trusted certificate for the host is used; any other is sent nothing."""
    certificate = certify(tmp_path)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate)
    trusting, strict = Wire(ssl_context=ssl.create_default_context(cafile=str(certificate))), Wire()
    with OtherSide(answering(OK), ssl_context=server_side) as server:
        assert call(trusting, server.url, json={"text": "x" * 100_000}).status == 200
        with pytest.raises(Retryable, match=r"CERTIFICATE_VERIFY_FAILED.*nothing was sent"):
            call(strict, server.url)
    trusting.close()
    strict.close()
    assert len(server.requests) == 1


def certify(folder: Path) -> Path:
    """Write a key and a certificate for 127.0.0.1 into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "other side")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "certificate.pem"
    path.write_bytes(secret + certificate.public_bytes(pem))
    return path


def broken(visit: Visit) -> None:
    visit.request()
    visit.send(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{")


@pytest.mark.parametrize(
    ("behave", "ended"),
    [
        *((answering(http(status, b"")), ended) for status, ended in ((200, "2xx"), (307, "3xx"), (404, "4xx"), (503, "5xx"))),
        *((answering(http(status, b"")), str(status)) for status in (401, 403, 408, 429)),
        (reset, "lost"),
        (hold, "lost"),
        (broken, "lost"),
    ],
)
def test_an_observer_is_told_how_each_call_ended(wire: Wire, behave: Callable[[Visit], None], ended: str) -> None:
    """It gets one report per call, with method, path without parameters, the class of the result and the seconds."""
    told: list[tuple[str, str, str, float]] = []
    with OtherSide(behave) as server:
        with contextlib.suppress(OutcomeUnknown):
            call(wire.observed(lambda *seen: told.append(seen)), server.url + "/x?secret=1", seconds=0.3)
        call_unseen = [*told]
        with contextlib.suppress(OutcomeUnknown):
            call(wire, server.url, seconds=0.3)
    ((method, path, how, seconds),) = told
    assert (method, path, how) == ("POST", "/x", ended)
    assert 0 < seconds < SLACK
    assert told == call_unseen


def test_an_observer_is_told_of_what_never_left(wire: Wire) -> None:
    """A connection that nobody accepts is `unsent`; a call that its own side stops is not reported."""
    told: list[str] = []
    seen = wire.observed(lambda *call: told.append(call[2]))
    with pytest.raises(Retryable):
        call(seen, "http://127.0.0.1:1/")
    assert told == ["unsent"]

    def stop() -> None:
        raise Fenced("no")

    with OtherSide(answering(OK)) as server, pytest.raises(Fenced):
        call(seen, server.url, before_send=stop)
    assert told == ["unsent"]
