"""The rules for every completion service, tested over a real socket with exact numbers of calls."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from bridge.completion.evidence import MOST_BYTES, NAMES
from bridge.completion.faults import Unsendable
from bridge.completion.text import MOST_CHARACTERS
from bridge.errors import BridgeError, OperatorMustFix, OutcomeUnknown, Permanent, Retryable, ServiceDown, TokenRefused
from bridge.model import Completion, Reason
from bridge.wire.backoff import TRIES
from bridge.wire.calls import Wire
from tests.completion.asked import GUIDE_EXAMPLE, PROVIDERS, Provider
from tests.other_side import OtherSide, Visit, answering, cutting, http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.parametrize("provider", [*PROVIDERS, GUIDE_EXAMPLE], ids=lambda one: f"{one.name} {one.path}")


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def test_a_question_is_one_request_in_the_words_of_the_service(wire: Wire, provider: Provider) -> None:
    """It is posted once as JSON to the path, with the login and the documented fields."""
    with OtherSide(answering(http(200, provider.answer("hello")))) as server:
        assert provider.ask(wire, server.url).text == "hello"
    (request,) = server.requests
    assert (request.method, request.target, request.document) == ("POST", provider.path, provider.asked)
    name, value = provider.login
    assert (request.headers[name], request.headers["content-type"]) == (value, "application/json")


def test_a_reply_is_bounded_and_holds_no_control_characters(wire: Wire, provider: Provider) -> None:
    """Outer white space, control characters except line breaks and tabs, and excess length are removed; emoji stay."""
    with OtherSide(answering(http(200, provider.answer("\x1b[1m Hi\x00\r\nthere\t👋🏽 \n")))) as server:
        assert provider.ask(wire, server.url).text == "[1m Hi\nthere\t👋🏽"
    with OtherSide(answering(http(200, provider.answer("x" * 30_000)))) as server:
        assert provider.ask(wire, server.url).text == "x" * MOST_CHARACTERS


def test_silence_is_a_decision(wire: Wire, provider: Provider) -> None:
    """An empty or blank answer is not a fault: one call, no text, and a reason."""
    answers = [provider.answer(""), provider.answer(" \n\t "), *provider.silent]
    with OtherSide(answering(*(http(200, each) for each in answers))) as server:
        said = [provider.ask(wire, server.url) for _ in answers]
    assert [(each.text, each.why_silent) for each in said] == [("", Reason.EMPTY)] * len(answers)
    assert len(server.requests) == len(answers)


MUCH = {"x" * 100: ["secret words " * 100] * 100, "evidence": {"knowledge": [{"text": "secret words"}] * 99}}


def test_an_answers_evidence_is_small_and_holds_no_texts(wire: Wire, provider: Provider) -> None:
    """It has only known names, at most 2 KiB, and no text of the answer; a service may have none."""
    plain, text = provider.answer("secret words"), "secret words"
    answers = [plain, {**plain, **MUCH}] if isinstance(plain, dict) else [plain]
    with OtherSide(answering(*(http(200, each) for each in answers))) as server:
        said = [provider.ask(wire, server.url) for _ in answers]
    for each in said:
        assert each.text == text
        assert set(each.evidence) <= set(NAMES)
        assert len(orjson.dumps(each.evidence)) <= MOST_BYTES
        assert b"secret" not in orjson.dumps(each.evidence)


def test_every_provider_tells_how_it_came_to_its_answer(wire: Wire, provider: Provider) -> None:
    """Each provider has an answer with evidence, of which exactly the known fields are stored, without matched texts."""
    assert provider.evidence
    with OtherSide(answering(http(200, provider.with_evidence))) as server:
        said = provider.ask(wire, server.url)
    assert said.text == "Nine."
    assert said.evidence == provider.evidence
    # As a rule; the bound is 2 KiB.
    assert len(orjson.dumps({"provider": provider.name, "milliseconds": 12_345, **said.evidence})) <= 300


def reset(visit: Visit) -> None:
    visit.request()
    visit.reset()


def hold(visit: Visit) -> None:
    visit.hold()


DOWN: dict[str, Callable[[Visit], None]] = {
    "408": answering(http(408)),
    "500": answering(http(500, {"error": {"message": "secret words"}})),
    "502 of a proxy": answering(http(502, b"<html>secret words</html>", {"Content-Type": "text/html"})),
    "503 empty": answering(http(503)),
    "504 text": answering(http(504, b"upstream timeout, secret words", {"Content-Type": "text/plain"})),
    "cut-off JSON": answering(http(200, b'{"output": "secret wor')),
    "another shape": answering(http(200, ["secret words"])),
    "no text": answering(http(200, b"\xff\xfesecret words", {"Content-Type": "text/plain"})),
    "a page that a gateway hands on": answering(http(200, {"html-message": "<h1>secret words</h1>"})),
    "body cut": cutting(b"HTTP/1.1 200 X\r\nContent-Length: 90\r\n\r\n{"),
    "hung up": cutting(b""),
    "reset": reset,
}


@pytest.mark.parametrize("fault", DOWN)
def test_a_service_that_is_down_is_asked_three_times(wire: Wire, provider: Provider, fault: str) -> None:
    """5xx, HTML, broken JSON and broken connections are temporary: three calls per attempt, and none of the service's text."""
    with OtherSide(DOWN[fault]) as server, pytest.raises(ServiceDown) as caught:
        provider.ask(wire, server.url)
    assert "secret" not in str(caught.value)
    assert len(server.requests) == TRIES


UNCLAIMED: dict[str, Callable[[Visit], None]] = {
    **DOWN,
    "html": answering(http(200, b"<!doctype html><h1>secret words</h1>", {"Content-Type": "text/html"})),
    "words": answering(http(200, b"secret words", {"Content-Type": "text/plain"})),
    "empty body": answering(http(200, b"")),
    "a stream": answering(http(200, b'data: {"choices": [{"delta": {"content": "secret words"}}]}\n\n')),
}


@pytest.mark.parametrize("fault", UNCLAIMED)
def test_what_may_have_been_delivered_is_not_asked_again(wire: Wire, provider: Provider, fault: str) -> None:
    """If a service may deliver by itself, such faults, and answers that are not objects, are unknown outcomes after one call."""
    with OtherSide(UNCLAIMED[fault]) as server, pytest.raises(OutcomeUnknown, match="may have been delivered") as caught:
        provider.ask(wire, server.url, may_deliver=True)
    assert "secret" not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/json"])
def test_a_page_is_no_reply(wire: Wire, provider: Provider, kind: str) -> None:
    """An HTML page with 200 is an error that says what to check, whatever its content type; a flow is not run again."""
    page = http(200, b" <!doctype html><h1>secret words</h1>", {"Content-Type": kind})
    with OtherSide(answering(page)) as server, pytest.raises(BridgeError, match="instead of a reply") as caught:
        provider.ask(wire, server.url)
    assert "secret" not in str(caught.value)
    assert (type(caught.value), len(server.requests)) == ((Unsendable, 1) if provider.is_flow else (ServiceDown, TRIES))


@pytest.mark.parametrize("status", [200, 202, 204])
def test_nothing_is_silence(wire: Wire, provider: Provider, status: int) -> None:
    """An empty answer is requested once, and is a decision."""
    with OtherSide(answering(http(status, b"", {"Content-Type": "application/json"}))) as server:
        assert provider.ask(wire, server.url) == Completion(text="", why_silent=Reason.EMPTY)
    assert len(server.requests) == 1


def test_a_fault_that_passes_costs_one_more_call(wire: Wire, provider: Provider) -> None:
    """The second answer counts."""
    with OtherSide(answering(http(503), http(200, provider.answer("hello")))) as server:
        assert provider.ask(wire, server.url).text == "hello"
    assert len(server.requests) == 2


@pytest.mark.parametrize("may_deliver", [True, False])
def test_what_never_left_delivered_nothing(wire: Wire, provider: Provider, may_deliver: bool) -> None:
    """A refused connection is retried, whether or not the provider delivers."""
    with OtherSide(hold) as server:
        url = server.url
    slept: list[float] = []
    with pytest.raises(ServiceDown, match="nothing was sent"):
        provider.ask(wire, url, may_deliver=may_deliver, slept=slept)
    assert len(slept) == TRIES - 1


@pytest.mark.parametrize(("asked", "waits"), [("2", [2.0, 2.0]), ("11", [])])
def test_a_429_is_asked_again_when_it_says(wire: Wire, provider: Provider, asked: str, waits: list[float]) -> None:
    """Waits up to ten seconds are within the attempt; a longer one is passed on. The service is not down."""
    slept: list[float] = []
    with OtherSide(answering(http(429, {}, {"Retry-After": asked}))) as server, pytest.raises(Retryable) as caught:
        provider.ask(wire, server.url, slept=slept, seconds=60)
    assert (slept, caught.value.retry_after, type(caught.value)) == (waits, float(asked), Retryable)
    assert len(server.requests) == len(waits) + 1


def test_a_429_that_says_nothing_waits_for_itself(wire: Wire, provider: Provider) -> None:
    """Without Retry-After the waits grow, with jitter."""
    slept: list[float] = []
    with OtherSide(answering(http(429), http(429), http(200, provider.answer("hello")))) as server:
        assert provider.ask(wire, server.url, slept=slept).text == "hello"
    assert 1 <= slept[0] <= 2 <= slept[1] <= 3


@pytest.mark.parametrize("where", ["silent", "headers", "body"])
def test_a_slow_answer_ends_with_the_deadline(wire: Wire, provider: Provider, where: str) -> None:
    """No answer, slow headers and a slow body all end with the deadline."""

    def behave(visit: Visit) -> None:
        visit.request()
        if where == "silent":
            visit.hold()
        if where == "body":
            visit.send(b"HTTP/1.1 200 X\r\nContent-Length: 90\r\n\r\n")
        visit.trickle(b"HTTP/1.1 200 X\r\nX-Y: " + b"." * 90 if where == "headers" else b" " * 90, every=0.1)

    began = time.monotonic()
    with OtherSide(behave) as server:
        with pytest.raises(ServiceDown):
            provider.ask(wire, server.url, seconds=0.2)
        assert time.monotonic() - began < 5  # all of it would take nine
    assert len(server.requests) == 1


def test_a_body_without_end_is_not_read(wire: Wire, provider: Provider) -> None:
    """Ten MiB are a fault of the service, and most of them are never read."""
    sent: list[int] = []

    def behave(visit: Visit) -> None:
        visit.request()
        visit.send(b"HTTP/1.1 200 X\r\nContent-Length: 10485760\r\n\r\n")
        for part in range(160):
            visit.send(b" " * 65536)
            sent.append(part)

    with OtherSide(behave) as server, pytest.raises(ServiceDown, match="more than 1048576 bytes"):
        provider.ask(wire, server.url)
    assert len(server.requests) == TRIES
    assert len(sent) < 160 * TRIES


REFUSED: list[tuple[int, Any, type[BridgeError]]] = [
    (400, {"message": "secret words"}, Permanent),
    (404, {"detail": "secret words"}, Permanent),
    (422, b"secret words", Permanent),
    (401, {"error": "secret words"}, TokenRefused),
    (403, {}, TokenRefused),
]


@pytest.mark.parametrize(("status", "document", "kind"), REFUSED)
@pytest.mark.parametrize("may_deliver", [True, False])
def test_a_refusal_says_what_to_do_next(
    wire: Wire, provider: Provider, status: int, document: Any, *, kind: type[BridgeError], may_deliver: bool
) -> None:
    """A refused request did not run, by any provider: one call and no retry; a refused login is for the operator."""
    with OtherSide(answering(http(status, document))) as server, pytest.raises(BridgeError, match=f"HTTP {status}") as caught:
        provider.ask(wire, server.url, may_deliver=may_deliver)
    assert (type(caught.value), len(server.requests)) == (kind, 1)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (402, {}),
        (400, {"message": "Your billing has lapsed"}),
        (403, {"error": {"message": "quota"}}),
        (400, {"detail": "No credits"}),
    ],
)
@pytest.mark.parametrize("may_deliver", [True, False])
def test_a_lack_of_money_passes(wire: Wire, provider: Provider, status: int, document: Any, may_deliver: bool) -> None:
    """Credit, billing and quota errors are retried, whatever the status; the service is not down."""
    with OtherSide(answering(http(status, document))) as server, pytest.raises(Retryable, match="credit, billing") as caught:
        provider.ask(wire, server.url, may_deliver=may_deliver)
    assert (type(caught.value), len(server.requests)) == (Retryable, TRIES)


def test_a_200_can_be_an_error(wire: Wire, provider: Provider) -> None:
    """An answer that reports an error is no reply, and the error contains none of its text."""
    answer = http(200, {"error": {"message": "secret words", "code": "x"}})
    with OtherSide(answering(answer)) as server, pytest.raises(Permanent, match="HTTP 200 that reports an error") as caught:
        provider.ask(wire, server.url)
    assert (type(caught.value), len(server.requests)) == (Permanent, 1)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(wire: Wire, provider: Provider, status: int) -> None:
    """The token is sent only to the configured address; the error tells the operator to set the other one."""
    with OtherSide(answering(http(200, provider.answer("stolen")))) as elsewhere:
        redirect = http(status, b"", {"Location": elsewhere.url})
        with OtherSide(answering(redirect)) as server, pytest.raises(OperatorMustFix, match="redirect"):
            provider.ask(wire, server.url)
    assert (len(server.requests), elsewhere.requests) == (1, [])


def test_half_an_emoji_hurts_nobody(wire: Wire, provider: Provider) -> None:
    """A text that was cut within a character arrives with a question mark."""
    with OtherSide(answering(http(200, provider.answer("half \ud83d")))) as server:
        assert provider.ask(wire, server.url) == Completion(text="half ?")
