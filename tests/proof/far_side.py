"""GHL and the completion services on a real socket; they do what they are asked, or what the next fault says."""

from __future__ import annotations

import re
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from bridge.model import LocationId
from tests.other_side import http
from tests.proof.faults import Fault
from tests.proof.record import Asked, Record, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.other_side import Received, Visit
    from tests.proof.clock import Clock

LOCATION = LocationId("here")
VOICE = (Path(__file__).parents[1] / "policy/media/audio.ogg").read_bytes()
MARK = re.compile(r"\[(\w+)\]")
# A piece of an answer is longer than half a part, and shorter than one.
FILLER = " and a little more of that" * 40
# Later than all but the last look of a read-back, 36 s after the attempt.
LIST_LAG_MS = 33_000
# Where a service is asked.
ASKED = frozenset({"/assistable", "/agencii"})

# A voice note, what is said in it, and that no bot of GHL's wrote anything.
FIXED: dict[str, tuple[int, object]] = {
    "/media/voice.ogg": (200, VOICE),
    "/v1/audio/transcriptions": (200, {"text": "What does it cost? [m1]"}),
    "/conversation-ai/generations": (404, {"message": "Not found"}),
}
FAILING = {
    Fault.ERROR: (500, False),
    Fault.ERROR_DONE: (502, True),
    Fault.LIMITED: (429, False),
    Fault.REFUSED: (401, False),
}


class FarSide:
    """`failing` are statuses by path, for as many requests as they last; `planned` faults likewise. An answer comes in `pieces`.

    `claims`: the service says that it posted its answer itself; `delivers`: it does so, and `thinks` for so many seconds before;
    `asks_for_a_person`: it hands over.
    `sent` is told of each message that leaves a conversation, for its echo; `later` of what is to be done in so many seconds.
    """

    def __init__(self) -> None:
        self.url = ""
        self.restart(None)

    def restart(self, clock: Clock | None) -> None:
        """Forget everything."""
        self.clock = clock
        self.record = Record()
        self.seq = 0
        self.failing: dict[str, list[int]] = {}
        self.planned: dict[str, list[Fault]] = {}
        self.pieces = 1
        self.delivers = self.claims = False
        self.thinks = 0.0
        self.asks_for_a_person = False
        self.fault: Fault | None = None
        self.sent: Callable[[Row], None] = lambda _: None
        self.later: Callable[[float, Callable[[], object]], object] = lambda _, do: do()

    def next(self) -> int:
        """The next number in the order of all visible events."""
        self.seq += 1
        return self.seq

    @contextmanager
    def behaving(self, fault: Fault) -> Iterator[None]:
        """Use this behaviour for the next request."""
        self.fault = fault
        try:
            yield
        finally:
            self.fault = None

    def write(self, contact: str, id_: str, text: str, type_: str = "TYPE_SMS", **more: Any) -> Row:
        """Let the contact write."""
        return self._file(contact, text, by="contact", type_=type_, id_=id_, **more)

    def say(self, contact: str, text: str, **more: Any) -> Row:
        """Let a person of the business write."""
        return self._file(contact, text, by="person", type_="TYPE_SMS", source="app", user_id="user1", **more)

    def serve(self, visit: Visit) -> None:
        """Answer a connection's requests."""
        while request := visit.request():
            planned = self.planned.get(urlsplit(request.target).path)
            fault, self.fault = self.fault or (planned.pop(0) if planned else None), None
            status, done = FAILING.get(fault, (0, True)) if fault else (0, True)
            lag = LIST_LAG_MS if fault is Fault.LATE else 0
            answer = self._answer(request, lag) if done else b""
            if status:
                answer = http(status, {"message": "no"}, {"Retry-After": "2"} if status == 429 else {})
            if fault in {Fault.LOST, Fault.LATE}:
                visit.reset()
                return
            visit.send(answer * 2 if fault is Fault.TWICE else answer)

    def _file(self, contact: str, text: str, *, by: str, type_: str, id_: str = "", lag: int = 0, **more: Any) -> Row:
        assert self.clock
        seq = self.next()
        at = self.clock.ms
        row = Row(
            seq=seq, id=id_ or f"g{seq}", contact=contact, by=by, type=type_, text=text, at_ms=at, listed_at_ms=at + lag, **more
        )
        self.record.rows.append(row)
        if by != "contact":
            self.sent(row)
        return row

    def _answer(self, request: Received, lag: int) -> bytes:
        assert self.clock
        target = urlsplit(request.target)
        path = target.path
        dated = {"Date": formatdate(self.clock.ms // 1000, usegmt=True)}
        if left := self.failing.get(path):
            return http(left.pop(0), {"message": "no"}, dated)
        if path in FIXED:
            return http(*FIXED[path])
        document = request.document if request.body else {}
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        if path in ASKED:
            answer = self._complete(path, document, lag)
        elif (request.method, path) == ("POST", "/conversations/messages"):
            answer = self._post(document, lag)
        else:
            answer = self._read(path, query) if request.method == "GET" else self._change(path, document)
        return http(200, answer, dated)

    def _read(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        match path.strip("/").split("/"):
            case ["conversations", "messages", id_]:
                row = next(row for row in self.record.rows if row.id == id_)
                return {"message": _shown(row)}
            case ["conversations", "search"]:
                return {"conversations": self._conversations(query)}
            case ["conversations", id_, "messages"]:
                return {"messages": {"messages": self._listed(id_.removeprefix("conversation-")), "nextPage": False}}
            case ["contacts", id_]:
                return {"contact": {"id": id_, "tags": []}}
        raise AssertionError(f"nobody expected GET {path}")

    def _change(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """Change tags, or the user that a contact is assigned to."""
        if path.endswith("/tags"):
            self.record.tags += document["tags"]
            return {"tags": document["tags"]}
        return {"contact": {"id": path.rpartition("/")[2]}}

    def _post(self, document: dict[str, Any], lag: int) -> dict[str, Any]:
        type_ = {"InternalComment": "TYPE_INTERNAL_COMMENT"}.get(document["type"], f"TYPE_{document['type'].upper()}")
        row = self._file(document["contactId"], document["message"], by="bridge", type_=type_, source="api", lag=lag)
        return {"messageId": row.id, "conversationId": f"conversation-{row.contact}"}

    def _complete(self, path: str, document: dict[str, Any], lag: int) -> dict[str, Any]:
        question = document["input"] if path == "/assistable" else document["message"]
        number, marks = len(self.record.asked) + 1, tuple(dict.fromkeys(MARK.findall(question)))
        self.record.asked.append(Asked(seq=self.next(), number=number, marks=marks, pieces=self.pieces))
        quoted = " ".join(f"[{mark}]" for mark in marks)
        filler = FILLER if self.pieces > 1 else ""
        text = "\n\n".join(f"(c{number}.{piece + 1}) on {quoted}{filler}" for piece in range(self.pieces))
        if path == "/agencii":
            return {"chatId": "chat1", "message": {"content": text}}
        run: dict[str, Any] = {"output": text}
        if self.claims:
            run["message"] = {"messageId": f"claimed{number}"}
        if self.delivers:
            contact, id_ = document["contact_id"], f"delivered{number}"
            given: dict[str, Any] = {"by": "provider", "type_": "TYPE_SMS", "source": "app", "id_": id_, "lag": lag}
            self.later(self.thinks, lambda: self._file(contact, text, **given))
            run["message"] = {"messageId": id_, "conversationId": f"conversation-{contact}"}
        if self.asks_for_a_person:
            run["response"] = {"toolCalls": [{"function": {"name": "handover"}}]}
        return {"run": run}

    def _listed(self, contact: str) -> list[dict[str, Any]]:
        assert self.clock
        rows = [row for row in self.record.rows if row.contact == contact and row.listed_at_ms <= self.clock.ms]
        return [_shown(row) for row in reversed(rows)]

    def _conversations(self, query: dict[str, str]) -> list[dict[str, Any]]:
        newest = {row.contact: row for row in self.record.rows}
        wanted = query.get("contactId")
        return [
            {
                "id": f"conversation-{contact}",
                "contactId": contact,
                "lastMessageDate": row.at_ms,
                "lastMessageDirection": "inbound" if row.inbound else "outbound",
            }
            for contact, row in sorted(newest.items(), key=lambda item: -item[1].at_ms)
            if wanted in {None, contact}
        ]


def _shown(row: Row) -> dict[str, Any]:
    shown = {
        "id": row.id,
        "direction": "inbound" if row.inbound else "outbound",
        "body": row.text,
        "messageType": row.type,
        "dateAdded": row.at_ms,
        "source": row.source,
        "attachments": list(row.attachments),
    }
    return {**shown, **({"userId": row.user_id} if row.user_id else {})}
