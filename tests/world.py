"""GHL and a completion service for one lane on a real socket, and the services that answer with them."""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx

from bridge import flow
from bridge.answering.services import AnswerServices
from bridge.completion.providers import Providers
from bridge.ghl.client import GHL
from bridge.model import MessageId, Turn
from bridge.settings import from_environment
from bridge.store.figures.list_lags import ListLags
from bridge.store.lanes.generations import Generations
from bridge.store.lanes.rollback_looks import RollbackLooks
from bridge.store.lanes.timelines import Event, Timelines
from bridge.store.limits.circuits import Circuits
from bridge.store.redis.connection import now_ms, text
from bridge.store.redis.partition_calls import gather
from bridge.wire.calls import Wire
from tests.keys import key
from tests.other_side import OtherSide, Visit, http
from tests.stored import (
    HERE,
    LANE,
    RETENTION_MS,
    accept,
    claim,
    excerpts_of,
    ghl_access_of,
    identities_of,
    keep,
    lanes_of,
    locations_of,
    media_reader_of,
    message,
    situations_of,
    standings_of,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from redis import Redis

    from bridge.answering.services import LeaseKeeper
    from tests.other_side import Received

CONVERSATION = f"conversation-{LANE.contact_id}"
POST, COMPLETE, AGENCII, CONTACT = "/conversations/messages", "/complete", "/get_completion", f"/contacts/{LANE.contact_id}"
SEARCH = "/conversations/search"
GENERATIONS = "/conversation-ai/generations"
TRANSCRIBE = "/v1/audio/transcriptions"
TAGS, LIST = f"{CONTACT}/tags", f"/conversations/conversation-{LANE.contact_id}/messages"

COMPLAINT = "The workflow could not be started"


class NoHeartbeat:
    """Leases here are long enough, and nobody shuts down."""

    def keeping(self, turn: Turn) -> AbstractContextManager[None]:
        del turn
        return nullcontext()

    def posting(self, turn: Turn) -> AbstractContextManager[None]:
        del turn
        return nullcontext()

    def posted(self, turn: Turn) -> None:
        del turn

    def gave_back(self, turn: Turn) -> bool:
        del turn
        return False


@dataclass(slots=True)
class World:
    """The requests to GHL and the provider, and their answers.

    `refusing` gives paths a status other than 2xx, with `refused` as its body, `retry_after` goes along with it.
    `meanwhile` is called once, while the next completion is in work. `listed`
    are the rows of the conversation as GHL lists them; `endless`: every page says that there is another one. `completion` is laid
    over Assistable's `run`, `answer` takes the place of its whole answer. `texts` are those of messages that the list leaves out,
    by id, and `records`, whole;
    `files` are complete answers by path, as a media host gives them; after one that is `cut` it hangs up. `spoken` is what a
    transcription service hears in any of them;
    `unknown`: GHL finds no conversation of the contact. `during` is called while a path's request of that number is
    served, `receipt` takes the place of what GHL says of a post, `heartbeat` that of none. `echoing` gives paths a status too,
    with the whole request in the answer: as JSON, and its body once more as the text that it was. `written` is what the contact
    wrote; `late`: GHL doesn't list it yet. GHL's clock is this many seconds `behind`.
    `generated` are ids of what GHL's own bot wrote.
    `others` are further conversations of the contact, written in just now, with their rows.
    """

    redis: Redis
    url: str = ""
    refusing: dict[str, int] = field(default_factory=dict)
    retry_after: str = ""
    calls: list[tuple[str, Any]] = field(default_factory=list)
    listed: list[dict[str, Any]] = field(default_factory=list)
    endless: bool = False
    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    spoken: str = ""
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    unknown: bool = False
    contact: dict[str, Any] = field(default_factory=dict)
    completion: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    meanwhile: Callable[[], object] | None = None
    receipt: dict[str, Any] | None = None
    heartbeat: LeaseKeeper = field(default_factory=NoHeartbeat)
    during: dict[tuple[str, int], Callable[[], object]] = field(default_factory=dict)
    refused: object = field(default_factory=dict)
    echoing: dict[str, int] = field(default_factory=dict)
    written: list[dict[str, Any]] = field(default_factory=list)
    late: bool = False
    behind: int = 0
    generated: set[str] = field(default_factory=set)
    others: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def serve(self, visit: Visit) -> None:
        """Answer a connection's requests."""
        while request := visit.request():
            visit.send(self._answer(request))
            if request.target.partition("?")[0] in self.cut:
                return

    def keep(self, **settings: Any) -> None:
        """Apply the location, with logins of both sides and without contact look-up."""
        assistable = {"assistant_id": "a", "token": "t", "url": self.url + COMPLETE, "delivery": "bridge"}
        assistable |= settings.pop("assistable", {})
        agencii = {"api_integration_id": "i", "token": "t", "url": self.url + AGENCII, **settings.pop("agencii", {})}
        usual = {"ghl_token": "pit", "contact_lookup": False, "assistable": assistable, "agencii": agencii}
        keep(self.redis, **{**usual, **settings})

    def write(self, id_: str = "m1", **fields: Any) -> None:
        """Let the contact write now."""
        given = {"text": f"text of {id_}", "date_added_ms": now_ms(self.redis) - self.behind * 1000, **fields}
        assert accept(self.redis, message(id_, **given)) == ["accepted"]
        row = {"id": id_, "direction": "inbound", "body": given["text"], "messageType": "TYPE_SMS"}
        if not given.get("provisional"):
            self.written.insert(0, {**row, "dateAdded": given["date_added_ms"]})

    @property
    def circuits(self) -> Circuits:
        """The circuits."""
        return Circuits(self.redis, every=10)

    def work(self, *, delays: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0), readback: tuple[float, ...] = ()) -> None:
        """Run the lane's turn once; it must be due."""
        assert LANE in claim(lanes_of(self.redis))
        flow.answer(LANE, self.services(delays=delays, readback=readback))

    def services(self, *, delays: tuple[float, ...] = (), readback: tuple[float, ...] = ()) -> AnswerServices:
        """The real services for answering."""
        wire = Wire(ssl_context=_authorities())
        return AnswerServices(
            lanes=lanes_of(self.redis),
            identities=identities_of(self.redis),
            standings=standings_of(self.redis),
            situations=situations_of(self.redis),
            locations=locations_of(self.redis),
            ghl_access=ghl_access_of(self.redis),
            ghl=GHL(wire, self.url, sleep=lambda _: None),
            providers=Providers(wire, from_environment({}), sleep=lambda _: None),
            circuits=self.circuits,
            media=media_reader_of(self.redis),
            excerpts=excerpts_of(self.redis),
            heartbeat=self.heartbeat,
            list_lags=ListLags(self.redis),
            generations=Generations(self.redis),
            rollback_looks=RollbackLooks(self.redis, retention_ms=RETENTION_MS),
            retry_delays=delays,
            readback=readback,
            post_seconds=5.0,
        )

    def asked(self, path: str) -> list[Any]:
        """The requests to a path."""
        return [document for called, document in self.calls if called == path]

    def inputs(self) -> list[str]:
        """The inputs of the provider's questions."""
        return [document["input"] for path, document in self.calls if path == COMPLETE]

    def posts(self) -> list[str]:
        """The texts of the posts to GHL."""
        return [document["message"] for path, document in self.calls if path == POST]

    def tags(self) -> list[list[str]]:
        """The tags that were added to the contact."""
        return [document["tags"] for path, document in self.calls if path == TAGS]

    def status(self, id_: str = "m1") -> tuple[str | None, str | None]:
        """The outcome of a message, and its reason."""
        status, reason = self.redis.hmget(key("message", HERE, id_), ["status", "reason"])
        return (None, None) if status is None else (text(status), text(reason or ""))

    def events(self) -> list[Event]:
        """The events in the timeline."""
        timeline = Timelines(self.redis).find(LANE.contact_id)
        return list(timeline.events) if timeline else []

    def steps(self) -> list[str]:
        """The steps in the timeline."""
        return [event.step for event in self.events()]

    def dead_letter(self) -> str:
        """The id of the only open dead letter."""
        (id_,) = (one for some in gather(self.redis, "ZRANGE", "dead", 0, -1) for one in some)
        return str(id_)

    def row(self, text: str, id_: str, **fields: Any) -> dict[str, Any]:
        """A row of GHL's list: an outbound message of now."""
        row = {"id": id_, "direction": "outbound", "body": text, "messageType": "TYPE_SMS", "source": "app"}
        return {**row, "dateAdded": now_ms(self.redis) - self.behind * 1000, **fields}

    def _inbound(self) -> list[dict[str, Any]]:
        """The contact's own messages, unless the list is late or a test lists them itself."""
        known = {row["id"] for row in self.listed}
        return [row for row in self.written if row["id"] not in known and not self.late]

    def _found(self) -> list[dict[str, Any]]:
        """The contact's conversations in GHL's search."""
        others = [{"id": id_, "contactId": LANE.contact_id, "lastMessageDate": now_ms(self.redis)} for id_ in self.others]
        return [] if self.unknown else [*others, {"id": CONVERSATION, "contactId": LANE.contact_id}]

    def _generated(self, request: Received) -> bool:
        return parse_qs(request.target.partition("?")[2])["messageId"][0] in self.generated

    def _answer(self, request: Received) -> bytes:
        path = request.target.partition("?")[0]
        if path in self.files:
            self.calls.append((path, dict(request.headers)))
            return self.files[path]
        if path == TRANSCRIBE:
            self.calls.append((path, request))
            return http(200, {"text": self.spoken}) if path not in self.refusing else http(self.refusing[path])
        document = request.document if request.body else None
        self.calls.append((path, document))
        count = sum(called == path for called, _ in self.calls)
        if path in {COMPLETE, AGENCII} and self.meanwhile:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        if (path, count) in self.during:
            self.during[path, count]()
        if path in self.refusing:
            return http(self.refusing[path], self.refused, {"Retry-After": self.retry_after} if self.retry_after else {})
        if path in self.echoing:
            echo = {
                "message": COMPLAINT,
                "to": request.target,
                "headers": dict(request.headers),
                "body": document,
                "raw": request.body.decode(),
            }
            return http(self.echoing[path], echo)
        answers: dict[str, Any] = {
            "/v1/chat/completions": {"choices": [{"message": {"content": f"model's answer {count}"}, "finish_reason": "stop"}]},
            COMPLETE: self.answer or {"run": {"output": f"answer {count}", **self.completion}},
            AGENCII: {"chatId": "chat1", "message": {"content": f"agencii's answer {count}"}},
            POST: {"messageId": f"r{count}", "conversationId": CONVERSATION} if self.receipt is None else self.receipt,
            LIST: {
                "messages": {
                    "messages": [*self.listed, *self._inbound()],
                    "nextPage": self.endless,
                    "lastMessageId": "r1" if self.endless else "",
                }
            },
            CONTACT: {"contact": {"id": LANE.contact_id, "tags": [], **self.contact}},
            TAGS: {"tags": []},
            GENERATIONS: {"responseMessage": "Hi"},
            SEARCH: {"conversations": self._found()},
            **{f"/conversations/{id_}/messages": {"messages": {"messages": rows}} for id_, rows in self.others.items()},
            **{f"{POST}/{id_}": {"message": {"id": id_, "body": body}} for id_, body in self.texts.items()},
            **{f"{POST}/{id_}": {"message": {"id": id_, **held}} for id_, held in self.records.items()},
        }
        if path not in answers and path.endswith("/messages"):
            path = LIST
        if (path not in answers and path.startswith(f"{POST}/")) or (path == GENERATIONS and not self._generated(request)):
            return http(404, {"message": "Not found"})
        return http(200, answers[path], {"Date": formatdate(time.time() - self.behind, usegmt=True)})


@cache
def _authorities() -> ssl.SSLContext:
    """One for all tests: reading them takes tens of milliseconds, and a test may work hundreds of times."""
    return httpx.create_ssl_context(trust_env=False)


@contextmanager
def opened(redis: Redis) -> Iterator[World]:
    """A world for one test, with its location applied."""
    world = World(redis)
    with OtherSide(world.serve) as side:
        world.url = side.url
        world.keep()
        yield world


M1, M2, M3 = MessageId("m1"), MessageId("m2"), MessageId("m3")
