"""GHL and Assistable in a few lines: the simulator's answers to good requests, without its checks.

The simulator checks every request against GHL's OpenAPI and remembers it, which costs more than the bridges that are measured.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable

END = b"\r\n\r\n"
REPLY = "Hello, and thank you for your message! On Thursday afternoon we have appointments at 2:30 pm and at 4 pm."


class FarSide:
    """Counts what arrives. `posts` are the times (`perf_counter`) of each contact's replies."""

    def __init__(self) -> None:
        self.completion_seconds = 0.0
        self.in_flight = 0
        self.requests = 0
        self.posts: dict[str, list[float]] = defaultdict(list)
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Listen; returns the URL."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0, backlog=2048)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.close()

    def forget(self) -> None:
        """Reset the counts."""
        self.posts.clear()
        self.requests = 0

    async def wait_for(self, posts: int, *, seconds: float) -> None:
        """Wait until this many contacts have a reply. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while len(self.posts) < posts:
                await asyncio.sleep(0.02)

    def answer(self, method: str, path: str, body: bytes, tell: Callable[[dict[str, Any]], None]) -> None:
        """Answer one request, at once or later."""
        self.requests += 1
        if path.endswith("ghl-chat-completion"):
            asked = orjson.loads(body)
            self.in_flight += 1
            asyncio.get_running_loop().call_later(self.completion_seconds, self._complete, asked, tell)
        elif method == "POST":
            contact = orjson.loads(body)["contactId"]
            self.posts[contact].append(time.perf_counter())
            tell({"conversationId": contact, "messageId": uuid4().hex[:20], "msg": "Message queued successfully."})
        elif path.startswith("/contacts/"):
            contact = path.rpartition("/")[2]
            tell({"contact": {"id": contact, "firstName": "Ana", "lastName": "Bench", "tags": [], "dnd": False}})
        else:
            tell({"messages": {"lastMessageId": "", "nextPage": False, "messages": []}})

    def _complete(self, asked: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
        self.in_flight -= 1
        message = {"conversationId": asked["conversation_id"], "messageId": asked["last_message_id"], "traceId": uuid4().hex}
        tell({"run": {"output": REPLY, "input": asked["input"], "message": message, "response": {"messages": []}}})


class _Connection(asyncio.Protocol):
    def __init__(self, far_side: FarSide) -> None:
        self._far_side = far_side
        self._read = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # a TCP transport is one

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, end, rest = self._read.partition(END)
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(rest) < length:
            return
        self._read = b""
        method, target = head.partition(b"\r\n")[0].decode().split(" ")[:2]
        self._far_side.answer(method, target.partition("?")[0], rest, self._tell)

    def _tell(self, document: dict[str, Any]) -> None:
        body = orjson.dumps(document)
        if self._transport and not self._transport.is_closing():
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )
