"""A service asks for a person: which signs count, and which part of the answer is for the contact."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bridge.completion.handover import MOST_NOTE_CHARACTERS
from bridge.completion.providers import SERVICES, Providers
from bridge.completion.reading import completion_of
from bridge.locations import HandoverSettings
from bridge.model import Completion, Reason
from bridge.settings import from_environment
from bridge.wire.calls import Wire
from tests.completion.asked import PROVIDERS, QUESTION, Provider
from tests.other_side import OtherSide, answering, http

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNS = {"marker": "[[HANDOVER]]", "tool": "handover"}
BY_PATH = {one.path: one for one in PROVIDERS}
EVERY = pytest.mark.parametrize("path", BY_PATH)
OPENAI, WEBHOOK = BY_PATH["/v1/chat/completions"], BY_PATH["/webhook/abc/chat"]


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


def read(provider: Provider, document: Any, signs: dict[str, Any] | None = SIGNS) -> Completion:
    service = SERVICES[provider.name](provider.location("https://ai.example"), from_environment({}))
    body = json.dumps(document).encode()
    return completion_of(service, {}, body, question=QUESTION, handover=HandoverSettings(**signs) if signs is not None else None)


def told(said: Completion) -> tuple[str, bool, Reason | None]:
    return said.text, said.handover, said.why_silent


# What is said, and what of it counts: the text that is left, and whether a person is asked for.
MARKED: dict[str, tuple[str, str, bool]] = {
    "the last line": ("A colleague will write.\n[[HANDOVER]]", "A colleague will write.", True),
    "behind an empty line": ("A colleague will write.\n\n  [[HANDOVER]] \n\n", "A colleague will write.", True),
    "alone": ("[[HANDOVER]]", "", True),
    "behind thoughts": ("<think>\nA person?\n</think>\nOne moment.\n[[HANDOVER]]", "One moment.", True),
    "of several lines": ("One.\nTwo.\n[[HANDOVER]]", "One.\nTwo.", True),
    "in a sentence": ("I would write [[HANDOVER]]", "I would write [[HANDOVER]]", False),
    "not the last line": ("[[HANDOVER]]\nHow can I help?", "[[HANDOVER]]\nHow can I help?", False),
    "in thoughts": ("<think>\nA person?\n[[HANDOVER]]\n</think>\nHow can I help?", "How can I help?", False),
    "in another case": ("Hello\n[[handover]]", "Hello\n[[handover]]", False),
    "with more on its line": ("Hello\n[[HANDOVER]] now", "Hello\n[[HANDOVER]] now", False),
    "in bold": ("Hello\n**[[HANDOVER]]**", "Hello\n**[[HANDOVER]]**", False),
}


@EVERY
@pytest.mark.parametrize("case", MARKED)
def test_a_marker_counts_as_the_whole_last_line_and_is_cut_off(path: str, case: str) -> None:
    """This holds for every service; anywhere else the marker is text, or part of what is removed anyway."""
    said, left, asked = MARKED[case]
    found = told(read(BY_PATH[path], BY_PATH[path].answer(said)))
    assert found == (left, asked, Reason.HANDOVER if not left else None)


@EVERY
def test_a_marker_is_text_where_none_is_set(path: str) -> None:
    """Without a marker, or without a table for handovers, nothing is removed."""
    for signs in (None, {"marker": ""}, {"marker": "[[OTHER]]"}):
        said = read(BY_PATH[path], BY_PATH[path].answer("Hello\n[[HANDOVER]]"), signs)
        assert told(said) == ("Hello\n[[HANDOVER]]", False, None)


def test_a_marker_in_thoughts_that_never_close_is_no_handover() -> None:
    """Such an answer is cut at the thought, as without a marker."""
    with pytest.raises(Exception, match="cut off by max_tokens"):
        read(OPENAI, OPENAI.answer("<think>\nA person?\n[[HANDOVER]]"))


def openai(content: str | None, *names: str, arguments: str = "{}") -> dict[str, Any]:
    calls = [{"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}} for name in names]
    message = {"role": "assistant", "content": content, "tool_calls": calls}
    return {"choices": [{"message": message, "finish_reason": "tool_calls"}]}


def run(*names: str, **more: Any) -> dict[str, Any]:
    calls = [{"name": name, "arguments": {}} for name in names]
    return {"run": {"output": "", "response": {"messages": [], "toolCalls": calls}, **more}}


def chat(content: str, *names: str) -> dict[str, Any]:
    return {"chatId": "c", "message": {"content": content, "functions": [{"name": name} for name in names]}}


TOOLS: dict[str, tuple[str, dict[str, Any], str]] = {
    "openai": ("/v1/chat/completions", openai(None, "handover"), ""),
    "openai, with a text": ("/v1/chat/completions", openai("A colleague will write.", "handover"), "A colleague will write."),
    "openai, among others": ("/v1/chat/completions", openai(None, "book", "handover"), ""),
    "assistable": ("/v2/ghl-chat-completion", run("book", "handover"), ""),
    "assistable, with a text": ("/v2/ghl-chat-completion", run("handover", output="Of course."), "Of course."),
    "agencii": ("/get_completion", chat("Of course.", "handover"), "Of course."),
    "agencii, without a text": ("/get_completion", chat("", "handover"), ""),
}


@pytest.mark.parametrize("case", TOOLS)
def test_a_tool_of_the_configured_name_asks_for_a_person(case: str) -> None:
    """The service's text is for the contact; a tool of another name causes no handover."""
    path, document, text = TOOLS[case]
    assert told(read(BY_PATH[path], document)) == (text, True, None if text else Reason.HANDOVER)
    for signs in (None, {"tool": "another"}, {"tool": ""}):
        assert not read(BY_PATH[path], document, signs).handover


NOTES = {
    '{"note": "wants a refund"}': "wants a refund",
    '{"note": "' + "x" * 2000 + '"}': "x" * MOST_NOTE_CHARACTERS,
    '{"note": 7}': "",
    "{}": "",
    '["note"]': "",
    "wants a refund": "",
    "": "",
}


@pytest.mark.parametrize("arguments", NOTES)
def test_a_models_call_may_bring_a_note(arguments: str) -> None:
    """It is the argument `note`, limited in length; unreadable arguments mean no note, and the handover happens anyway."""
    said = read(OPENAI, openai(None, "handover", arguments=arguments))
    assert (said.handover, said.note) == (True, NOTES[arguments])


@pytest.mark.parametrize("signs", [None, SIGNS])
def test_a_webhook_asks_outright(signs: dict[str, Any] | None) -> None:
    """`handover: true` counts in every location, with or without a note and a reply; other values there don't."""
    said = read(WEBHOOK, {"handover": True, "note": "wants a refund"}, signs)
    assert (told(said), said.note) == (("", True, Reason.HANDOVER), "wants a refund")
    assert told(read(WEBHOOK, {"handover": "true", "output": "Of course."}, signs)) == ("Of course.", True, None)
    assert told(read(WEBHOOK, {"handover": False, "output": "Hello"}, signs)) == ("Hello", False, None)
    assert told(read(WEBHOOK, [{"output": "Of"}, {"output": "course.", "handover": True}], signs)) == ("Of\ncourse.", True, None)
    assert told(read(WEBHOOK, [{"output": ""}, {"handover": True}], signs)) == ("", True, Reason.HANDOVER)


def test_a_model_is_offered_the_tool_only_where_it_may_hand_over(wire: Wire) -> None:
    """Without the table, or with an empty `tool`, a question has no tools."""
    offered = []
    with OtherSide(answering(*(http(200, OPENAI.answer("hello")) for _ in range(3)))) as server:
        for settings in ({}, {"handover": {"tool": ""}}, {"handover": {"tool": "ask_a_person"}}):
            location = OPENAI.location(server.url, **settings)
            Providers(wire, from_environment({}))(location, "openai", may_deliver=False).complete(QUESTION, seconds=5)
        offered = [request.document.get("tools") for request in server.requests]
    assert offered[:2] == [None, None]
    (tool,) = offered[2]
    assert (tool["type"], tool["function"]["name"]) == ("function", "ask_a_person")
    assert list(tool["function"]["parameters"]["properties"]) == ["note"]


def test_a_provider_that_posts_by_itself_is_known_by_what_it_wrote() -> None:
    """The text with its marker is searched in the conversation."""
    said = read(BY_PATH["/v2/ghl-chat-completion"], {"run": {"output": "Of course.\n[[HANDOVER]]"}})
    assert (said.text, said.delivered_as) == ("Of course.", "Of course.\n[[HANDOVER]]")
