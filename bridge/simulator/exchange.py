"""One request and its answer: recorded, counted, and changed by a scripted fault."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from bridge.simulator.wire import Call, CallAnswer, Refused, read_json, reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from bridge.simulator.counts import Flight
    from bridge.simulator.faults import Script
    from bridge.simulator.records import Record
    from bridge.simulator.simulation import Simulation

Wire: TypeAlias = "tuple[Scope, Receive, Send]"
Manner: TypeAlias = Literal["whole", "cut", "hang", "trickle", "lie", "endless"]
# Where the server leaves the connection itself, so that it can be cut (see serving.py).
TRANSPORT = "ghl_bridge.transport"
_HTML = b"<!doctype html><title>Service</title><h1>We will be right back</h1>"
_TRICKLE_STEP = 0.1
_POURED = 256 * 1024


@dataclass(frozen=True, slots=True)
class ResponseEnding:
    """The answer, and how it is sent."""

    manner: Manner
    answer: CallAnswer
    seconds: float = 0.0
    where: str = "headers"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedEndpoint:
    """An ASGI endpoint.

    `group` is its name in scripts; `subject` finds which contact a request is about, before it is checked.
    """

    simulation: Simulation
    name: str
    group: str
    handle: Callable[[Call, Script], Awaitable[CallAnswer]]
    subject: Callable[[Call], None]
    headers: Callable[[Call], Mapping[str, str]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or don't, if a script says so."""
        request = Request(scope, receive)
        try:
            call = self._call(request, await request.body())
        except ClientDisconnect:
            return
        self.subject(call)
        record = self.simulation.records.begin(call)
        if self.group == "completion":
            await self._counted(call, record, (scope, receive, send))
        else:
            await self._answer(call, record, (scope, receive, send), ended=lambda: None)

    def _call(self, request: Request, raw: bytes) -> Call:
        return Call(
            endpoint=self.name,
            method=request.method,
            path=request.url.path,
            params=request.path_params,
            query=dict(request.query_params),
            headers=dict(request.headers),
            raw=raw,
            body=read_json(raw) if raw else None,
        )

    async def _answer(self, call: Call, record: Record, wire: Wire, *, ended: Callable[[], None]) -> None:
        ending = await self._play(call)
        answered = ending.manner in ("whole", "trickle")
        record.status, record.ending = (ending.answer.status if answered else None), ending.manner
        outcome = str(ending.answer.status) if answered else ending.manner
        self.simulation.counts.requests[self.name][outcome] += 1
        event = {"endpoint": self.name, "contactId": call.contact_id, "status": record.status, "ending": record.ending}
        self.simulation.hub.publish("request", event)
        if ending.manner in ("whole", "cut"):
            # Before the last byte goes out: the client may ask again at once.
            ended()
        await _leave(ending, *wire)

    async def _counted(self, call: Call, record: Record, wire: Wire) -> None:
        simulation = self.simulation
        flight = simulation.counts.begin_completion(call.contact_id)
        fields = {"contactId": call.contact_id, "locationId": call.location_id}
        simulation.hub.publish("completion", fields | {"state": "started"})
        watch = asyncio.create_task(self._watch(flight, wire[1]))
        try:
            await self._answer(call, record, wire, ended=lambda: simulation.counts.end_completion(flight))
        finally:
            watch.cancel()
            simulation.counts.end_completion(flight)
            simulation.hub.publish("completion", fields | {"state": "ended", "status": record.status, "ending": record.ending})

    async def _watch(self, flight: Flight, receive: Receive) -> None:
        await _gone(receive)
        self.simulation.counts.end_completion(flight, left=True)

    async def _play(self, call: Call) -> ResponseEnding:
        script = self.simulation.faults.script_for(call, self.group)
        spoiled = await self._spoil(script.before(), None)
        if spoiled:
            return spoiled
        try:
            answer = await self.handle(call, script)
        except Refused as refused:
            answer = refused.answer
        answer = answer.plus(self._common(call))
        return await self._spoil(script.after(), answer) or ResponseEnding("whole", answer)

    async def _spoil(self, actions: list[dict[str, Any]], answer: CallAnswer | None) -> ResponseEnding | None:
        for action in actions:
            if action["kind"] == "delay":
                await self.simulation.faults.delay(action["seconds"])
                continue
            return _ending(action, answer)
        return None

    def _common(self, call: Call) -> dict[str, str]:
        date = formatdate(self.simulation.now() / 1000, usegmt=True)
        return {"Date": date, **self.headers(call)}


def _ending(action: dict[str, Any], answer: CallAnswer | None) -> ResponseEnding:
    done = answer or reply(200, {})
    match action["kind"]:
        case "status":
            body = action.get("body", {"statusCode": action["status"], "message": "Scripted by the simulator"})
            return ResponseEnding("whole", _scripted(action["status"], body, action.get("headers", {})))
        case "html":
            return ResponseEnding("whole", CallAnswer(200, _HTML, "text/html"))
        case "big":
            return ResponseEnding("whole", CallAnswer(done.status, b'{"padding":"' + b"x" * action["bytes"] + b'"}'))
        case "trickle":
            return ResponseEnding("trickle", done, action["seconds"], action.get("where", "headers"))
        case "lie" | "endless" as kind:
            return ResponseEnding(kind, done)
        case kind:
            return ResponseEnding("cut" if kind == "cut" else "hang", done)


def _scripted(status: int, body: Any, headers: Mapping[str, str]) -> CallAnswer:
    if isinstance(body, str):
        return CallAnswer(status, body.encode(), "text/plain", headers)
    return reply(status, body, headers)


async def _leave(ending: ResponseEnding, scope: Scope, receive: Receive, send: Send) -> None:
    match ending.manner:
        case "whole":
            answer = ending.answer
            response = Response(answer.content, answer.status, dict(answer.headers), answer.media_type)
            await response(scope, receive, send)
        case "cut":
            _transport(scope).abort()
            await _gone(receive)
        case "hang":
            await _gone(receive)
        case "lie":
            _lie(ending.answer, scope)
            await _gone(receive)
        case "endless":
            await _pour(ending.answer, scope)
        case "trickle":
            await _trickle(ending, scope)
            await _gone(receive)


async def _trickle(ending: ResponseEnding, scope: Scope) -> None:
    """Send an answer byte by byte: httpx's timeouts apply to each read, so none of them ever expires."""
    transport = _transport(scope)
    answer = ending.answer
    steps = max(1, round(ending.seconds / _TRICKLE_STEP))
    # JSON may begin with any number of spaces, so they are sent first.
    content = b" " * steps + answer.content if ending.where == "body" else answer.content
    head = f"HTTP/1.1 {answer.status} OK\r\nContent-Type: {answer.media_type}\r\nContent-Length: {len(content)}\r\n"
    begun = b"X-Trickle: " if ending.where == "headers" else b"\r\n"
    transport.write(head.encode() + b"Connection: close\r\n" + begun)
    await _drip(transport, b"." if ending.where == "headers" else b" ", steps)
    transport.write((b"\r\n\r\n" if ending.where == "headers" else b"") + answer.content)
    transport.close()


async def _drip(transport: asyncio.Transport, drop: bytes, steps: int) -> None:
    for _ in range(steps):
        if transport.is_closing():
            return
        transport.write(drop)
        await asyncio.sleep(_TRICKLE_STEP)


def _lie(answer: CallAnswer, scope: Scope) -> None:
    """Announce a longer body than is sent, and end there."""
    length = len(answer.content) * 10 + 1
    head = f"HTTP/1.1 {answer.status} OK\r\nContent-Type: {answer.media_type}\r\nContent-Length: {length}\r\n\r\n"
    transport = _transport(scope)
    transport.write(head.encode() + answer.content)
    transport.close()


async def _pour(answer: CallAnswer, scope: Scope) -> None:
    """Send an endless body as fast as the client reads, until the client disconnects."""
    transport = _transport(scope)
    transport.write(f"HTTP/1.1 200 OK\r\nContent-Type: {answer.media_type}\r\nConnection: close\r\n\r\n".encode())
    transport.write(answer.content)
    while not transport.is_closing():
        if transport.get_write_buffer_size() < _POURED:
            transport.write(bytes(_POURED))
        await asyncio.sleep(0)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport | None = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        raise RuntimeError("Connections can only be cut if the simulator was started through bridge.simulator.serving")
    return transport
