"""GHL and the completion services on a real socket; they answer normally, or as the next fault says."""

from __future__ import annotations

import re
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from bridge.model import LocationId
from tests.other_side import http
from tests.proof.completions import ASKED, MARK, Manner
from tests.proof.faults import Fault
from tests.proof.record import Asked, Record, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.other_side import Received, Visit
    from tests.proof.clock import Clock

LOCATION = LocationId("here")
VOICE = (Path(__file__).parents[1] / "policy/media/audio.ogg").read_bytes()
# Later than all but the last look of a read-back, 36 s after the attempt.
LIST_LAG_MS = 33_000
# A post of an e-mail has HTML in place of its text.
MARKUP = re.compile(r"<[^>]*>")
PASSES = 200
INTERVAL_MS = 10_000
# Carried out, with an answer whose end is missing.
CUT_DOCUMENT = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"message'
LISTED_AS = {"InternalComment": "TYPE_INTERNAL_COMMENT", "IG": "TYPE_INSTAGRAM", "FB": "TYPE_FACEBOOK"}

# A voice note, its transcript, and the answer that GHL's bot wrote nothing.
FIXED: dict[str, tuple[int, object]] = {
    "/media/voice.ogg": (200, VOICE),
    "/v1/audio/transcriptions": (200, {"text": "What does it cost? [spoken]"}),
    "/conversation-ai/generations": (404, {"message": "Not found"}),
}
FAILING = {
    Fault.ERROR: (500, False),
    Fault.ERROR_DONE: (502, True),
    Fault.LIMITED: (429, False),
    Fault.REFUSED: (401, False),
}


class FarSide:
    """`failing` are statuses by path, for as many requests as they last (200: it is answered).

    `refusal` is their document; `planned` are faults by path.
    `most` is how many requests GHL answers in ten seconds (0: any number), and says so with each answer.
    `manner` is how the services answer, `contact` what GHL knows of every contact.
    `sent` is called with each message that leaves a conversation, for its echo; `later` schedules an action in some seconds.
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
        self.refusal = {"message": "no"}
        self.most = 0
        self.times: list[int] = []
        self.manner = Manner()
        self.contact: dict[str, Any] = {"tags": []}
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
        return self._file(contact, text, **{"by": "person", "type_": "TYPE_SMS", "source": "app", "user_id": "user1", **more})

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
            if fault is Fault.UNREADABLE and answer.startswith(CUT_DOCUMENT[:12]):
                answer = CUT_DOCUMENT
                self.record.rows[-1].receipt = request.method == "GET"
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
        if (left := self.failing.get(path)) and (status := left.pop(0)) != PASSES:
            return http(status, self.refusal, dated)
        if path in FIXED:
            return http(*FIXED[path])
        if self.most and path not in ASKED:
            dated |= self._limits()
            if len(self.times) > self.most:
                self.record.limited += 1
                return http(429, {"message": "no"}, dated)
        document = request.document if request.body else {}
        query = {name: values[0] for name, values in parse_qs(target.query).items()}
        if path in ASKED:
            answer = self._complete(path, document, lag)
        elif (request.method, path) == ("POST", "/conversations/messages"):
            answer = self._post(document, lag)
        else:
            answer = self._read(path, query) if request.method == "GET" else self._change(path, document)
        return http(200, answer, dated)

    def _limits(self) -> dict[str, str]:
        """Count a request, and report the remaining ones."""
        assert self.clock
        self.times = [at for at in (*self.times, self.clock.ms) if at > self.clock.ms - INTERVAL_MS]
        told = {"Max": self.most, "Remaining": max(0, self.most - len(self.times)), "Interval-Milliseconds": INTERVAL_MS}
        return {f"X-RateLimit-{name}": str(number) for name, number in told.items()}

    def _read(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        match path.strip("/").split("/"):
            case ["conversations", "messages", id_]:
                row = next(row for row in self.record.rows if row.id == id_)
                return {"message": _shown(row)}
            case ["conversations", "search"]:
                return {"conversations": self._conversations(query)}
            case ["conversations", id_, "messages"]:
                return {"messages": self._listed(id_.removeprefix("conversation-"), query)}
            case ["contacts", id_]:
                return {"contact": {"id": id_, **self.contact}}
        raise AssertionError(f"nobody expected GET {path}")

    def _change(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        """Change tags, or the user that a contact is assigned to."""
        if path.endswith("/tags"):
            self.record.tags += document["tags"]
            return {"tags": document["tags"]}
        self.record.assigned.append(document["assignedTo"])
        return {"contact": {"id": path.rpartition("/")[2]}}

    def _post(self, document: dict[str, Any], lag: int) -> dict[str, Any]:
        type_ = LISTED_AS.get(document["type"], f"TYPE_{document['type'].upper()}")
        text = document.get("message") or MARKUP.sub(" ", document["html"])
        row = self._file(
            document["contactId"],
            text,
            by="bridge",
            type_=type_,
            source="api",
            lag=lag,
            provider=document.get("conversationProviderId", ""),
        )
        return {"messageId": row.id, "conversationId": f"conversation-{row.contact}"}

    def _complete(self, path: str, document: dict[str, Any], lag: int) -> dict[str, Any]:
        question, number = document[ASKED[path]], len(self.record.asked) + 1
        marks = tuple(dict.fromkeys(MARK.findall(question)))
        # START has no number: it is the newest START of the contact, even if later messages were written.
        contacts = [row for row in self.record.rows if row.inbound and row.contact == document.get("contact_id")]
        starts = [row.id for row in contacts if row.text == "START"] if "START" in question.splitlines() else []
        marks = (*starts[-1:], *marks)
        manner, said = self.manner, self.manner.text(number, marks)
        asked = Asked(
            seq=self.next(), number=number, marks=marks, pieces=manner.pieces, service=path[1:], text=said, note=manner.note
        )
        self.record.asked.append(asked)
        receipt = {"messageId": f"claimed{number}"} if manner.claims else {}
        if manner.delivers:
            contact, id_ = document["contact_id"], f"delivered{number}"
            given: dict[str, Any] = {"by": "provider", "type_": "TYPE_SMS", "source": "app", "id_": id_, "lag": lag}
            self.later(manner.thinks, lambda: self._file(contact, said, **given))
            receipt = {"messageId": id_, "conversationId": f"conversation-{contact}"}
        return manner.answer(path, said, receipt)

    def _listed(self, contact: str, query: dict[str, str]) -> dict[str, Any]:
        """A page of a conversation after a message, newest first."""
        assert self.clock
        rows = [row for row in self.record.rows if row.contact == contact and row.listed_at_ms <= self.clock.ms][::-1]
        after = query.get("lastMessageId")
        begin = next(place for place, row in enumerate(rows, start=1) if row.id == after) if after else 0
        page = rows[begin : begin + int(query["limit"])]
        return {"messages": [_shown(row) for row in page], "nextPage": begin + len(page) < len(rows)}

    def _conversations(self, query: dict[str, str]) -> list[dict[str, Any]]:
        assert self.clock
        newest = {row.contact: row for row in self.record.rows if row.listed_at_ms <= self.clock.ms}
        wanted, before = query.get("contactId"), int(query.get("startAfterDate", 0))
        found = [
            {
                "id": f"conversation-{contact}",
                "contactId": contact,
                "lastMessageDate": row.at_ms,
                "lastMessageDirection": "inbound" if row.inbound else "outbound",
            }
            for contact, row in sorted(newest.items(), key=lambda item: -item[1].at_ms)
            if wanted in {None, contact} and (not before or row.at_ms < before)
        ]
        return found[: int(query.get("limit", len(found)))]


def _shown(row: Row) -> dict[str, Any]:
    shown = {
        "id": row.id,
        "direction": "inbound" if row.inbound else "outbound",
        "body": row.text,
        "messageType": row.type,
        "dateAdded": row.at_ms,
        "source": row.source,
        "attachments": list(row.attachments),
        **({"conversationProviderId": row.provider} if row.provider else {}),
    }
    return {**shown, **({"userId": row.user_id} if row.user_id else {})}
