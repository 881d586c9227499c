"""JSON endpoints of one's own: where the reply stands, and how the login is sent."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bridge.completion.faults import Unreadable
from bridge.completion.webhook import Webhook
from bridge.errors import OperatorMustFix, Permanent
from tests.completion.asked import QUESTION

WEBHOOK = Webhook(url="https://host/webhook", token="key", header="Authorization", reply_path="output")


def read(document: object, reply_path: str = "output") -> str:
    webhook = replace(WEBHOOK, reply_path=reply_path)
    return webhook.decipher({"Content-Type": "application/json"}, json.dumps(document).encode(), question=QUESTION).text


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"output": "hello", "text": "other"}, "output"),
        ([{"output": "hello"}, {"output": "other"}], "output"),
        ({"answer": "hello"}, "output"),
        ({"text": "hello"}, "output"),
        ({"response": "hello", "message": "other"}, "output"),
        ({"message": "hello"}, "output"),
        ({"data": {"reply": "hello"}, "output": "other"}, "data.reply"),
        ({"choices": [{"text": "hello"}]}, "choices.0.text"),
    ],
)
def test_the_reply_stands_where_the_path_says(document: object, path: str) -> None:
    """A path may lead into objects and lists; only without a path of one's own are the usual places looked at."""
    assert read(document, path) == "hello"


def test_plain_text_is_the_reply() -> None:
    """So n8n's "Respond to Webhook" may answer."""
    assert WEBHOOK.decipher({"Content-Type": "text/plain"}, b"hello", question=QUESTION).text == "hello"


@pytest.mark.parametrize(
    "document", [{"output": None}, {"output": ""}, {"output": {"x": 1}}, {"output": None, "text": "no"}, {}, []]
)
def test_nothing_where_the_reply_should_be_is_silence(document: object) -> None:
    """The first place that is there counts, and an empty answer is a decision."""
    assert read(document) == ""


@pytest.mark.parametrize(
    ("document", "path"), [({"result": "hello"}, "output"), ({"output": "hello"}, "data.reply"), ({"a": []}, "a.0")]
)
def test_an_answer_without_that_place_is_the_operators_to_mend(document: object, path: str) -> None:
    """It is said which path to set, and what form came."""
    with pytest.raises(OperatorMustFix, match="set webhook"):
        read(document, path)


def test_a_workflow_that_answers_before_it_has_run_is_the_operators_to_mend() -> None:
    """n8n's own words about it never reach a contact."""
    with pytest.raises(OperatorMustFix, match="when the last node finishes"):
        read({"message": "Workflow was started"})


@pytest.mark.parametrize("document", [{"error": "secret", "output": "x"}, {"ok": False, "output": "x"}, {"success": False}])
def test_an_answer_that_says_it_failed_is_believed(document: object) -> None:
    """Whatever else stands in it."""
    with pytest.raises(Permanent):
        read(document)


@pytest.mark.parametrize("document", ["x", 5, None, ["x"]])
def test_what_is_no_object_is_unreadable(document: object) -> None:
    """Nor a list of objects."""
    with pytest.raises(Unreadable):
        read(document)


def test_the_login_goes_into_the_header_of_its_name() -> None:
    """As a bearer in Authorization, bare in any other, and nowhere without a token."""
    assert WEBHOOK.headers["Authorization"] == "Bearer key"
    assert replace(WEBHOOK, header="X-Api-Key").headers["X-Api-Key"] == "key"
    assert set(replace(WEBHOOK, header="X-Api-Key", token="").headers) == {"Accept"}
    assert set(replace(WEBHOOK, token="").headers) == {"Accept"}
