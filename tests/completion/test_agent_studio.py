"""GHL's Agent Studio: fields that only it gets, and its session."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bridge.completion.agent_studio import AgentStudio, of
from bridge.completion.faults import Unreadable
from bridge.completion.reading import completion_of
from bridge.errors import OperatorMustFix
from bridge.locations import PROVIDERS
from bridge.locations_file import NEEDED, missing, read
from bridge.settings import from_environment
from tests.completion.asked import QUESTION

STUDIO = AgentStudio(base_url="https://host", token="key", agent_id="a1")
# As documented (apps/v3/agent-studio-v3.json, 2026-06-19).
ANSWER = {
    "success": True,
    "executionId": "a1b2c3d4e5f6g7h8i9j0k1l2",
    "interactionId": "m9n8o7p6q5r4s3t2u1v0w9x8",
    "response": "I can help you with various tasks...",
    "type": "text",
    "nextExpectedInput": "text",
    "goalCompletion": False,
    "executionStatus": "completed",
    "flowSwitch": False,
    "attachments": [],
    "generativeOutputs": [],
}
TOML = '[locations.here]\nprovider = "agent_studio"\n'


def said(document: object, *, session: str = "") -> tuple[str, str]:
    """The text and the stored session of an answer."""
    read = completion_of(STUDIO, {}, json.dumps(document).encode(), question=replace(QUESTION, session_id=session))
    return read.text, read.session_id


def test_the_documented_answer_is_read() -> None:
    """`response` is the reply, and the execution is the session."""
    assert said(ANSWER) == (ANSWER["response"], "a1:a1b2c3d4e5f6g7h8i9j0k1l2")


def test_the_session_goes_along_from_the_second_question_on() -> None:
    """The first question names none, as documented; another agent's session is not used."""
    asked = [STUDIO.build(replace(QUESTION, session_id=session)).get("executionId") for session in ("", "a1:e1", "a2:e1")]
    assert asked == [None, "e1", None]


def test_a_session_that_ghl_lost_is_warned_of() -> None:
    """If question and answer have different executions, the agent has lost the conversation."""
    document = json.dumps(ANSWER).encode()
    lost = completion_of(STUDIO, {}, document, question=replace(QUESTION, session_id="a1:another"))
    assert lost.evidence["warnings"] == ["session_lost"]
    assert "warnings" not in completion_of(STUDIO, {}, document, question=QUESTION).evidence


def test_version_and_variables_go_along_if_they_are_set() -> None:
    """Without them the newest published version is called, at the location's own GHL address."""
    toml = TOML + 'ghl_token = "pit"\n[locations.here.agent_studio]\nagent_id = "a/1"\n'
    plain, full = (
        of(read(text, {})[0], from_environment({}))
        for text in (toml, toml + 'version_id = "v1"\ninput_variables = { tone = "kind" }\ntoken = "own"\n')
    )
    assert plain.url == "https://services.leadconnectorhq.com/agent-studio/agent/a%2F1/execute"
    assert (plain.headers["Authorization"], full.headers["Authorization"]) == ("Bearer pit", "Bearer own")
    assert plain.headers["Version"] == "v3"
    assert not {"versionId", "inputVariables", "executionId"} & set(plain.build(QUESTION))
    more = full.build(QUESTION)
    assert (more["versionId"], more["inputVariables"]) == ("v1", {"tone": "kind"})


@pytest.mark.parametrize(
    ("document", "kind"),
    [({}, Unreadable), ({"success": True}, Unreadable), ({"success": False, "message": "Agent is not active"}, Exception)],
)
def test_an_answer_without_a_response_is_a_fault(document: object, kind: type[Exception]) -> None:
    """An answer without content can't be read, and one that reports an error is an error."""
    with pytest.raises(kind):
        said(document)


def test_without_any_token_it_cant_be_asked() -> None:
    """It uses the token of its table or of the location; an install's token does not work."""
    location = read(TOML + '[locations.here.agent_studio]\nagent_id = "a1"\n', {})[0]
    with pytest.raises(OperatorMustFix, match=r"agent_studio\.token"):
        of(location, from_environment({}))


def test_every_provider_says_what_it_needs() -> None:
    """A file without it is refused with the line to add, for every provider."""
    assert set(NEEDED) == PROVIDERS
    ((key, cure),) = missing(read(TOML, {})[0])
    assert (key, "agent_id" in cure) == ("agent_studio.agent_id", True)
