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
LOCATION = {"id": "SimulatedLocation001", "name": "Simulated Dental", "provider": "assistable", "hold_why": None}


class Bridge(BaseHTTPRequestHandler):
    """The two questions of the admin API that the page needs, and a trouble."""

    def do_GET(self) -> None:
        answers: dict[str, tuple[int, Any]] = {
            "/api/v1/explain/ann": (200, {"messages": [{"message_id": "m1", "status": "replied"}], "events": [EVENT]}),
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
        """Say nothing."""


@contextmanager
def beside(url: str, folder: Path, token: str = TOKEN) -> Iterator[httpx.Client]:
    """A simulator that is told of a bridge."""
    command = [sys.executable, "-m", "bridge.simulator", "--state-dir", str(folder), "--port-file", str(folder / "port")]
    with subprocess.Popen([*command, "--bridge-url", url], env={**os.environ, "BRIDGE_ADMIN_TOKEN": token}) as running:
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
    with beside(f"http://127.0.0.1:{server.server_port}", tmp_path_factory.mktemp("connected")) as http:
        yield http
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("id_", "told"),
    [
        ("ann", {"messages": [{"message_id": "m1", "status": "replied"}], "events": [EVENT]}),
        ("bob", {"messages": [], "events": []}),
        ("../locations", {"messages": [], "events": [EVENT]}),
        ("trouble", {"messages": [], "events": [], "error": "The bridge answered 503"}),
    ],
)
def test_timeline(connected: httpx.Client, id_: str, told: dict[str, Any]) -> None:
    """The page gets the bridge's timeline of an id, an empty one of an unknown id, and a sentence in trouble."""
    assert connected.get("/_sim/timeline", params={"id": id_}).json() == {"connected": True} | told


def test_providers(connected: httpx.Client) -> None:
    """The page gets id, name and provider of each location of the bridge, and nothing else of it."""
    shown = [{"id": "SimulatedLocation001", "name": "Simulated Dental", "provider": "assistable"}]
    assert connected.get("/_sim/providers").json() == {"connected": True, "locations": shown}


def test_the_token_stays_here(connected: httpx.Client) -> None:
    """The admin token is in nothing that a browser gets."""
    paths = (
        "/",
        "/_page/sandbox.js",
        "/_page/beside.js",
        "/_sim/state",
        "/_sim/timeline?id=ann",
        "/_sim/providers",
        "/_sim/requests",
    )
    answers = [connected.get(path) for path in paths]
    assert not any(TOKEN in each.text or TOKEN in str(each.headers) for each in answers)


def test_kills(connected: httpx.Client) -> None:
    """A wish that the worker be killed is counted for whoever started the worker, and outlives a reset."""
    before = connected.get("/_sim/kills").json()["kills"]
    assert connected.post("/_sim/kills").json() == {"kills": before + 1}
    connected.post("/_sim/reset")
    assert connected.get("/_sim/kills").json() == {"kills": before + 1}
    assert connected.post("/_sim/kills", headers={"Origin": "https://evil.example"}).status_code == 403


def test_without_a_bridge(simulator: Simulator) -> None:
    """A simulator that is told of no bridge says that there is no timeline, no provider to choose and no worker to kill."""
    assert simulator.ask("timeline", id="ann") == {"connected": False, "messages": [], "events": []}
    assert simulator.ask("providers") == {"connected": False, "locations": []}
    assert simulator.http.post("/_sim/kills").status_code == 409


def test_a_bridge_that_is_gone(tmp_path: Path) -> None:
    """While the bridge can't be reached, the page is told so."""
    with beside("http://127.0.0.1:1", tmp_path) as http:
        assert "can't be reached" in http.get("/_sim/timeline", params={"id": "ann"}).json()["error"]
        assert http.get("/_sim/providers").json()["locations"] == []


def test_the_page_offers_each_thing(simulator: Simulator) -> None:
    """The page offers channel, provider, everything that can go wrong and every deed, and each has its code."""
    page, code = simulator.http.get("/").text, simulator.http.get("/_page/beside.js").text
    deeds = simulator.http.get("/_page/sandbox.js").text
    assert {"provider", "contact", "channel", "mishap", "timeline"} <= set(re.findall(r'id="([a-z]+)"', page))
    offered = re.search(r'id="mishap">(.*?)</select>', page, re.DOTALL)
    assert offered
    wanted = {"agent-slow", "agent-429", "agent-500", "agent-cut", "ghl-429", "ghl-500", "ghl-cut"}
    assert set(re.findall(r'value="([^"]+)"', offered[1])) == wanted | {"nothing", "dnd"}
    assert set(re.findall(r'^  "([a-z0-9-]+)": \[', code, re.MULTILINE)) == wanted
    assert set(re.findall(r'data-deed="([a-z]+)"', page)) == {"human", "burst", "stop", "kill"}
    assert re.search(r"const DEEDS = \{ human: .* burst: .* stop: .* kill \};", deeds)
