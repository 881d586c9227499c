"""The sweep with a GHL on a real socket: what it finds, what it leaves alone, and its limits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.errors import TokenRefused
from bridge.ghl.client import GHL
from bridge.store.lanes.phrases import read_event
from bridge.store.lanes.swept import SweptMessages
from bridge.store.redis.connection import now_ms, text
from bridge.sweep import MOST_READ, Span, SweepServices, sweep
from bridge.wire.calls import Wire
from tests.keys import key
from tests.other_side import OtherSide, Visit, http
from tests.stored import (
    FERNET_KEY,
    HERE,
    RETENTION_MS,
    accept,
    claim,
    ghl_access_of,
    keep,
    lanes_of,
    locations_of,
    message,
    pass_time,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from bridge.sweep import Swept
    from tests.other_side import Received


@dataclass(slots=True)
class Books:
    """GHL's data: conversations with their messages, newest first; `ahead_ms` is how far its clock is ahead.

    `refusing` gives endpoints a status, once each.
    """

    redis: Redis
    url: str = ""
    ahead_ms: int = 0
    conversations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    emails: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusing: dict[str, list[int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def now(self) -> int:
        """The time by GHL's clock."""
        return now_ms(self.redis) + self.ahead_ms

    def write(self, contact: str, id_: str, *, ago: float = 0.0, **fields: Any) -> None:
        """Let somebody write: by default the contact, now."""
        row = {"id": id_, "direction": "inbound", "messageType": "TYPE_SMS", "type": 2, "body": f"text of {id_}", "source": "app"}
        at = self.now() - round(ago * 1000)
        rows = self.conversations.setdefault(contact, [])
        rows.append({**row, "contactId": contact, "dateAdded": at, **fields})
        rows.sort(key=lambda one: -one["dateAdded"])

    def serve(self, visit: Visit) -> None:
        """Answer a connection's requests."""
        while request := visit.request():
            visit.send(self._answer(request))

    def sweep(self, *, since: float = 3600.0, cursor_ms: int = 0, dry_run: bool = False) -> Swept:
        """Sweep the location once, `seconds` back."""
        kept = locations_of(self.redis).get(HERE)
        assert kept
        store = SweptMessages(self.redis, retention_ms=RETENTION_MS, fernet_keys=[FERNET_KEY])
        sweep_services = SweepServices(
            ghl_access=ghl_access_of(self.redis), ghl=GHL(Wire(), self.url, sleep=lambda _: None), store=store
        )
        now = now_ms(self.redis)
        span = Span(since_ms=now - round(since * 1000), now_ms=now, cursor_ms=cursor_ms, dry_run=dry_run)
        return sweep(kept, span, sweep_services)

    def found(self, **more: Any) -> list[tuple[str, str]]:
        """Sweep, and return the found messages and their outcomes."""
        return [(taken.message.id, taken.outcome) for taken in self.sweep(**more).taken]

    def read(self) -> list[str]:
        """The conversations that were read."""
        return [path.split("/")[2] for path in self.asked if path.endswith("/messages")]

    def _answer(self, request: Received) -> bytes:
        path, _, query = request.target.partition("?")
        self.asked.append(path)
        endpoint = "email" if "/email/" in path else "search" if path.endswith("search") else "messages"
        if self.refusing.get(endpoint):
            return http(self.refusing[endpoint].pop(0), {})
        if endpoint == "email":
            return http(200, self.emails[path.rpartition("/")[2]])
        date = {"Date": _http_date(self.now())}
        if endpoint == "search":
            return http(200, {"conversations": self._search(parse_qs(urlsplit(request.target).query))}, date)
        rows = self.conversations[path.split("/")[2]]
        after = parse_qs(query).get("lastMessageId", [""])[0]
        begin = next((place + 1 for place, row in enumerate(rows) if row["id"] == after), 0)
        shown = rows[begin : begin + 50]
        more = begin + 50 < len(rows)
        listing = {"messages": shown, "nextPage": more, "lastMessageId": shown[-1]["id"] if shown else ""}
        return http(200, {"messages": listing}, date)

    def _search(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        before = int(query.get("startAfterDate", [str(2**53)])[0])
        assert (query["locationId"], query["sortBy"], query["sort"]) == ([HERE], ["last_message_date"], ["desc"])
        found = [
            {
                "id": contact,
                "contactId": contact,
                "lastMessageDate": rows[0]["dateAdded"],
                "lastMessageDirection": rows[0]["direction"],
                "sort": [rows[0]["dateAdded"]],
            }
            for contact, rows in self.conversations.items()
            if rows[0]["dateAdded"] < before
        ]
        return sorted(found, key=lambda row: -row["lastMessageDate"])[: int(query["limit"][0])]


def _http_date(ms: int) -> str:
    return formatdate(ms / 1000, usegmt=True)


@contextmanager
def opened(redis: Redis) -> Iterator[Books]:
    books = Books(redis)
    with OtherSide(books.serve) as side:
        books.url = side.url
        yield books


@pytest.fixture
def books(redis: Redis) -> Iterator[Books]:
    keep(redis, ghl_token="pit", assistable={"assistant_id": "a", "token": "t"})
    with opened(redis) as books:
        yield books


def test_what_no_webhook_brought_is_taken_in(books: Books) -> None:
    """The oldest comes first, as from a webhook; another sweep finds nothing more, and reads nothing."""
    books.write("ana", "m1", ago=20)
    books.write("ana", "m2", ago=10)
    assert books.found() == [("m1", "accepted"), ("m2", "accepted")]
    (lane,) = claim(lanes_of(books.redis))
    assert lane.contact_id == "ana"
    turn = lanes_of(books.redis).lease(lane)
    assert turn
    assert [one.text for one in turn.messages] == ["text of m1", "text of m2"]
    assert books.found() == []
    assert books.read() == ["ana"]
    told = [read_event(text(line).partition(" ")[2]) for line in books.redis.lrange(key("timeline", "here:ana"), 0, -1)]
    assert [(one["step"], one["by"]) for one in told] == [("accepted", "sweep")] * 2


def test_what_a_webhook_brought_is_left_alone(books: Books) -> None:
    """Its conversation isn't even read; a webhook after the sweep is a duplicate."""
    books.write("ana", "m1", ago=10)
    (row,) = books.conversations["ana"]
    accept(books.redis, message("m1", "ana", date_added_ms=row["dateAdded"]))
    assert (books.found(), books.read()) == ([], [])
    books.write("bob", "m2")
    assert books.found() == [("m2", "accepted")]
    assert accept(books.redis, message("m2", "bob")) == ["duplicate"]


def test_what_was_brought_long_ago_is_known(books: Books) -> None:
    """Even without its marks, its record shows it."""
    books.write("ana", "m1", ago=10)
    accept(books.redis, message("m1", "ana", date_added_ms=1))
    books.redis.delete(key("seen", HERE, "m1"), key("recorded", HERE))
    assert books.found() == [("m1", "duplicate")]


def test_a_conversation_that_somebody_answered_is_left_alone(books: Books) -> None:
    """If the business wrote last nothing is missed; messages before that are answered."""
    books.write("ana", "m1", ago=30)
    books.write("ana", "r1", ago=20, direction="outbound")
    assert (books.found(), books.read()) == ([], [])
    books.write("ana", "m2", ago=10)
    assert books.found() == [("m2", "accepted")]


def test_nothing_from_before_the_span_is_touched(books: Books) -> None:
    """Older conversations and older messages are left alone, by GHL's own clock, however wrong it is."""
    books.ahead_ms = 7_200_000
    books.write("old", "m1", ago=90)
    books.write("ana", "m2", ago=70)
    books.write("ana", "m3", ago=50)
    assert books.found(since=60) == [("m3", "accepted")]
    assert books.read() == ["ana"]


def test_what_only_staff_sees_and_automations_do_not_answer(books: Books) -> None:
    """A workflow's text, a comment or an activity after a message doesn't answer it."""
    books.write("ana", "m1", ago=40)
    books.write("ana", "w1", ago=30, direction="outbound", source="workflow")
    books.write("ana", "c1", ago=20, direction="outbound", messageType="TYPE_INTERNAL_COMMENT")
    books.write("ana", "m2", ago=10)
    assert books.found() == [("m1", "accepted"), ("m2", "accepted")]


def test_what_is_no_message_is_not_taken_in(books: Books) -> None:
    """A call is not answered."""
    books.write("ana", "call", messageType="TYPE_CALL", type=1)
    assert (books.found(), books.read()) == ([], ["ana"])


@pytest.mark.parametrize("channels", [["SMS"], ["SMS", "Email"]])
def test_emails_are_read_one_by_one_where_they_are_answered(books: Books, channels: list[str]) -> None:
    """The list has a thread, and webhooks its e-mails. Outbound and older ones are ignored."""
    keep(books.redis, ghl_token="pit", channels=channels)
    now = books.now()
    thread = {"e0": ("inbound", 7_200_000), "e1": ("inbound", 9000), "e2": ("outbound", 8000), "e3": ("inbound", 7000)}
    for id_, (direction, ago) in thread.items():
        books.emails[id_] = {"id": id_, "direction": direction, "dateAdded": now - ago, "body": f"<p>{id_}</p>", "subject": "s"}
    ids = {"email": {"messageIds": ["e0", "e1", "e2", "e3"]}}
    books.write("ana", "thread", messageType="TYPE_EMAIL", type=3, body=None, meta=ids)
    assert books.found() == ([("e1", "accepted"), ("e3", "accepted")] if "Email" in channels else [])


def test_a_dry_run_takes_nothing_in(books: Books) -> None:
    """It shows what would be accepted, and which messages are known already."""
    books.write("ana", "m1", ago=20)
    accept(books.redis, message("m1", "ana", date_added_ms=1))
    books.write("ana", "m2", ago=10)
    before = books.redis.llen(key("waiting", "here:ana"))
    assert books.found(dry_run=True) == [("m1", "duplicate"), ("m2", "missing")]
    assert books.redis.llen(key("waiting", "here:ana")) == before


def test_a_long_conversation_is_read_in_pages(books: Books) -> None:
    """They reach back as far as the span, and no further than a few pages."""
    for number in range(120):
        books.write("ana", f"m{number}", ago=1000 - number)
    assert [id_ for id_, _ in books.found()] == [f"m{number}" for number in range(120)]
    for number in range(300):
        books.write("bob", f"b{number}", ago=1000 - number)
    assert len(books.found()) == 150


def test_many_conversations_are_swept_in_turns(books: Books) -> None:
    """A number of them is read at once; the next sweep continues there, and in the end each was found once."""
    people = 2 * MOST_READ + 30
    for number in range(people):
        books.write(f"c{number}", f"m{number}", ago=100 + number)
    found, cursor, sweeps = [], 0, 0
    while sweeps < 20:
        pass_time(books.redis, 10)
        swept = books.sweep(cursor_ms=cursor)
        found += [taken.message.id for taken in swept.taken]
        cursor, sweeps = swept.cursor_ms, sweeps + 1
        if not cursor and not swept.why:
            break
    assert sorted(found) == sorted(f"m{number}" for number in range(people))
    assert len(books.read()) <= people + sweeps
    assert sweeps > 2


def test_the_sweep_gives_way(books: Books) -> None:
    """It uses half of the rate limit and stops there, with its results and the wait; nobody else waits for it."""
    for number in range(60):
        books.write(f"c{number}", f"m{number}", ago=100 + number)
    swept = books.sweep()
    assert (len(swept.taken), "budget" in swept.why, 0 < swept.wait <= 10) == (49, True, True)
    assert swept.cursor_ms
    assert claim(lanes_of(books.redis))


@pytest.mark.parametrize(("endpoint", "status"), [("search", 429), ("messages", 429)])
def test_a_refusal_for_now_ends_the_sweep_and_loses_nothing(books: Books, endpoint: str, status: int) -> None:
    """What was not read is read by the next sweep."""
    books.write("ana", "m1", ago=20)
    books.refusing[endpoint] = [status]
    swept = books.sweep()
    assert (swept.taken, bool(swept.why)) == ((), True)
    pass_time(books.redis, 20)
    assert books.found(cursor_ms=swept.cursor_ms) == [("m1", "accepted")]


def test_a_conversation_that_is_gone_stops_no_other(books: Books) -> None:
    """It is left out and logged."""
    books.write("ana", "m1", ago=20)
    books.write("bob", "m2", ago=10)
    books.refusing["messages"] = [404]
    assert books.found() == [("m1", "accepted")]


def test_a_token_that_is_refused_is_the_operators_to_mend(books: Books) -> None:
    """No further request is made."""
    books.write("ana", "m1", ago=20)
    books.refusing["search"] = [401]
    with pytest.raises(TokenRefused):
        books.sweep()
    assert len(books.asked) == 1
