from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.simulator.conftest import Receiver, Simulator

ROOT = Path(__file__).parent.parent.parent


def test_burst(simulator: Simulator, receiver: Receiver) -> None:
    """A burst lets a number of contacts write a number of messages each, and returns the answers to their webhooks."""
    simulator.order("defaults", echo="off")
    told = simulator.order("burst", contacts=50, messages_each=4, text="{n} of {c}")
    assert (told["sent"], told["by_status"]) == (200, {"202": 200})
    payloads = [hook.payload for hook in receiver.wait_for(200)]
    written = {(payload["contactId"], payload["body"]) for payload in payloads}
    wanted = {(contact, f"{n} of {c}") for c, contact in enumerate(told["contact_ids"], 1) for n in range(1, 5)}
    assert written == wanted
    assert len({payload["messageId"] for payload in payloads}) == 200


def test_burst_order(simulator: Simulator) -> None:
    """In a burst, each contact's messages are in the order of their numbers."""
    told = simulator.order("burst", contacts=20, messages_each=5, text="{n}")
    for contact in told["contact_ids"]:
        assert simulator.texts(contact) == [("inbound", f"{number}") for number in range(1, 6)]


def test_burst_rate(simulator: Simulator, receiver: Receiver) -> None:
    """A burst can have a rate."""
    told = simulator.order("burst", contacts=10, messages_each=2, rate=40)
    assert len(receiver.wait_for(20)) == 20
    assert 0.4 < told["seconds"] < 10


def test_thousands(simulator: Simulator) -> None:
    """Thousands of conversations don't slow a request: the fastest of many takes no longer than with one conversation."""
    said = simulator.order("say", text="Hello")

    def fastest(total: int) -> float:
        spent = []
        for _ in range(50):
            began = time.monotonic()
            assert simulator.send(said["contact_id"], message="Hi").status_code == 201
            path = f"/conversations/search?locationId={said['location_id']}&sortBy=last_message_date&limit=5"
            assert simulator.ghl("GET", path).json()["total"] == total
            spent.append(time.monotonic() - began)
        return min(spent)

    alone = fastest(1)
    simulator.order("burst", contacts=3000, messages_each=2)
    # A look through all of them would take some thirty times as long.
    assert fastest(3001) < 5 * alone


def test_unknown_location(simulator: Simulator) -> None:
    """An unknown location is created when a contact writes to it, with the usual token."""
    said = simulator.order("say", location_id="Elsewhere", text="Hello")
    assert said["location_id"] == "Elsewhere"
    assert simulator.ghl("GET", f"/contacts/{said['contact_id']}").status_code == 200


def test_foreign_contact(simulator: Simulator) -> None:
    """A contact belongs to one location."""
    simulator.order("say", contact_id="ann", text="Hello")
    answer = simulator.http.post("/_sim/say", json={"contact_id": "ann", "location_id": "Elsewhere", "text": "Hello"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("say", {}),
        ("say", {"text": "Hello", "chanel": "SMS"}),
        ("say", {"text": "Hello", "channel": "Pigeon"}),
        ("say", {"text": "Hello", "date_added": "yesterday"}),
        ("contacts", {"contact_id": ""}),
        ("merge", {"contact_id": "nobody", "into": "ann"}),
        ("defaults", {"echo": "maybe"}),
        ("defaults", {"completion_seconds": -1}),
        ("webhook", {"payload": {}}),
        ("burst", {"contacts": 0, "messages_each": 1}),
    ],
)
def test_mistakes(simulator: Simulator, name: str, order: dict[str, Any]) -> None:
    """A wrong order is refused with its error."""
    answer = simulator.http.post(f"/_sim/{name}", json=order)
    assert (answer.status_code, bool(answer.json()["errors"])) == (422, True)


def test_no_json(simulator: Simulator) -> None:
    """An order that is not JSON is refused."""
    assert simulator.http.post("/_sim/say", content=b"{").status_code == 422


def test_requests(simulator: Simulator) -> None:
    """Requests are stored with body and headers, without the token except for its fingerprint."""
    said = simulator.order("say", text="Hello")
    simulator.send(said["contact_id"], message="Hi")
    simulator.ghl("GET", f"/contacts/{said['contact_id']}")
    (kept,) = simulator.ask("requests", endpoint="post")["requests"]
    fingerprint = hashlib.sha256(b"pit-simulated").hexdigest()[:12]
    assert kept["headers"]["authorization"] == f"Bearer sha256:{fingerprint}"
    assert kept["body"] == {"type": "SMS", "contactId": said["contact_id"], "message": "Hi"}
    assert (kept["method"], kept["path"], kept["status"]) == ("POST", "/conversations/messages", 201)
    assert "pit-simulated" not in json.dumps(simulator.ask("requests"))


def test_requests_are_bounded(simulator: Simulator) -> None:
    """The last requests can be read alone."""
    said = simulator.order("say", text="Hello")
    for number in range(3):
        simulator.send(said["contact_id"], message=f"{number}")
    kept = simulator.ask("requests", contact_id=said["contact_id"], limit=2)["requests"]
    assert [each["body"]["message"] for each in kept] == ["1", "2"]


def test_state(simulator: Simulator) -> None:
    """The state has locations and conversations."""
    said = simulator.order("say", text="Hello")
    simulator.send(said["contact_id"], message="Hi")
    state = simulator.ask("state")
    assert state["locations"] == [{"id": "SimulatedLocation001", "conversations": 1}]
    (conversation,) = state["conversations"]
    told = {key: conversation[key] for key in ("id", "messages", "inbound", "last_text", "last_direction")}
    expected = {"messages": 2, "inbound": 1, "last_text": "Hi", "last_direction": "outbound"}
    assert told == {"id": said["conversation_id"], **expected}


def test_unknown_conversation(simulator: Simulator) -> None:
    """A conversation that doesn't exist is a 404 of the control API."""
    assert simulator.http.get("/_sim/conversations/abc").status_code == 404


def test_reset(simulator: Simulator) -> None:
    """A reset deletes everything but the keys."""
    key = simulator.ask("keys")
    said = simulator.order("say", text="Hello")
    simulator.order("defaults", rate_limit=1)
    simulator.fault("post", {"kind": "cut"})
    simulator.order("reset")
    assert simulator.ask("state")["conversations"] == []
    assert simulator.ask("faults")["faults"] == []
    assert simulator.ask("state")["defaults"]["rate_limit"] == 0
    assert simulator.ask("keys") == key
    assert simulator.send(said["contact_id"], message="Hi").status_code == 400


def test_ids(simulator: Simulator) -> None:
    """Ids look like GHL's."""
    said = simulator.order("say", text="Hello")
    for name in ("message_id", "conversation_id", "contact_id"):
        assert re.fullmatch(r"[A-Za-z0-9]{20}", said[name])


def test_events(simulator: Simulator) -> None:
    """Listeners get all events in order."""
    with (
        httpx.Client(base_url=simulator.url, trust_env=False) as http,
        http.stream("GET", "/_sim/events") as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines) == ": welcome"
        said = simulator.order("say", text="Hello")
        simulator.complete(said)
        simulator.send(said["contact_id"], message="Hi")
        told: list[str] = []
        while len(told) < 6:
            line = next(lines)
            if line.startswith("event: "):
                told.append(line.removeprefix("event: "))
    assert told == ["message", "completion", "request", "completion", "message", "request"]


def test_page(simulator: Simulator) -> None:
    """The page and its files are served, without inline scripts and styles."""
    page = simulator.http.get("/")
    assert "<title>ghl-bridge sandbox</title>" in page.text
    assert "No message leaves this machine" in page.text
    files = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert len(files) == 4
    assert all(simulator.http.get(file).status_code == 200 for file in files)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*src=)", page.text)
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]


def test_other_pages(simulator: Simulator) -> None:
    """An order of another site's page is refused; one of the simulator's own page is accepted."""
    order = {"text": "Hello"}
    stranger = simulator.http.post("/_sim/say", json=order, headers={"Origin": "https://evil.example"})
    own = simulator.http.post("/_sim/say", json=order, headers={"Origin": simulator.url})
    assert (stranger.status_code, own.status_code) == (403, 200)


def test_stops_with_an_open_page(tmp_path: Path) -> None:
    """A simulator with an open page stops at once, and prints only its address."""
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "bridge.simulator", "--state-dir", str(tmp_path), "--port-file", str(port_file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        while not port_file.exists():
            time.sleep(0.02)
        with httpx.stream("GET", f"http://127.0.0.1:{port_file.read_text().strip()}/_sim/events", trust_env=False) as stream:
            lines = stream.iter_lines()
            next(lines)
            began = time.monotonic()
            running.terminate()
            printed, _ = running.communicate(timeout=10)
    said = [line.split()[0].partition("=")[0] for line in printed.splitlines()]
    assert (said, time.monotonic() - began < 5) == (["sandbox", "webhooks", "bridge", "GHL_API_URL"], True)


def test_keys_survive(simulator: Simulator, tmp_path: Path) -> None:
    """A simulator that starts again in the same folder signs with the same keys."""
    assert _public_key(tmp_path) == _public_key(tmp_path)
    assert (tmp_path / "webhook_key.pem").stat().st_mode & 0o077 == 0
    assert simulator.ask("keys")["pem"] != _public_key(tmp_path)


def test_stands_alone() -> None:
    """The simulator imports no module of the bridge."""
    names = "{name for name in sys.modules if name.split('.')[0] in ('bridge', 'workers')}"
    code = f"import sys, bridge.simulator.serving; print(*sorted({names}))"
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [name for name in printed.split() if not name.startswith("bridge.simulator")] == ["bridge"]


def _public_key(state_dir: Path) -> str:
    port_file = state_dir / "port"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bridge.simulator", "--state-dir", str(state_dir), "--port-file", str(port_file)]
    with subprocess.Popen(command, cwd=ROOT) as running:
        while not port_file.exists():
            time.sleep(0.02)
        running.terminate()
    return (state_dir / "webhook_public_key.pem").read_text()
