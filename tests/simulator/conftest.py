"""A simulator in its own process, and a receiver of webhooks, with real sockets on both sides."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCATION = "SimulatedLocation001"
TOKEN = "pit-simulated"
SAMPLES = Path(__file__).parent.parent / "samples"


@dataclass(frozen=True, slots=True)
class Hook:
    """One received webhook."""

    headers: dict[str, str]
    raw: bytes
    at: float

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self.raw)
        return payload


@dataclass(slots=True)
class Receiver:
    """Receives webhooks; `statuses` are its next answers, then all are 202."""

    url: str
    hooks: list[Hook] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def wait_for(self, count: int, *, seconds: float = 30.0) -> list[Hook]:
        """Wait for this many webhooks, and return them."""
        deadline = time.monotonic() + seconds
        while len(self.hooks) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return list(self.hooks)


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulator, seen from outside."""

    url: str
    state_dir: Path
    http: httpx.Client

    def order(self, name: str, **order: Any) -> dict[str, Any]:
        """Call the control API; anything but success fails the test."""
        return self._read(self.http.post(f"/_sim/{name}", json=order))

    def ask(self, name: str, **query: Any) -> dict[str, Any]:
        """Read from the control API."""
        return self._read(self.http.get(f"/_sim/{name}", params=query))

    def fault(self, on: str, action: Any, **more: Any) -> None:
        """Script a fault."""
        self.order("faults", on=on, action=action, **more)

    def ghl(self, method: str, path: str, *, token: str = TOKEN, body: Any = None, **more: Any) -> httpx.Response:
        """Call GHL as the bridge does."""
        headers = {"Authorization": f"Bearer {token}", "Version": "2021-04-15"} | more.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value}
        return self.http.request(method, path, json=body, headers=headers, **more)

    def send(self, contact_id: str, **body: Any) -> httpx.Response:
        """Post a message into GHL."""
        return self.ghl("POST", "/conversations/messages", body={"type": "SMS", "contactId": contact_id, **body})

    def complete(self, said: dict[str, Any], *, timeout: float = 20, **changed: Any) -> httpx.Response:
        """Ask Assistable for a completion."""
        body = {
            "location_id": LOCATION,
            "assistant_id": "assistant",
            "contact_id": said["contact_id"],
            "conversation_id": said["conversation_id"],
            "last_message_id": said["message_id"],
            "channel": "SMS",
            "input": "Hello",
            "messages": [],
        }
        kept = {name: value for name, value in (body | changed).items() if value is not None}
        return self.http.post(
            "/v2/ghl-chat-completion", json=kept, headers={"Authorization": "Bearer assistable"}, timeout=timeout
        )

    def counts(self) -> dict[str, Any]:
        """Read the exact numbers."""
        return self.ask("counts")

    def texts(self, conversation_id: str) -> list[tuple[str, str]]:
        """Read a conversation as (direction, text)."""
        messages = self.ask(f"conversations/{conversation_id}")["messages"]
        return [(each["direction"], each["text"]) for each in messages]

    @staticmethod
    def _read(answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code == 200, answer.text
        read: dict[str, Any] = answer.json()
        return read


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    state_dir = tmp_path_factory.mktemp("simulator")
    port_file = state_dir / "port"
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "bridge.simulator",
        "--port-file",
        str(port_file),
        "--state-dir",
        str(state_dir),
    ]
    with subprocess.Popen([*command, "--retry-delays", "0.1,0.1", "--rate-limit", "0"]) as running:
        try:
            url = f"http://127.0.0.1:{port_in(port_file)}"
            with httpx.Client(base_url=url, trust_env=False, timeout=20) as http:
                yield Simulator(url, state_dir, http)
        finally:
            running.terminate()
            running.wait(10)


@pytest.fixture
def simulator(process: Simulator) -> Simulator:
    process.order("reset")
    return process


@pytest.fixture
def receiver(simulator: Simulator) -> Iterator[Receiver]:
    server = _Server(("127.0.0.1", 0), _Receiving)
    server.receiver = Receiver(f"http://127.0.0.1:{server.server_port}/webhooks/ghl")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    simulator.order("defaults", webhook_url=server.receiver.url)  # type: ignore[attr-defined]
    yield server.receiver  # type: ignore[attr-defined]
    simulator.order("reset")
    server.shutdown()
    thread.join()
    server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 256


class _Receiving(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.hooks.append(Hook({name.lower(): value for name, value in self.headers.items()}, raw, time.monotonic()))
        status = receiver.statuses.pop(0) if receiver.statuses else 202
        time.sleep(receiver.seconds)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        with contextlib.suppress(ConnectionError):  # a reset calls webhooks back
            self.end_headers()
            self.wfile.write(b'{"status": "accepted"}')

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Log nothing."""


def port_in(port_file: Path) -> str:
    deadline = time.monotonic() + 20
    while not port_file.exists():
        assert time.monotonic() < deadline, "the simulator did not start"
        time.sleep(0.02)
    return port_file.read_text().strip()
