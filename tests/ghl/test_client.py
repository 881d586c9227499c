"""GHL's client with real sockets: the number of requests, and what is certain afterwards."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import (
    BridgeError,
    BudgetExhausted,
    Fenced,
    OperatorMustFix,
    OutcomeUnknown,
    Permanent,
    Retryable,
    TokenRefused,
)
from bridge.ghl.access import Access, Need, Unlimited, alone
from bridge.ghl.client import GHL
from bridge.ghl.rate_limit_headers import Limits
from bridge.model import Contact, ContactId, ConversationId, MessageId, Reason, Reply, Sent, Skip
from bridge.wire.calls import Wire
from tests.other_side import OtherSide, Visit, answering, cutting, http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPLY = Reply(type="SMS", contact_id=ContactId("contact"), message="hello")
SENT = http(201, {"messageId": "m1", "conversationId": "conv"})
TOKEN = alone("t")
BUSY = http(402, {"message": "Not now"})
CONTACT = http(200, {"contact": {"id": "contact", "tags": ["vip"]}})


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def ghl(wire: Wire, slept: list[float]) -> Callable[[str], GHL]:
    return lambda url: GHL(wire, url, sleep=slept.append)


def test_a_reply_is_posted_as_ghl_wants_it(ghl: Callable[[str], GHL]) -> None:
    """One request with token and version sends the reply and returns its ids."""
    with OtherSide(answering(SENT)) as server:
        sent = ghl(server.url + "/").post(REPLY, token=alone("pit-1"), seconds=5)
    assert sent == Sent(message_ids=(MessageId("m1"),), conversation_id=ConversationId("conv"))
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/conversations/messages")
    assert request.document == {"type": "SMS", "contactId": "contact", "message": "hello"}
    assert request.headers["authorization"] == "Bearer pit-1"
    assert request.headers["version"] == "2021-04-15"
    assert request.headers["accept"] == request.headers["content-type"] == "application/json"


def reset(visit: Visit) -> None:
    visit.request()
    visit.reset()


@pytest.mark.parametrize(
    ("behave", "kind"),
    [
        (answering(http(500, {})), OutcomeUnknown),
        (answering(http(503, {}, {"Retry-After": "1"})), OutcomeUnknown),
        (answering(http(408, {})), OutcomeUnknown),
        (cutting(b""), OutcomeUnknown),
        (cutting(b"HTTP/1.1 400 X\r\nContent-Length: 9\r\n\r\n{"), OutcomeUnknown),
        (reset, OutcomeUnknown),
        (answering(http(401, {})), OperatorMustFix),
        (answering(http(422, {})), Permanent),
    ],
)
def test_what_may_have_been_sent_is_not_sent_again(
    ghl: Callable[[str], GHL], behave: Callable[[Visit], None], kind: type[BridgeError]
) -> None:
    """After an unknown outcome or a final refusal there was one request, and there is no other."""
    with OtherSide(behave) as server, pytest.raises(kind) as caught:
        ghl(server.url).post(REPLY, token=TOKEN, seconds=5)
    assert type(caught.value) in {kind, *kind.__subclasses__()}
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "taken",
    [
        http(201, b"<html>"),
        b"HTTP/1.1 201 X\r\nContent-Length: 99\r\n\r\n{",
        http(200, b"x" * 2_000_000),
        http(200, b"?", {"Content-Encoding": "br"}),
    ],
    ids=["no JSON", "cut", "too large", "undecodable"],
)
def test_a_lost_receipt_is_still_a_receipt(ghl: Callable[[str], GHL], taken: bytes) -> None:
    """A 2xx means sent even if its body never came, and it is not sent again."""
    with OtherSide(cutting(taken)) as server:
        assert ghl(server.url).post(REPLY, token=TOKEN, seconds=5) == Sent(message_ids=())
    assert len(server.requests) == 1


def test_a_dnd_refusal_costs_one_call(ghl: Callable[[str], GHL]) -> None:
    """For a contact with do-not-disturb one request is made."""
    with OtherSide(answering(http(400, {"message": "Cannot send message as DND is active for SMS."}))) as server:
        skip = ghl(server.url).post(REPLY, token=TOKEN, seconds=5)
    assert isinstance(skip, Skip)
    assert skip.reason is Reason.DND
    assert len(server.requests) == 1


def test_what_was_not_sent_is_tried_again(ghl: Callable[[str], GHL], slept: list[float]) -> None:
    """After a temporary refusal the post is retried with growing waits, and the reply is sent once."""
    with OtherSide(answering(BUSY, BUSY, SENT)) as server:
        assert isinstance(ghl(server.url).post(REPLY, token=TOKEN, seconds=60), Sent)
    assert len(server.requests) == 3
    first, second = slept
    assert 1 <= first <= 2 <= second <= 3


def test_three_tries_are_all(ghl: Callable[[str], GHL], slept: list[float]) -> None:
    """A refusal that stays is retried until three attempts were made, and then raised unchanged."""
    with OtherSide(answering(BUSY)) as server, pytest.raises(Retryable, match="HTTP 402") as caught:
        ghl(server.url).post(REPLY, token=TOKEN, seconds=60)
    assert caught.value.retry_after is None
    assert (len(server.requests), len(slept)) == (3, 2)


def test_an_unknown_outcome_ends_the_tries(ghl: Callable[[str], GHL]) -> None:
    """An attempt that may have sent is the last one, even after attempts that did not."""
    with OtherSide(answering(BUSY, http(500, {}), SENT)) as server, pytest.raises(OutcomeUnknown):
        ghl(server.url).post(REPLY, token=TOKEN, seconds=60)
    assert len(server.requests) == 2


def test_nothing_listening_is_tried_three_times(ghl: Callable[[str], GHL], slept: list[float]) -> None:
    """A refused connection is retried, because nothing was sent."""
    with OtherSide(cutting(b"")) as server:
        url = server.url
    with pytest.raises(Retryable, match="nothing was sent"):
        ghl(url).post(REPLY, token=TOKEN, seconds=60)
    assert len(slept) == 2


class Told(Unlimited):
    """A budget that records its calls."""

    def __init__(self) -> None:
        self.spent: list[Need] = []
        self.heard: list[Limits] = []
        self.refusals: list[float | None] = []

    def acquire(self, need: Need) -> None:
        self.spent.append(need)

    def learn_limits(self, limits: Limits) -> None:
        self.heard.append(limits)

    def rate_limited(self, retry_after: float | None, limits: Limits) -> None:
        self.refusals.append(retry_after)
        self.heard.append(limits)


@pytest.mark.parametrize("posting", [True, False])
def test_a_429_holds_no_slot(ghl: Callable[[str], GHL], slept: list[float], *, posting: bool) -> None:
    """A 429 is not retried, and nobody sleeps: the budget is informed, and the location waits."""
    budget = Told()
    access = Access(bearer=Renewing(), budget=budget)
    with OtherSide(answering(http(429, {"message": "Too many requests"}), SENT)) as server:
        client = ghl(server.url)
        calls: dict[bool, Callable[[], object]] = {
            True: lambda: client.post(REPLY, token=access, seconds=60),
            False: lambda: client.contact(ContactId("contact"), token=access, seconds=60),
        }
        with pytest.raises(BudgetExhausted) as caught:
            calls[posting]()
    assert (caught.value.retry_after, len(server.requests), slept, budget.refusals) == (None, 1, [], [None])


@pytest.mark.parametrize("asked", ["0", "3", "10"])
def test_a_short_wait_is_kept(ghl: Callable[[str], GHL], slept: list[float], asked: str) -> None:
    """Up to ten seconds of Retry-After are waited exactly, and the location's other requests wait as long."""
    budget = Told()
    access = Access(bearer=Renewing(), budget=budget)
    with OtherSide(answering(http(429, {}, {"Retry-After": asked}), SENT)) as server:
        assert isinstance(ghl(server.url).post(REPLY, token=access, seconds=60), Sent)
    assert (len(server.requests), slept, budget.refusals) == (2, [float(asked)], [float(asked)])


@pytest.mark.parametrize("asked", ["11", "600"])
def test_a_long_wait_is_handed_on(ghl: Callable[[str], GHL], slept: list[float], asked: str) -> None:
    """More than ten seconds of Retry-After are left to the caller."""
    with OtherSide(answering(http(429, {}, {"Retry-After": asked}))) as server, pytest.raises(Retryable) as caught:
        ghl(server.url).post(REPLY, token=TOKEN, seconds=3600)
    assert (caught.value.retry_after, len(server.requests), slept) == (float(asked), 1, [])


def test_no_wait_reaches_beyond_the_deadline(ghl: Callable[[str], GHL], slept: list[float]) -> None:
    """An attempt that could begin only after the deadline is not awaited."""
    with OtherSide(answering(http(429, {}, {"Retry-After": "5"}))) as server, pytest.raises(Retryable) as caught:
        ghl(server.url).post(REPLY, token=TOKEN, seconds=4)
    assert (caught.value.retry_after, len(server.requests), slept) == (5.0, 1, [])


def test_each_try_is_paid_for_by_its_urgency(ghl: Callable[[str], GHL]) -> None:
    """A post has its own urgency, a read that of its access; the rate limit in the answer's headers is stored."""
    budget = Told()
    access = Access(bearer=Renewing(), budget=budget, need=Need.LOOKUP)
    told = {"X-RateLimit-Max": "100", "X-RateLimit-Remaining": "98"}
    with OtherSide(answering(BUSY, SENT, http(200, {"contact": {"id": "contact"}}, told))) as server:
        ghl(server.url).post(REPLY, token=access, seconds=60)
        ghl(server.url).contact(ContactId("contact"), token=access, seconds=60)
    assert budget.spent == [Need.POST, Need.POST, Need.LOOKUP]
    assert budget.heard == [Limits(), Limits(), Limits(most=100, left=98)]


def test_without_room_nothing_is_sent(ghl: Callable[[str], GHL], slept: list[float]) -> None:
    """If the rate limit does not allow the request, an error is raised before a connection is opened."""

    class Empty(Unlimited):
        def acquire(self, need: Need) -> None:
            raise BudgetExhausted("used up", retry_after=need / 10)

    with OtherSide(answering(SENT)) as server, pytest.raises(BudgetExhausted):
        ghl(server.url).post(REPLY, token=Access(bearer=Renewing(), budget=Empty()), seconds=60)
    assert (server.connections, slept) == (0, [])


def test_the_last_word_is_asked_before_each_try(ghl: Callable[[str], GHL]) -> None:
    """A lease that is lost between two attempts prevents the second; the first is the only request."""
    asked = []

    def before_send() -> None:
        asked.append(1)
        if len(asked) == 2:
            raise Fenced("the lease is gone")

    with OtherSide(answering(BUSY, SENT)) as server, pytest.raises(Fenced):
        ghl(server.url).post(REPLY, token=TOKEN, seconds=60, before_send=before_send)
    assert len(server.requests) == 1


def test_a_contact_is_read_with_its_own_version(ghl: Callable[[str], GHL]) -> None:
    """Contacts are read with their version of the API, and an id can't change the path."""
    with OtherSide(answering(CONTACT)) as server:
        contact = ghl(server.url).contact(ContactId("a/../b?c"), token=TOKEN, seconds=5)
    assert contact == Contact(id=ContactId("a/../b?c"), tags=frozenset({"vip"}))
    (request,) = server.requests
    assert (request.method, request.target) == ("GET", "/contacts/a%2F..%2Fb%3Fc")
    assert request.headers["version"] == "2021-07-28"


def test_a_conversation_is_read(ghl: Callable[[str], GHL]) -> None:
    """The newest messages of a conversation are read first, older ones by the id that they come after."""
    with OtherSide(answering(http(200, {"messages": {"messages": [{"id": "m2"}]}}))) as server:
        (listed,) = ghl(server.url).page(ConversationId("conv"), token=TOKEN, seconds=5).listed
        ghl(server.url).page(ConversationId("conv"), token=TOKEN, seconds=5, after=listed.id)
    newest, older = server.requests
    assert newest.target == "/conversations/conv/messages?limit=50"
    assert older.target == "/conversations/conv/messages?limit=50&lastMessageId=m2"
    assert newest.headers["version"] == "2021-04-15"


@pytest.mark.parametrize("fault", [http(500, {}), http(408, {}), http(402, {}), http(200, b"<html>")])
def test_a_read_is_tried_again(ghl: Callable[[str], GHL], fault: bytes) -> None:
    """A read is harmless, so it is repeated after an answer that can't be read."""
    with OtherSide(answering(fault, fault, CONTACT)) as server:
        assert ghl(server.url).contact(ContactId("contact"), token=TOKEN, seconds=60).tags == {"vip"}
    assert len(server.requests) == 3


@pytest.mark.parametrize("behave", [cutting(b""), reset, cutting(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{")])
def test_a_cut_read_is_tried_three_times(ghl: Callable[[str], GHL], behave: Any) -> None:
    """A read whose answer is cut each time is Retryable in the end, never unknown."""
    with OtherSide(behave) as server, pytest.raises(Retryable, match="reading failed"):
        ghl(server.url).page(ConversationId("conv"), token=TOKEN, seconds=60)
    assert len(server.requests) == 3


@pytest.mark.parametrize(("status", "kind"), [(401, OperatorMustFix), (404, Permanent)])
def test_a_refused_read_is_not_tried_again(ghl: Callable[[str], GHL], status: int, kind: type[BridgeError]) -> None:
    """After a final refusal there is no second request."""
    with OtherSide(answering(http(status, {}))) as server, pytest.raises(kind):
        ghl(server.url).contact(ContactId("contact"), token=TOKEN, seconds=60)
    assert len(server.requests) == 1


def test_all_tries_share_one_deadline(wire: Wire) -> None:
    """A silent GHL ends a read at its deadline, including all waits, by the real clock."""
    with OtherSide(lambda visit: visit.hold()) as server:
        started = time.monotonic()
        with pytest.raises(Retryable, match="read timeout"):
            GHL(wire, server.url).contact(ContactId("contact"), token=TOKEN, seconds=0.5)
        assert time.monotonic() - started < 5


class Renewing:
    """A bearer token whose first value is used; `more` are the next ones."""

    def __init__(self, *more: str) -> None:
        self.more = list(more)
        self.calls: list[str] = []

    def current(self) -> str:
        return "old"

    def refused(self, token: str) -> str | None:
        self.calls.append(token)
        return self.more.pop(0) if self.more else None


INVALID = http(401, {"statusCode": 401, "message": "Invalid token: access token is invalid"})


@pytest.mark.parametrize("posting", [True, False])
def test_an_invalid_token_is_renewed_once(ghl: Callable[[str], GHL], posting: bool) -> None:
    """The request is repeated with the new token, because the refused one was not executed."""
    bearer = Renewing("new", "newer")
    access = Access(bearer=bearer, budget=Unlimited())
    with OtherSide(answering(INVALID, SENT if posting else CONTACT)) as server:
        if posting:
            assert isinstance(ghl(server.url).post(REPLY, token=access, seconds=5), Sent)
        else:
            assert ghl(server.url).contact(ContactId("contact"), token=access, seconds=5).tags == {"vip"}
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer old", "Bearer new"]
    assert bearer.calls == ["old"]


@pytest.mark.parametrize(("version", "shown"), [("", ["2021-04-15", "2021-07-28"]), ("v3", ["v3", "v3"])])
def test_the_api_version_is_a_setting(wire: Wire, version: str, shown: list[str]) -> None:
    """Every request has the version of the settings, or the one in GHL's documentation of its endpoint."""
    with OtherSide(answering(SENT, CONTACT)) as server:
        client = GHL(wire, server.url, version=version)
        client.post(REPLY, token=alone("pit-1"), seconds=5)
        client.contact(ContactId("contact"), token=alone("pit-1"), seconds=5)
    assert [request.headers["version"] for request in server.requests] == shown


def test_a_token_that_is_refused_twice_is_refused(ghl: Callable[[str], GHL]) -> None:
    """There is one renewal per call, and without another token there is one request."""
    for bearer, requests in ((Renewing("new", "newer"), 2), (Renewing(), 1)):
        with OtherSide(answering(INVALID)) as server, pytest.raises(TokenRefused):
            ghl(server.url).post(REPLY, token=Access(bearer=bearer, budget=Unlimited()), seconds=5)
        assert len(server.requests) == requests


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "The token is not authorized for this scope."),
        (401, "version header was not found."),
        (401, "This authClass type is not allowed to access this scope."),
        (403, "The token does not have access to this location."),
    ],
)
def test_what_no_other_token_cures_renews_nothing(ghl: Callable[[str], GHL], status: int, message: str) -> None:
    """For scopes, versions and tokens of other locations the operator must act."""
    bearer = Renewing("new")
    with OtherSide(answering(http(status, {"message": message}))) as server, pytest.raises(OperatorMustFix):
        ghl(server.url).post(REPLY, token=Access(bearer=bearer, budget=Unlimited()), seconds=5)
    assert (len(server.requests), bearer.calls) == (1, [])
