from __future__ import annotations

import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from bridge.simulator.official import Official
from bridge.simulator.overlays import CONTACTS, CONVERSATION_AI, CONVERSATIONS

if TYPE_CHECKING:
    from tests.simulator.conftest import Simulator

LOCATION = "SimulatedLocation001"


@pytest.fixture
def said(simulator: Simulator) -> dict[str, Any]:
    return simulator.order("say", text="Hello")


def _read(simulator: Simulator, path: str, **query: Any) -> dict[str, Any]:
    answer = simulator.ghl("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    read: dict[str, Any] = answer.json()
    return read


def test_receipt(simulator: Simulator, said: dict[str, Any]) -> None:
    """A send is answered 201 with the ids for reading it back."""
    answer = simulator.send(said["contact_id"], message="Hi")
    receipt = answer.json()
    assert answer.status_code == 201
    assert receipt["messageIds"] == [receipt["messageId"]]
    assert receipt["conversationId"] == said["conversation_id"]
    assert len(receipt["messageId"]) == 20
    row = _read(simulator, f"/conversations/messages/{receipt['messageId']}")["message"]
    told = [row[key] for key in ("body", "direction", "type", "messageType", "source")]
    assert told == ["Hi", "outbound", 2, "TYPE_SMS", "api"]
    assert "userId" not in row


def test_nesting(simulator: Simulator, said: dict[str, Any]) -> None:
    """A conversation's messages are nested, newest first."""
    simulator.send(said["contact_id"], message="Hi")
    read = _read(simulator, f"/conversations/{said['conversation_id']}/messages")
    assert list(read) == ["messages"]
    assert set(read["messages"]) == {"lastMessageId", "nextPage", "messages"}
    assert [row["body"] for row in read["messages"]["messages"]] == ["Hi", "Hello"]
    assert (read["messages"]["lastMessageId"], read["messages"]["nextPage"]) == (said["message_id"], False)


def test_pages(simulator: Simulator, said: dict[str, Any]) -> None:
    """Pages of 20 follow each other without gap or overlap."""
    for number in range(44):
        simulator.send(said["contact_id"], message=f"{number}")
    path = f"/conversations/{said['conversation_id']}/messages"
    pages: list[dict[str, Any]] = []
    last: dict[str, str] = {}
    for _ in range(3):
        page = _read(simulator, path, **last)["messages"]
        pages.append(page)
        last = {"lastMessageId": page["lastMessageId"]}
    bodies = [row["body"] for page in pages for row in page["messages"]]
    assert [len(page["messages"]) for page in pages] == [20, 20, 5]
    assert [page["nextPage"] for page in pages] == [True, True, False]
    assert bodies == [f"{number}" for number in range(43, -1, -1)] + ["Hello"]


def test_limit(simulator: Simulator, said: dict[str, Any]) -> None:
    """A limit shortens a page."""
    simulator.send(said["contact_id"], message="Hi")
    page = _read(simulator, f"/conversations/{said['conversation_id']}/messages", limit=1)["messages"]
    assert ([row["body"] for row in page["messages"]], page["nextPage"]) == (["Hi"], True)


def test_types(simulator: Simulator, said: dict[str, Any]) -> None:
    """A list of types excludes others."""
    simulator.send(said["contact_id"], type="WhatsApp", message="Hi")
    simulator.send(said["contact_id"], type="Email", html="Hi")
    path = f"/conversations/{said['conversation_id']}/messages"
    rows = _read(simulator, path, type="TYPE_SMS,TYPE_WHATSAPP")["messages"]["messages"]
    assert [row["messageType"] for row in rows] == ["TYPE_WHATSAPP", "TYPE_SMS"]


def test_email_rows(simulator: Simulator, said: dict[str, Any]) -> None:
    """An e-mail has no body in lists, and has it when it is read alone."""
    receipt = simulator.send(said["contact_id"], type="Email", html="<p>Hi</p>", subject="Re").json()
    row = _read(simulator, f"/conversations/{said['conversation_id']}/messages")["messages"]["messages"][0]
    assert "body" not in row
    assert row["meta"]["email"]["messageIds"] == [receipt["emailMessageId"]]
    assert _read(simulator, f"/conversations/messages/{receipt['messageId']}")["message"]["body"] == "<p>Hi</p>"
    email = _read(simulator, f"/conversations/messages/email/{receipt['emailMessageId']}")
    assert (email["body"], email["subject"]) == ("<p>Hi</p>", "Re")


def test_order_by_date(simulator: Simulator, said: dict[str, Any]) -> None:
    """Messages are in the order of their own time, not of their arrival."""
    simulator.order("say", contact_id=said["contact_id"], text="Earlier", date_added="2026-01-01T00:00:00Z")
    rows = _read(simulator, f"/conversations/{said['conversation_id']}/messages")["messages"]["messages"]
    assert [row["body"] for row in rows] == ["Hello", "Earlier"]


def test_custom_types(simulator: Simulator, said: dict[str, Any]) -> None:
    """A send with a conversation provider is stored as that provider's, except for the answer to a plain SMS."""
    assert simulator.send(said["contact_id"], message="Hi", conversationProviderId="p").status_code == 201
    plain = _read(simulator, f"/conversations/{said['conversation_id']}/messages")["messages"]["messages"][0]
    assert plain["type"] == 2
    simulator.order("say", contact_id=said["contact_id"], channel="Custom", text="Hello")
    for kind, number in (("SMS", 20), ("Custom", 22)):
        receipt = simulator.send(said["contact_id"], type=kind, message="Hi", conversationProviderId="p").json()
        row = _read(simulator, f"/conversations/messages/{receipt['messageId']}")["message"]
        assert (row["type"], row["conversationProviderId"]) == (number, "p")


def test_search(simulator: Simulator) -> None:
    """The search lists conversations, newest message first, and continues at the last row's sort value."""
    dates = range(1_700_000_000_000, 1_700_000_000_005)
    people = [simulator.order("say", text="Hello", date_added=date)["contact_id"] for date in dates]
    simulator.send(people[0], message="Hi")
    query = {"locationId": LOCATION, "sortBy": "last_message_date", "limit": 3}
    first = _read(simulator, "/conversations/search", **query)
    rest = _read(simulator, "/conversations/search", **query, startAfterDate=first["conversations"][-1]["sort"][0])
    found = [row["contactId"] for row in first["conversations"] + rest["conversations"]]
    assert found == [people[0], people[4], people[3], people[2], people[1]]
    assert (first["total"], first["conversations"][0]["lastMessageBody"]) == (5, "Hi")


def test_search_by_contact(simulator: Simulator, said: dict[str, Any]) -> None:
    """The search finds a contact's only conversation."""
    simulator.order("say", text="Someone else")
    read = _read(simulator, "/conversations/search", locationId=LOCATION, contactId=said["contact_id"])
    assert ([row["id"] for row in read["conversations"]], read["total"]) == ([said["conversation_id"]], 1)
    assert _read(simulator, "/conversations/search", locationId=LOCATION, contactId="abc")["conversations"] == []


def test_contact(simulator: Simulator) -> None:
    """A contact has its tags and its DND."""
    setting = {"SMS": {"status": "active"}}
    simulator.order("contacts", contact_id="ann", tags=["vip"], dnd=True, dndSettings=setting, email="ann@example.com")
    card = _read(simulator, "/contacts/ann")["contact"]
    told = {key: card[key] for key in ("id", "locationId", "tags", "dnd", "dndSettings", "email")}
    assert told == {
        "id": "ann",
        "locationId": LOCATION,
        "tags": ["vip"],
        "dnd": True,
        "dndSettings": setting,
        "email": "ann@example.com",
    }


def test_tags(simulator: Simulator, said: dict[str, Any]) -> None:
    """Tags are added once and removed."""
    path = f"/contacts/{said['contact_id']}/tags"
    added = simulator.ghl("POST", path, body={"tags": ["a", "b", "a"]})
    removed = simulator.ghl("DELETE", path, body={"tags": ["a"]})
    assert (added.status_code, added.json()) == (201, {"tags": ["a", "b"]})
    assert (removed.status_code, removed.json()) == (200, {"tags": ["b"]})


def test_skewed_clock(simulator: Simulator) -> None:
    """If GHL's clock is wrong, so are its Date header and its messages."""
    simulator.order("defaults", clock_skew_seconds=-600)
    said = simulator.order("say", text="Hello")
    answer = simulator.ghl("GET", f"/conversations/messages/{said['message_id']}")
    told = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert -605 < told - time.time() < -595
    assert abs(told - _seconds(answer.json()["message"]["dateAdded"])) < 5


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_answers_fit_the_description(simulator: Simulator, said: dict[str, Any]) -> None:
    """Every answer matches the official description with its overlays."""
    official = Official()
    receipt = simulator.send(said["contact_id"], message="Hi").json()
    email = simulator.send(said["contact_id"], type="Email", html="Hi").json()
    conversation = f"/conversations/{said['conversation_id']}"
    answers = [
        (CONVERSATIONS, "SendMessageResponseDto", receipt),
        (CONVERSATIONS, "WrappedMessage", _read(simulator, f"/conversations/messages/{receipt['messageId']}")),
        (CONVERSATIONS, "WrappedMessages", _read(simulator, f"{conversation}/messages")),
        (CONVERSATIONS, "GetConversationByIdResponse", _read(simulator, conversation)),
        (CONVERSATIONS, "SendConversationResponseDto", _read(simulator, "/conversations/search", locationId=LOCATION)),
        (
            CONVERSATIONS,
            "GetEmailMessageResponseDto",
            _read(simulator, f"/conversations/messages/email/{email['emailMessageId']}"),
        ),
        (CONTACTS, "ContactsByIdSuccessfulResponseDto", _read(simulator, f"/contacts/{said['contact_id']}")),
    ]
    answers += _of_bots(simulator, said["contact_id"])
    assert {schema: official.faults_of(file, schema, answer) for file, schema, answer in answers} == {
        schema: [] for _, schema, _ in answers
    }


def _of_bots(simulator: Simulator, contact_id: str) -> list[tuple[str, str, Any]]:
    """GHL's answers about its own bot."""
    simulator.order("bots", location_id=LOCATION, bot="Nora")
    wrote = simulator.order("human", contact_id=contact_id, text="Hi", bot=True)["rest_message_id"]
    told = _read(simulator, "/conversation-ai/generations", messageId=wrote, source="conversation")
    agents = _read(simulator, "/conversation-ai/agents/search", limit=50)
    return [
        (CONVERSATION_AI, "FetchAIResponseDetailsResponseDTO", told),
        (CONVERSATION_AI, "SearchEmployeeResponseDTO", {**agents, "agents": []}),
    ]
