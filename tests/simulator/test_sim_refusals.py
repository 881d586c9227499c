from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx

    from tests.simulator.conftest import Simulator

ERRORS = Path(__file__).parent.parent / "samples" / "errors"
DAY = 24 * 3600


def _assert_is(answer: httpx.Response, sample: str) -> None:
    expected = json.loads((ERRORS / sample).read_text())
    assert (answer.status_code, answer.json()) == (expected["http_status"], expected["body"])


@pytest.fixture
def contact(simulator: Simulator) -> str:
    return str(simulator.order("say", text="Hello")["contact_id"])


def _code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("canonicalCode", "")


@pytest.mark.parametrize("token", ["wrong", "pit-"])
def test_bearer(simulator: Simulator, contact: str, token: str) -> None:
    """A missing or wrong bearer is refused."""
    answer = simulator.ghl("GET", f"/contacts/{contact}", token=token)
    _assert_is(answer, "401_invalid_token.json")


def test_no_bearer(simulator: Simulator, contact: str) -> None:
    """A request without any Authorization header is refused."""
    answer = simulator.ghl("GET", f"/contacts/{contact}", headers={"Authorization": ""})
    _assert_is(answer, "401_invalid_token.json")


def test_no_version(simulator: Simulator, contact: str) -> None:
    """A request without a Version header is refused."""
    answer = simulator.ghl("GET", f"/contacts/{contact}", headers={"Version": ""})
    _assert_is(answer, "401_no_version_header.json")


def test_unknown_version(simulator: Simulator, contact: str) -> None:
    """A version that doesn't exist is refused."""
    assert simulator.ghl("GET", f"/contacts/{contact}", headers={"Version": "2020-01-01"}).status_code == 401


@pytest.mark.parametrize("version", ["2021-04-15", "2021-07-28", "v3"])
def test_versions(simulator: Simulator, contact: str, version: str) -> None:
    """Every existing version is accepted."""
    assert simulator.ghl("GET", f"/contacts/{contact}", headers={"Version": version}).status_code == 200


def test_replaced_token(simulator: Simulator, contact: str) -> None:
    """A replaced token is refused, its successor accepted."""
    simulator.order("locations", id="SimulatedLocation001", token="new")
    assert simulator.send(contact, message="Hi").status_code == 401
    assert simulator.ghl("GET", f"/contacts/{contact}", token="new").status_code == 200


def test_other_location(simulator: Simulator, contact: str) -> None:
    """A token of another location is refused for every request."""
    simulator.order("locations", id="Other", token="other")
    said = simulator.ask(f"conversations/{contact}")
    conversation, message = said["conversation"]["id"], said["messages"][0]["id"]
    body = {"type": "SMS", "contactId": contact, "message": "Hi"}
    answers = [
        simulator.ghl("POST", "/conversations/messages", token="other", body=body),
        simulator.ghl("GET", f"/contacts/{contact}", token="other"),
        simulator.ghl("GET", f"/conversations/{conversation}", token="other"),
        simulator.ghl("GET", f"/conversations/{conversation}/messages", token="other"),
        simulator.ghl("GET", f"/conversations/messages/{message}", token="other"),
        simulator.ghl("GET", "/conversations/search?locationId=SimulatedLocation001", token="other"),
    ]
    for answer in answers:
        _assert_is(answer, "403_location.json")


def test_unknown_contact(simulator: Simulator) -> None:
    """An unknown contact is refused with GHL's code, and a 400."""
    _assert_is(simulator.send("abc", message="Hi"), "400_contact_not_found.json")
    _assert_is(simulator.ghl("GET", "/contacts/abc"), "400_contact_not_found.json")


def test_merged_contact(simulator: Simulator, contact: str) -> None:
    """A merged contact is not found; its conversation names the remaining contact."""
    merged = simulator.order("merge", contact_id=contact, into="survivor")
    assert _code(simulator.send(contact, message="Hi")) == (400, "CONVERSATIONS_CONTACT_NOT_FOUND")
    card = simulator.ghl("GET", f"/conversations/{merged['conversation_id']}").json()
    assert card["contactId"] == "survivor"
    assert simulator.send("survivor", message="Hi").json()["conversationId"] == merged["conversation_id"]


def test_dnd(simulator: Simulator, contact: str) -> None:
    """DND on the contact blocks a channel with GHL's text."""
    simulator.order("contacts", contact_id=contact, dnd=True)
    _assert_is(simulator.send(contact, type="Email", html="<p>Hi</p>"), "400_dnd_email.json")
    answer = simulator.send(contact, message="Hi")
    assert _code(answer) == (400, "CONVERSATIONS_MSG_DND_ACTIVE_SMS")
    assert answer.json()["message"] == json.loads((ERRORS / "400_dnd_sms.json").read_text())["body"]["message"]
    assert _code(simulator.send(contact, type="IG", message="Hi")) == (400, "CONVERSATIONS_MSG_DND_ACTIVE_IG")


@pytest.mark.parametrize(("status", "refused"), [("active", True), ("permanent", True), ("inactive", False)])
def test_dnd_of_a_channel(simulator: Simulator, contact: str, status: str, refused: bool) -> None:
    """DND of one channel blocks only that channel."""
    simulator.order("contacts", contact_id=contact, dndSettings={"WhatsApp": {"status": status}})
    assert (simulator.send(contact, type="WhatsApp", message="Hi").status_code == 400) is refused
    assert simulator.send(contact, message="Hi").status_code == 201


def test_dnd_of_comments(simulator: Simulator, contact: str) -> None:
    """A comment reaches no contact, so DND doesn't block it."""
    simulator.order("contacts", contact_id=contact, dnd=True)
    assert simulator.send(contact, type="InternalComment", message="Hi").status_code == 201


def test_email_without_html(simulator: Simulator, contact: str) -> None:
    """An e-mail with a message but without HTML has no content."""
    _assert_is(simulator.send(contact, type="Email", message="Hi"), "422_no_content_email.json")


@pytest.mark.parametrize("message", ["", "  \n"])
def test_blank(simulator: Simulator, contact: str, message: str) -> None:
    """A blank message has no content; an attachment is content."""
    assert _code(simulator.send(contact, message=message)) == (422, "CONVERSATIONS_MSG_NO_CONTENT")
    assert simulator.send(contact, message=message, attachments=["https://example.com/a.png"]).status_code == 201


def test_long_sms(simulator: Simulator, contact: str) -> None:
    """An SMS has at most 1,600 characters; WhatsApp may be longer."""
    assert simulator.send(contact, message="x" * 1600).status_code == 201
    assert simulator.send(contact, message="x" * 1601).status_code == 400
    assert simulator.send(contact, type="WhatsApp", message="x" * 1601).status_code == 201


def test_custom_without_provider(simulator: Simulator, contact: str) -> None:
    """A custom message needs its conversation provider."""
    answer = simulator.send(contact, type="Custom", message="Hi")
    assert _code(answer) == (400, "CONVERSATIONS_MSG_CONVERSATION_PROVIDER_MISMATCH")
    assert simulator.send(contact, type="Custom", message="Hi", conversationProviderId="p").status_code == 201


def test_gmb(simulator: Simulator, contact: str) -> None:
    """Nothing can be sent to Google Business."""
    answer = simulator.send(contact, type="GMB", message="Hi")
    assert (answer.status_code, type(answer.json()["message"])) == (422, list)


def test_addresses(simulator: Simulator, contact: str) -> None:
    """A contact without phone number or e-mail address can't be written to there."""
    simulator.order("contacts", contact_id=contact, phone="", email="")
    assert _code(simulator.send(contact, message="Hi")) == (400, "CONVERSATIONS_MSG_NO_PHONE")
    assert _code(simulator.send(contact, type="Email", html="Hi")) == (400, "CONVERSATIONS_MSG_NO_EMAIL")


def test_email_to(simulator: Simulator, contact: str) -> None:
    """`emailTo` is an address of the contact, in any case."""
    simulator.order("contacts", contact_id=contact, email="Ann@example.com")
    assert simulator.send(contact, type="Email", html="Hi", emailTo="ann@Example.com").status_code == 201
    answer = simulator.send(contact, type="Email", html="Hi", emailTo="bob@example.com")
    assert _code(answer) == (400, "CONVERSATIONS_MSG_INVALID_EMAILTO")


def test_closed_window(simulator: Simulator, contact: str) -> None:
    """Facebook, Instagram and WhatsApp are closed a day after the contact's last message there."""
    old = (time.time() - DAY - 60) * 1000
    simulator.order("say", contact_id=contact, text="Hello", channel="FB", date_added=old)
    answer = simulator.send(contact, type="FB", message="Hi")
    assert _code(answer) == (400, "CONVERSATIONS_MSG_CHAT_NO_LONGER_ACTIVE")
    assert answer.json()["arguments"] == {"channel": "FB"}
    simulator.order("say", contact_id=contact, text="Hello", channel="FB")
    assert simulator.send(contact, type="FB", message="Hi").status_code == 201


def test_refused_sends_leave_nothing(simulator: Simulator, contact: str) -> None:
    """A refused send is neither stored nor counted as a post."""
    simulator.order("contacts", contact_id=contact, dnd=True)
    simulator.send(contact, message="Hi")
    assert simulator.texts(contact) == [("inbound", "Hello")]
    assert simulator.counts()["posts"]["total"] == 0


def test_unknown_ids(simulator: Simulator) -> None:
    """Unknown messages and conversations are a 400, not a 404."""
    assert _code(simulator.ghl("GET", "/conversations/messages/abc")) == (400, "CONVERSATIONS_MSG_NOT_FOUND")
    assert simulator.ghl("GET", "/conversations/abc").status_code == 400
    assert simulator.ghl("GET", "/conversations/abc/messages").status_code == 400


def test_rate_limit(simulator: Simulator, contact: str) -> None:
    """A location that has used its limit gets 429 until its time is over, and nothing is stored."""
    simulator.order("defaults", rate_limit=3, rate_seconds=0.5)
    answers = [simulator.send(contact, message=f"{number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    time.sleep(0.6)
    assert simulator.send(contact, message="later").status_code == 201
    assert simulator.counts()["posts"]["by_contact"][contact] == ["0", "1", "2", "later"]


def test_rate_limit_by_location(simulator: Simulator, contact: str) -> None:
    """Each location has its own limit."""
    simulator.order("defaults", rate_limit=1)
    other = simulator.order("say", location_id="Other", text="Hello")["contact_id"]
    assert [simulator.send(who, message="Hi").status_code for who in (contact, other, contact)] == [201, 201, 429]


@pytest.mark.parametrize("path", ["/contacts/abc", "/conversations/abc"])
def test_headers(simulator: Simulator, path: str) -> None:
    """Every answer of GHL, refusals included, has one Date and the rate limit."""
    headers = simulator.ghl("GET", path).headers
    wanted = {"max", "remaining", "interval-milliseconds", "limit-daily", "daily-remaining"}
    assert {name.removeprefix("x-ratelimit-") for name in headers if name.startswith("x-ratelimit-")} == wanted
    assert len(headers.get_list("date")) == 1


def _status(simulator: Simulator, body: Any) -> tuple[int, Any]:
    answer = simulator.ghl("POST", "/conversations/messages", body=body)
    return answer.status_code, answer.json()["message"]


def test_unfit_bodies(simulator: Simulator, contact: str) -> None:
    """A body that the official description doesn't allow is refused with all its errors."""
    good = {"type": "SMS", "contactId": contact, "message": "Hi"}
    assert _status(simulator, {**good, "mesage": "Hi"}) == (422, ["property mesage should not exist"])
    assert _status(simulator, {**good, "message": 1}) == (422, ["message must be a string"])
    assert _status(simulator, {**good, "conversationId": "x"}) == (422, ["property conversationId should not exist"])
    assert _status(simulator, {"message": "Hi"})[1] == ["type should not be empty", "contactId should not be empty"]
    assert _status(simulator, {**good, "emailTo": None}) == (422, ["emailTo must be a string"])
    assert _status(simulator, [])[0] == 422


def test_broken_json(simulator: Simulator) -> None:
    """A body that is not JSON is answered 400."""
    headers = {"Authorization": "Bearer pit-simulated", "Version": "2021-04-15"}
    assert simulator.http.post("/conversations/messages", content=b"{", headers=headers).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/conversations/search",
        "/conversations/search?locationId=SimulatedLocation001&limit=many",
        "/conversations/search?locationId=SimulatedLocation001&sortBy=luck",
        "/conversations/search?locationId=SimulatedLocation001&contact=x",
        "/conversations/search?locationId=SimulatedLocation001&startAfterDate=today",
        "/conversations/{conversation}/messages?type=SMS",
        "/conversations/{conversation}/messages?offset=1",
    ],
)
def test_unfit_queries(simulator: Simulator, contact: str, path: str) -> None:
    """A query that the official description doesn't allow is refused."""
    conversation = simulator.ask(f"conversations/{contact}")["conversation"]["id"]
    answer = simulator.ghl("GET", path.format(conversation=conversation))
    assert (answer.status_code, type(answer.json()["message"])) == (422, list)


def test_unfit_tags(simulator: Simulator, contact: str) -> None:
    """Tags are a list of texts."""
    assert simulator.ghl("POST", f"/contacts/{contact}/tags", body={"tags": "vip"}).status_code == 422
