from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.simulator.conftest import port_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.simulator.conftest import Simulator

TOKEN = "token-of-the-admin"
EVENT = {"at": "2026-01-01T00:00:00.000Z", "step": "accepted", "channel": "SMS"}
LOCATION = {"id": "SimulatedLocation001", "name": "Simulated Dental", "provider": "assistable", "mode": "live", "failing": 0}


class Bridge(BaseHTTPRequestHandler):
    """The two calls of the admin API that the page needs, and an error."""

    def do_GET(self) -> None:
        answers: dict[str, tuple[int, Any]] = {
            "/api/v1/explain/ann": (200, {"messages": [{"message_id": "m1", "status": "replied"}], "events": [EVENT]}),
            "/api/v1/explain/held": (200, {"messages": [], "events": [EVENT], "location_id": "SimulatedLocation001"}),
            "/api/v1/locations/SimulatedLocation001": (200, {"state": "hold"}),
            "/api/v1/explain/..%2Flocations": (200, {"messages": [], "events": [EVENT]}),
            "/api/v1/explain/trouble": (503, {"error": "unavailable"}),
            "/api/v1/locations": (200, {"locations": [LOCATION], "next": None}),
        }
        status, body = answers.get(self.path, (404, {"error": "not_known"}))
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            status, body = 401, {"error": "unauthorized"}
        self.send_response(status)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Log nothing."""


@contextmanager
def beside(url: str, folder: Path, token: str = TOKEN, *more: str) -> Iterator[httpx.Client]:
    """A simulator beside a bridge."""
    command = [sys.executable, "-m", "bridge.simulator", "--state-dir", str(folder), "--port-file", str(folder / "port")]
    with subprocess.Popen([*command, "--bridge-url", url, *more], env={**os.environ, "BRIDGE_ADMIN_TOKEN": token}) as running:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port_in(folder / 'port')}", trust_env=False, timeout=20) as http:
                yield http
        finally:
            running.terminate()
            running.wait(10)


@pytest.fixture(scope="module")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bridge)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    with beside(f"http://127.0.0.1:{server.server_port}", tmp_path_factory.mktemp("connected"), TOKEN, "--killable") as http:
        yield http
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("id_", "told"),
    [
        ("ann", {"messages": [{"message_id": "m1", "status": "replied"}], "events": [EVENT]}),
        ("held", {"messages": [], "events": [EVENT], "location_id": "SimulatedLocation001", "on_hold": True}),
        ("bob", {"messages": [], "events": []}),
        ("../locations", {"messages": [], "events": [EVENT]}),
        ("trouble", {"messages": [], "events": [], "error": "The bridge answered 503"}),
    ],
)
def test_timeline(connected: httpx.Client, id_: str, told: dict[str, Any]) -> None:
    """The page gets the timeline of an id and whether it is delayed, nothing for an unknown id, and a sentence after an error."""
    assert connected.get("/_sim/timeline", params={"id": id_}).json() == {"connected": True, "on_hold": False} | told


def test_providers(connected: httpx.Client) -> None:
    """The page gets the console's address and the public data of the bridge's locations, and nothing else."""
    shown = [{"id": "SimulatedLocation001", "name": "Simulated Dental", "provider": "assistable", "mode": "live"}]
    told = connected.get("/_sim/providers").json()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/console", told.pop("console"))
    assert told == {"connected": True, "killable": True, "locations": shown}


def test_a_bridge_that_comes_later(tmp_path: Path) -> None:
    """The simulator finds the bridge by the file that `up` writes, even if `up` starts later."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bridge)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    note = tmp_path / "running.json"
    with beside("", tmp_path, "", "--bridge-note", str(note)) as http:
        assert http.get("/_sim/timeline", params={"id": "ann"}).json()["connected"] is False
        settings = {"PORT": str(server.server_port), "HOST": "0.0.0.0", "BRIDGE_ADMIN_TOKEN": TOKEN}  # noqa: S104 - a setting
        note.write_text(json.dumps(settings), encoding="utf-8")
        found = http.get("/_sim/timeline", params={"id": "ann"}).json()
        assert (found["connected"], found["events"]) == (True, [EVENT])
        assert http.get("/_sim/providers").json()["console"] == f"http://127.0.0.1:{server.server_port}/console"
        assert http.get("/_sim/providers").json()["killable"] is False
        note.unlink()
        assert http.get("/_sim/providers").json()["connected"] is False
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_token_stays_here(connected: httpx.Client) -> None:
    """No answer to a browser contains the admin token."""
    paths = (
        "/",
        "/_page/sandbox.js",
        "/_page/phone.js",
        "/_page/beside.js",
        "/_sim/state",
        "/_sim/timeline?id=ann",
        "/_sim/providers",
        "/_sim/requests",
    )
    answers = [connected.get(path) for path in paths]
    assert not any(TOKEN in each.text or TOKEN in str(each.headers) for each in answers)


def test_kills(connected: httpx.Client) -> None:
    """A request to kill a process is counted for its starter, and survives a reset."""
    assert connected.post("/_sim/kills", json={"process": "worker"}).json() == {"kills": {"worker": 1}}
    assert connected.post("/_sim/kills", json={"process": "redis"}).json() == {"kills": {"worker": 1, "redis": 1}}
    connected.post("/_sim/reset", json={})
    assert connected.get("/_sim/kills").json() == {"kills": {"worker": 1, "redis": 1}}
    assert connected.post("/_sim/kills", json={"process": "init"}).status_code == 422
    refused = connected.post("/_sim/kills", json={"process": "web"}, headers={"Origin": "https://evil.example"})
    assert refused.status_code == 403


def test_without_a_bridge(simulator: Simulator) -> None:
    """A simulator without a bridge says that there is no timeline, no provider to choose and no process to kill."""
    assert simulator.ask("timeline", id="ann") == {"connected": False, "on_hold": False, "messages": [], "events": []}
    assert simulator.ask("providers") == {"connected": False, "console": "", "killable": False, "locations": []}
    assert simulator.http.post("/_sim/kills", json={"process": "worker"}).status_code == 409


def test_a_bridge_that_is_gone(tmp_path: Path) -> None:
    """While the bridge can't be reached, the page says so."""
    with beside("http://127.0.0.1:1", tmp_path) as http:
        assert "can't be reached" in http.get("/_sim/timeline", params={"id": "ann"}).json()["error"]
        assert http.get("/_sim/providers").json()["locations"] == []


def test_the_page_offers_each_thing(simulator: Simulator) -> None:
    """The page offers every answer, fault and action that the simulator has, and each has its code."""
    page, code = simulator.http.get("/").text, simulator.http.get("/_page/beside.js").text
    deeds = simulator.http.get("/_page/sandbox.js").text
    assert {"provider", "contact", "channel", "mishap", "timeline"} <= set(re.findall(r'id="([a-z]+)"', page))
    offered = re.search(r'id="mishap">(.*?)</select>', page, re.DOTALL)
    assert offered
    answers = {f"answer-{form}" for form in simulator.ask("answers")["answers"]}
    scripted = answers | {"agent-slow", "agent-429", "agent-500", "agent-cut", "agent-422", "ghl-429", "ghl-500", "ghl-cut"}
    others = {"nothing", "dnd", "ghl-401", "webhook-twice", "webhook-never"}
    assert set(re.findall(r'value="([^"]+)"', offered[1])) == scripted | others
    assert set(re.findall(r'^  "([a-z0-9_-]+)": ', code, re.MULTILINE)) == scripted
    assert all(f'"{name}"' in code + deeds for name in others - {"nothing"})
    wanted = {"human", "burst", "stop", "failure", "worker", "web", "redis", "picture", "voice"}
    assert set(re.findall(r'data-deed="([a-z]+)"', page)) == wanted
    table = re.search(r"const DEEDS = \{(.*?)\n\};", deeds, re.DOTALL)
    assert table
    assert set(re.findall(r"(\w+): \(\) =>", table[1])) == wanted
