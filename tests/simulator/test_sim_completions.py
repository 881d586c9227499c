from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bridge.simulator.official import Official
from bridge.simulator.overlays import AGENT_STUDIO

if TYPE_CHECKING:
    from tests.simulator.conftest import Simulator

AGENCII = {"message": "Hello", "apiIntegrationId": "integration"}


@pytest.fixture
def said(simulator: Simulator) -> dict[str, Any]:
    return simulator.order("say", text="Hello", contact_id="contact")


def _agencii(simulator: Simulator, *, path: str = "/get_completion", bearer: str = "sk", **body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    kept = {name: value for name, value in (AGENCII | body).items() if value != ""}
    return simulator.http.post(path, json=kept, headers=headers)


def test_assistable(simulator: Simulator, said: dict[str, Any]) -> None:
    """Assistable answers in its documented format, quotes the input, and claims no delivery."""
    run = simulator.complete(said, input="Is it open?").json()["run"]
    assert set(run) == {"output", "input", "response", "message", "knowledge_base"}
    assert run["output"] == 'You said: "Is it open?". How can I help?'
    assert run["input"] == "Is it open?"
    assert run["response"]["messages"] == [{"role": "assistant", "content": run["output"], "refusal": None, "annotations": []}]
    assert (run["message"]["conversationId"], run["message"]["messageId"]) == (said["conversation_id"], said["message_id"])
    assert run["message"]["traceId"]


def test_assistable_that_delivers(simulator: Simulator, said: dict[str, Any]) -> None:
    """Assistable can deliver by itself."""
    simulator.order("defaults", deliver=True)
    run = simulator.complete(said).json()["run"]
    assert simulator.texts(said["conversation_id"])[-1] == ("outbound", run["output"])
    assert run["message"]["messageId"] != said["message_id"]


@pytest.mark.parametrize(
    "changed",
    [
        {"location_id": None},
        {"assistant_id": None},
        {"contact_id": None},
        {"conversation_id": None},
        {"last_message_id": None},
        {"channel": None},
        {"input": None},
        {"input": "  "},
        {"messages": None},
        {"messages": "Hello"},
        {"messages": [{"role": "system", "content": "Hello"}]},
    ],
)
def test_assistable_fields(simulator: Simulator, said: dict[str, Any], changed: dict[str, Any]) -> None:
    """Assistable requires all its fields, an input that isn't blank, and turns as messages."""
    assert simulator.complete(said, **changed).status_code == 400


def test_assistable_history(simulator: Simulator, said: dict[str, Any]) -> None:
    """Assistable accepts earlier turns."""
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert simulator.complete(said, messages=turns).status_code == 200


def test_bearers(simulator: Simulator, said: dict[str, Any]) -> None:
    """Both services require a bearer token; if one is set, no other is valid."""
    assert simulator.http.post("/v2/ghl-chat-completion", json={}).status_code == 401
    refused = _agencii(simulator, bearer="")
    assert (refused.status_code, refused.json()) == (401, {"detail": "Invalid or missing authorization token."})
    simulator.order("defaults", completion_token="assistable")
    assert [simulator.complete(said).status_code, _agencii(simulator).status_code] == [200, 401]


def test_agencii(simulator: Simulator, said: dict[str, Any]) -> None:
    """Agencii answers in its documented format."""
    chat = _agencii(simulator, aliasChatId=f"ghl:{said['location_id']}:{said['conversation_id']}").json()
    wanted = {"chatId", "createdAt", "threadId", "assistantId", "name", "message", "numMessages", "aliasChatId"}
    assert set(chat) == wanted
    assert chat["message"]["content"] == 'You said: "Hello". How can I help?'
    assert chat["message"]["role"] == "assistant"


def test_agencii_counts_the_contact(simulator: Simulator, said: dict[str, Any]) -> None:
    """A chat with GHL's conversation or contact as its name counts for that contact."""
    for name in (said["conversation_id"], said["contact_id"]):
        _agencii(simulator, aliasChatId=f"ghl:{said['location_id']}:{name}")
    _agencii(simulator, aliasChatId="else")
    assert simulator.counts()["completions"]["by_contact"] == {"contact": 2, "else": 1}


@pytest.mark.parametrize("path", ["/get_completion", "/get_completion/", "/get_response"])
def test_agencii_text_only(simulator: Simulator, path: str) -> None:
    """The integration named textOnly answers with only the text, on each of the used paths."""
    answer = _agencii(simulator, path=path, apiIntegrationId="textOnly")
    assert answer.headers["Content-Type"].split(";")[0] == "text/plain"
    assert answer.text == 'You said: "Hello". How can I help?'


@pytest.mark.parametrize("body", [{"message": ""}, {"apiIntegrationId": ""}, {"chatId": 7}, {"aliasChatId": ["x"]}])
def test_agencii_fields(simulator: Simulator, body: dict[str, Any]) -> None:
    """Agencii requires a message and an integration, and ids that are texts."""
    answer = _agencii(simulator, **body)
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])


def test_the_help_pages_form(simulator: Simulator, said: dict[str, Any]) -> None:
    """Assistable's other format answers with `data.response`, and has `sent` if it delivers."""
    asked = {"assistant_id": "a", "location_id": said["location_id"], "contact_id": said["contact_id"], "message": "Hello"}

    def ask() -> dict[str, Any]:
        answer = simulator.http.post("/v2/ghl/chat-completion", json=asked, headers={"Authorization": "Bearer k"}).json()
        assert set(answer["data"]) == {"response", "thread_id", "status"}
        return {**answer["data"], "success": answer["success"]}

    assert (ask()["status"], ask()["success"]) == ("queued", True)
    simulator.order("defaults", deliver=True)
    delivered = ask()
    assert delivered["status"] == "sent"
    assert simulator.texts(said["conversation_id"])[-1] == ("outbound", delivered["response"])


def test_openai(simulator: Simulator, said: dict[str, Any]) -> None:
    """An OpenAI-compatible service answers the last turn, does not deliver, and finds the contact by the text."""
    simulator.order("defaults", deliver=True)
    turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Earlier\nHello"}]
    answer = simulator.http.post("/v1/chat/completions", json={"model": "m", "messages": turns}).json()
    assert answer["choices"][0]["message"]["content"] == 'You said: "Earlier\nHello". How can I help?'
    assert simulator.counts()["completions"]["by_contact"] == {said["contact_id"]: 1}
    refused = simulator.http.post("/v1/chat/completions", json={"messages": turns})
    assert (refused.status_code, list(refused.json())) == (400, ["error"])
    simulator.order("defaults", completion_token="key")
    assert simulator.http.post("/v1/chat/completions", json={"model": "m", "messages": turns}).status_code == 401


def test_webhook(simulator: Simulator, said: dict[str, Any]) -> None:
    """An endpoint in n8n's format answers with `output` on any path, and requires an input."""
    asked = {"chatInput": "Hello", "sessionId": f"ghl:{said['location_id']}:{said['conversation_id']}"}
    assert simulator.http.post("/webhook/abc/chat", json=asked).json() == {"output": 'You said: "Hello". How can I help?'}
    assert simulator.counts()["completions"]["by_contact"] == {said["contact_id"]: 1}
    assert simulator.http.post("/webhook/abc", json={"sessionId": "x"}).status_code == 400


def test_a_fault_may_be_of_one_service(simulator: Simulator, said: dict[str, Any]) -> None:
    """A fault with a service's name leaves the others alone."""
    simulator.order("faults", on="assistable", action={"kind": "status", "status": 503})
    assert [simulator.complete(said).status_code, _agencii(simulator).status_code] == [503, 200]
    simulator.order("faults", on="completion", action={"kind": "status", "status": 500})
    assert [simulator.complete(said).status_code, _agencii(simulator).status_code] == [503, 500]


def test_counts(simulator: Simulator, said: dict[str, Any]) -> None:
    """Completions and posts are counted by contact, posts with their texts in order."""
    other = simulator.order("say", text="Hello", contact_id="other")
    for _ in range(3):
        simulator.complete(said)
    simulator.complete(other)
    for text in ("one", "two", "one"):
        simulator.send("contact", message=text)
    counts = simulator.counts()
    assert counts["completions"]["by_contact"] == {"contact": 3, "other": 1}
    assert counts["completions"]["finished_by_contact"] == {"contact": 3, "other": 1}
    assert counts["posts"] == {"total": 3, "by_contact": {"contact": ["one", "two", "one"]}}
    assert counts["requests"] == {"assistable": {"200": 4}, "post": {"201": 3}}


def _in_parallel(simulator: Simulator, said: dict[str, Any], contacts: list[str]) -> None:
    def one(contact: str) -> None:
        simulator.complete(said, contact_id=contact)

    threads = [threading.Thread(target=one, args=(contact,)) for contact in contacts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_overlapping_completions(simulator: Simulator, said: dict[str, Any]) -> None:
    """Simultaneous completions of one contact are counted, for ever."""
    simulator.order("defaults", completion_seconds=0.4)
    _in_parallel(simulator, said, ["contact", "contact", "contact", "other"])
    completions = simulator.counts()["completions"]
    assert completions["max_in_flight"] == {"contact": 3, "other": 1}
    assert (completions["in_flight"], completions["max_in_flight_overall"]) == ({}, 4)


def test_completions_in_turn(simulator: Simulator, said: dict[str, Any]) -> None:
    """Successive completions of one contact never count as simultaneous."""
    for _ in range(30):
        _in_parallel(simulator, said, ["contact"])
    assert simulator.counts()["completions"]["max_in_flight"] == {"contact": 1}


def test_left_completion(simulator: Simulator, said: dict[str, Any]) -> None:
    """A completion whose client has gone is not in progress, although the service finishes it."""
    simulator.order("defaults", completion_seconds=0.5)
    for _ in range(2):
        with pytest.raises(httpx.ReadTimeout):
            simulator.complete(said, timeout=0.1)
    time.sleep(0.1)
    completions = simulator.counts()["completions"]
    assert (completions["in_flight"], completions["max_in_flight"]) == ({}, {"contact": 1})
    time.sleep(0.5)
    assert simulator.counts()["completions"]["finished_by_contact"] == {"contact": 2}


def test_slow_completions(simulator: Simulator, said: dict[str, Any]) -> None:
    """Completions can be slow."""
    simulator.order("defaults", completion_seconds=0.3)
    began = time.monotonic()
    simulator.complete(said)
    assert time.monotonic() - began > 0.3


def test_agent_studio(simulator: Simulator, said: dict[str, Any]) -> None:
    """Agent Studio answers in its documented format, opens an execution, and continues a named one."""
    official, path = Official(), "/agent-studio/agent/a1/execute"
    body = {"message": "Is it open?", "locationId": said["location_id"], "contactId": said["contact_id"]}
    headers = {"Authorization": "Bearer pit", "Version": "v3"}
    first = simulator.http.post(path, json=body, headers=headers).json()
    second = simulator.http.post(path, json=body | {"executionId": first["executionId"]}, headers=headers).json()
    assert official.faults_of(AGENT_STUDIO, "ExecutePublicAgentDTO", body) == []
    assert official.faults_of(AGENT_STUDIO, "ExecutePublicAgentResponseDTO", first) == []
    assert first["response"] == 'You said: "Is it open?". How can I help?'
    assert second["executionId"] == first["executionId"]
    refused = [
        simulator.http.post(path, json=body).status_code,
        simulator.http.post(path, json=body, headers={"Authorization": "Bearer pit"}).status_code,
        simulator.http.post(path, json={"message": "Hi"}, headers=headers).status_code,
    ]
    assert refused == [401, 401, 400]
