"""Your own JSON endpoints: where the reply is, and how the login is sent."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bridge.completion.faults import Unreadable
from bridge.completion.reading import completion_of
from bridge.completion.webhook import Webhook
from bridge.errors import OperatorMustFix, Permanent
from bridge.model import Attachment, MediaKind
from tests.completion.asked import QUESTION

WEBHOOK = Webhook(url="https://host/webhook", token="key", header="Authorization", reply_path="output")


def read(document: object, reply_path: str = "output") -> str:
    webhook = replace(WEBHOOK, reply_path=reply_path)
    return completion_of(webhook, {"Content-Type": "application/json"}, json.dumps(document).encode(), question=QUESTION).text


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"output": "hello", "text": "other"}, "output"),
        ([{"output": "hello"}, {"output": ""}], "output"),
        ({"answer": "hello"}, "output"),
        ({"text": "hello"}, "output"),
        ({"response": "hello", "message": "other"}, "output"),
        ({"message": "hello"}, "output"),
        ({"data": {"reply": "hello"}, "output": "other"}, "data.reply"),
        ({"choices": [{"text": "hello"}]}, "choices.0.text"),
    ],
)
def test_the_reply_stands_where_the_path_says(document: object, path: str) -> None:
    """A path may lead into objects and lists; the usual places are tried only without a configured path."""
    assert read(document, path) == "hello"


def test_plain_text_is_the_reply() -> None:
    """n8n's "Respond to Webhook" may answer in this way."""
    assert completion_of(WEBHOOK, {"Content-Type": "text/plain"}, b"hello", question=QUESTION).text == "hello"


@pytest.mark.parametrize("document", [{"output": None}, {"output": ""}, {"output": None, "text": "no"}, {}, []])
def test_nothing_where_the_reply_should_be_is_silence(document: object) -> None:
    """The first existing place counts, and an empty answer is a decision."""
    assert read(document) == ""


@pytest.mark.parametrize(
    ("document", "path"), [({"result": "hello"}, "output"), ({"output": "hello"}, "data.reply"), ({"a": []}, "a.0")]
)
def test_an_answer_without_that_place_is_the_operators_to_mend(document: object, path: str) -> None:
    """The error says which path to set, and which format arrived."""
    with pytest.raises(OperatorMustFix, match="set webhook"):
        read(document, path)


def test_a_workflow_that_answers_before_it_has_run_is_the_operators_to_mend() -> None:
    """n8n's own text about it never reaches a contact."""
    with pytest.raises(OperatorMustFix, match="when the last node finishes"):
        read({"message": "Workflow was started"})


@pytest.mark.parametrize("document", [{"error": "secret", "output": "x"}, {"ok": False, "output": "x"}, {"success": False}])
def test_an_answer_that_says_it_failed_is_believed(document: object) -> None:
    """This holds whatever else the answer contains."""
    with pytest.raises(Permanent):
        read(document)


@pytest.mark.parametrize("document", [["x"], [{}, "x"], [5]])
def test_a_list_of_other_things_is_unreadable(document: object) -> None:
    """A list is read item by item, and each must be an object."""
    with pytest.raises(Unreadable):
        read(document)


def test_two_items_are_joined() -> None:
    """n8n's "all entries" become one line each, and the timeline says so."""
    body = json.dumps([{"output": "One."}, {}, {"output": "Two."}]).encode()
    said = completion_of(WEBHOOK, {}, body, question=QUESTION)
    assert (said.text, said.notes) == ("One.\nTwo.", ("joined: 2 items",))


@pytest.mark.parametrize(
    ("document", "path", "cure"),
    [
        ([{"output": {"reply": "secret", "intent": "hours"}}], "output", 'set webhook.reply_path = "output.reply"'),
        ({"output": {"intent": "hours", "say": "secret"}}, "output", 'set webhook.reply_path = "output.intent"'),
        ({"output": ["secret", "secret"]}, "output", 'set webhook.reply_path = "output.0"'),
        ({"message": {"role": "assistant", "content": "secret"}}, "output", 'set webhook.reply_path = "message.content"'),
        ({"output": {"data": [{"text": "secret"}]}}, "output", 'set webhook.reply_path = "output.data.0.text"'),
        ({"output": {"n": 1}}, "output", "no text is in it"),
        ({"output": True}, "output", "a flag stands at reply_path output"),
    ],
)
def test_what_is_no_text_at_the_path_names_the_path_to_set(document: object, path: str, cure: str) -> None:
    """An object or a list at the path is never called no reply."""
    with pytest.raises(OperatorMustFix) as caught:
        read(document, path)
    assert cure in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("value", "said"), [(42, "42"), (9.5, "9.5"), (0, "0"), ("OK", "OK"), ("true", "true")])
def test_what_stands_at_the_path_is_the_reply(value: object, said: str) -> None:
    """A number is text, and so is a word that would be a status elsewhere."""
    assert read({"output": value}) == said
    assert read({"message": value}, "message") == said


def test_a_message_that_is_no_status_is_a_reply() -> None:
    """At `message` only known status sentences of tools are not replies."""
    assert read({"message": "OK, we will see you at nine."}) == "OK, we will see you at nine."
    with pytest.raises(OperatorMustFix, match="only a status sentence of the flow"):
        read({"message": "OK"})


def test_the_message_may_have_another_name() -> None:
    """A self-hosted agent that expects `message` works without code; the other fields stay, and none is replaced."""
    asked = replace(WEBHOOK, input_name="message").build(QUESTION)
    assert asked["message"] == "one\ntwo"
    assert "chatInput" not in asked
    assert asked["sessionId"] == "ghl:loc:conv"
    assert replace(WEBHOOK, input_name="messages").build(QUESTION)["messages"] == "one\ntwo"


def test_the_login_goes_into_the_header_of_its_name() -> None:
    """It is a bearer token in Authorization, bare in any other header, and absent without a token."""
    assert WEBHOOK.headers["Authorization"] == "Bearer key"
    assert replace(WEBHOOK, header="X-Api-Key").headers["X-Api-Key"] == "key"
    assert set(replace(WEBHOOK, header="X-Api-Key", token="").headers) == {"Accept"}
    assert set(replace(WEBHOOK, token="").headers) == {"Accept"}


def test_files_go_along_by_address_and_kind() -> None:
    """They are there only if the question has any; GHL's addresses are unchanged."""
    files = (Attachment("https://files.example.com/1.jpg", MediaKind.IMAGE),)
    assert "attachments" not in WEBHOOK.build(QUESTION)
    assert json.loads(json.dumps(WEBHOOK.build(replace(QUESTION, attachments=files))["attachments"])) == [
        {"url": "https://files.example.com/1.jpg", "kind": "image"}
    ]
