from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.simulator.conftest import Receiver, Simulator


@pytest.fixture
def said(simulator: Simulator) -> dict[str, Any]:
    return simulator.order("say", text="Hello", webhook=False)


def _posted(simulator: Simulator, said: dict[str, Any]) -> list[str]:
    return [text for direction, text in simulator.texts(said["conversation_id"]) if direction == "outbound"]


@pytest.mark.parametrize(("when", "stored"), [("before", []), ("after", ["Hi"])])
def test_cut_post(simulator: Simulator, said: dict[str, Any], when: str, stored: list[str]) -> None:
    """A cut connection brings no answer; before the effect nothing is stored, after it everything is."""
    simulator.fault("post", {"kind": "cut", "when": when}, times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        simulator.send(said["contact_id"], message="Hi")
    assert _posted(simulator, said) == stored
    counts = simulator.counts()
    assert counts["posts"]["by_contact"].get(said["contact_id"], []) == stored
    assert counts["requests"]["post"] == {"cut": 1}


def test_cut_post_echo(simulator: Simulator, receiver: Receiver, said: dict[str, Any]) -> None:
    """A post that was cut after its effect is echoed."""
    simulator.fault("post", {"kind": "cut", "when": "after"}, times=1)
    with pytest.raises(httpx.TransportError):
        simulator.send(said["contact_id"], message="Hi")
    assert receiver.wait_for(1)[0].payload["body"] == "Hi"


@pytest.mark.parametrize(("when", "finished"), [("before", {}), ("after", {"contact": 1})])
def test_cut_completion(simulator: Simulator, when: str, finished: dict[str, int]) -> None:
    """A cut completion was requested, and if it was cut afterwards, finished."""
    said = simulator.order("say", contact_id="contact", text="Hello")
    simulator.fault("completion", {"kind": "cut", "when": when}, times=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        simulator.complete(said)
    completions = simulator.counts()["completions"]
    assert (completions["by_contact"], completions["finished_by_contact"]) == ({"contact": 1}, finished)


def test_connection_lives_on_without_fault(simulator: Simulator, said: dict[str, Any]) -> None:
    """After its number of requests a script ends, and requests succeed."""
    simulator.fault("post", {"kind": "cut"}, times=2)
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            simulator.send(said["contact_id"], message="Hi")
    assert simulator.send(said["contact_id"], message="Hi").status_code == 201


def test_skip(simulator: Simulator, said: dict[str, Any]) -> None:
    """A script can let some requests pass first."""
    simulator.fault("post", {"kind": "status", "status": 500}, times=1, skip=1)
    statuses = [simulator.send(said["contact_id"], message="Hi").status_code for _ in range(3)]
    assert statuses == [201, 500, 201]


def test_contact_and_location(simulator: Simulator, said: dict[str, Any]) -> None:
    """A script affects only the contact and the location that it names."""
    other = simulator.order("say", location_id="Other", text="Hello")["contact_id"]
    simulator.fault("post", {"kind": "status", "status": 500}, contact_id=said["contact_id"])
    simulator.fault("post", {"kind": "status", "status": 503}, location_id="Other")
    assert [simulator.send(who, message="Hi").status_code for who in (said["contact_id"], other)] == [500, 503]


def test_cleared(simulator: Simulator, said: dict[str, Any]) -> None:
    """Scripts can be removed; until then they count their requests."""
    simulator.fault("post", {"kind": "status", "status": 500})
    simulator.send(said["contact_id"], message="Hi")
    assert simulator.ask("faults")["faults"][0]["met"] == 1
    simulator.http.delete("/_sim/faults")
    assert simulator.send(said["contact_id"], message="Hi").status_code == 201


@pytest.mark.parametrize(
    ("on", "path"),
    [
        ("contact", "/contacts/{contact_id}"),
        ("messages", "/conversations/{conversation_id}/messages"),
        ("messages", "/conversations/messages/{message_id}"),
        ("conversation", "/conversations/{conversation_id}"),
        ("search", "/conversations/search?locationId={location_id}"),
        ("search", "/conversations/search?locationId={location_id}&contactId={contact_id}"),
    ],
)
def test_reads(simulator: Simulator, said: dict[str, Any], on: str, path: str) -> None:
    """Reads can fail too."""
    simulator.fault(on, {"kind": "status", "status": 502}, location_id=said["location_id"], times=1)
    statuses = [simulator.ghl("GET", path.format(**said)).status_code for _ in range(2)]
    assert statuses == [502, 200]


def test_status(simulator: Simulator, said: dict[str, Any]) -> None:
    """A status has its body and headers, without effect."""
    action = {"kind": "status", "status": 429, "body": {"message": "slow down"}, "headers": {"Retry-After": "7"}}
    simulator.fault("post", action)
    answer = simulator.send(said["contact_id"], message="Hi")
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (429, {"message": "slow down"}, "7")
    assert _posted(simulator, said) == []


def test_status_after(simulator: Simulator, said: dict[str, Any]) -> None:
    """A 5xx can hide that the message was sent."""
    simulator.fault("post", {"kind": "status", "status": 500, "body": "oops", "when": "after"})
    answer = simulator.send(said["contact_id"], message="Hi")
    assert (answer.status_code, answer.text) == (500, "oops")
    assert _posted(simulator, said) == ["Hi"]


def test_delay(simulator: Simulator, said: dict[str, Any]) -> None:
    """A delay lets the client wait; the effect happens even if it doesn't."""
    simulator.fault("post", {"kind": "delay", "seconds": 0.5}, times=1)
    with pytest.raises(httpx.ReadTimeout):
        simulator.ghl("POST", "/conversations/messages", body=_body(said), timeout=0.2)
    assert _posted(simulator, said) == []
    time.sleep(0.5)
    assert _posted(simulator, said) == ["Hi"]


def test_delay_after(simulator: Simulator, said: dict[str, Any]) -> None:
    """With a delay after the effect, the effect is there before the answer."""
    simulator.fault("post", {"kind": "delay", "seconds": 0.5, "when": "after"}, times=1)
    with pytest.raises(httpx.ReadTimeout):
        simulator.ghl("POST", "/conversations/messages", body=_body(said), timeout=0.2)
    assert _posted(simulator, said) == ["Hi"]


def test_several_actions(simulator: Simulator, said: dict[str, Any]) -> None:
    """A script can do several things to one request."""
    simulator.fault("post", [{"kind": "delay", "seconds": 0.2}, {"kind": "cut", "when": "after"}], times=1)
    began = time.monotonic()
    with pytest.raises(httpx.TransportError):
        simulator.send(said["contact_id"], message="Hi")
    assert time.monotonic() - began > 0.2
    assert _posted(simulator, said) == ["Hi"]


def test_hang(simulator: Simulator, said: dict[str, Any]) -> None:
    """A hanging request is never answered, and has no effect."""
    simulator.fault("post", {"kind": "hang"}, times=1)
    with pytest.raises(httpx.ReadTimeout):
        simulator.ghl("POST", "/conversations/messages", body=_body(said), timeout=0.2)
    assert _posted(simulator, said) == []


@pytest.mark.parametrize("where", ["headers", "body"])
def test_trickle(simulator: Simulator, said: dict[str, Any], where: str) -> None:
    """A trickling answer takes longer than a read timeout, and is complete in the end."""
    simulator.fault("post", {"kind": "trickle", "seconds": 0.8, "where": where}, times=1)
    began = time.monotonic()
    answer = simulator.ghl("POST", "/conversations/messages", body=_body(said), timeout=0.4)
    assert (answer.status_code, time.monotonic() - began > 0.7) == (201, True)
    assert answer.json()["conversationId"] == said["conversation_id"]
    assert _posted(simulator, said) == ["Hi"]


def test_html(simulator: Simulator, said: dict[str, Any]) -> None:
    """HTML with a 200 hides that the request was executed."""
    simulator.fault("post", {"kind": "html"})
    answer = simulator.send(said["contact_id"], message="Hi")
    assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "text/html")
    assert _posted(simulator, said) == ["Hi"]


def test_big(simulator: Simulator, said: dict[str, Any]) -> None:
    """An answer can be of any size."""
    simulator.fault("completion", {"kind": "big", "bytes": 3_000_000})
    assert len(simulator.complete(said).content) > 3_000_000


def test_speech(simulator: Simulator, said: dict[str, Any]) -> None:
    """A completion has the scripted text."""
    simulator.fault("completion", {"kind": "text", "text": "Certainly"}, times=1)
    simulator.fault("completion", {"kind": "empty"}, times=1)
    simulator.fault("completion", {"kind": "ok_false", "error": "No access token for location"}, times=1)
    assert [simulator.complete(said).json()["run"]["output"] for _ in range(2)] == ["Certainly", ""]
    assert simulator.complete(said).json() == {"ok": False, "error": "No access token for location"}


def test_claim(simulator: Simulator, receiver: Receiver, said: dict[str, Any]) -> None:
    """A service that delivers puts its reply into GHL, with an echo, and names it."""
    simulator.fault("completion", {"kind": "claim", "deliver": True}, times=1)
    run = simulator.complete(said).json()["run"]
    row = simulator.ghl("GET", f"/conversations/messages/{run['message']['messageId']}").json()["message"]
    assert (row["body"], row["direction"]) == (run["output"], "outbound")
    assert receiver.wait_for(1)[0].payload["messageId"] == run["message"]["messageId"]
    counts = simulator.counts()
    assert counts["delivered_by_provider"]["by_contact"] == {said["contact_id"]: [run["output"]]}
    assert counts["posts"]["total"] == 0


def test_false_claim(simulator: Simulator, said: dict[str, Any]) -> None:
    """A service can claim a delivery that did not happen."""
    simulator.fault("completion", {"kind": "claim", "deliver": False, "message_id": "ghost"}, times=1)
    assert simulator.complete(said).json()["run"]["message"]["messageId"] == "ghost"
    assert _posted(simulator, said) == []


def test_claim_then_cut(simulator: Simulator, said: dict[str, Any]) -> None:
    """A service can deliver and then lose the connection."""
    simulator.fault("completion", [{"kind": "claim", "deliver": True}, {"kind": "cut", "when": "after"}], times=1)
    with pytest.raises(httpx.TransportError):
        simulator.complete(said)
    assert len(_posted(simulator, said)) == 1


@pytest.mark.parametrize(
    "script",
    [
        {"on": "post", "action": {"kind": "cuts"}},
        {"on": "posts", "action": {"kind": "cut"}},
        {"on": "post", "action": {"kind": "delay"}},
        {"on": "post", "action": {"kind": "cut", "wen": "before"}},
        {"on": "post", "action": []},
    ],
)
def test_misspelt(simulator: Simulator, said: dict[str, Any], script: dict[str, Any]) -> None:
    """A wrong script is refused with its error, and no script of its list is used."""
    good = {"on": "post", "action": {"kind": "cut"}}
    answer = simulator.http.post("/_sim/faults", json=[good, script])
    assert (answer.status_code, bool(answer.json()["errors"])) == (422, True)
    assert simulator.send(said["contact_id"], message="Hi").status_code == 201


def _body(said: dict[str, Any]) -> dict[str, Any]:
    return {"type": "SMS", "contactId": said["contact_id"], "message": "Hi"}
