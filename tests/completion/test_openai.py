"""OpenAI-compatible services: their addresses, their questions, and answers without a text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bridge.completion.faults import Unreadable
from bridge.completion.openai import OpenAI
from bridge.completion.reading import completion_of
from bridge.model import Completion, Reason
from tests.completion.asked import QUESTION

OPENAI = OpenAI(base_url="https://host/v1", token="key", model="m", system_prompt="", max_tokens=500)


def read(message: object, **choice: Any) -> Completion:
    document = {"choices": [{"message": message, **choice}]}
    return completion_of(OPENAI, {}, json.dumps(document).encode(), question=QUESTION)


@pytest.mark.parametrize("base", ["https://host/v1", "https://host/v1/", "https://host/v1/chat/completions"])
def test_the_path_is_added_once(base: str) -> None:
    """A base URL with a slash, or with the complete path, works too."""
    assert replace(OPENAI, base_url=base).url == "https://host/v1/chat/completions"


def test_a_local_server_needs_no_login() -> None:
    """Without a token no Authorization is sent."""
    assert set(replace(OPENAI, token="").headers) == {"Accept"}


@pytest.mark.parametrize(
    ("base", "limit"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://x.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.openai.com.example/v1", "max_tokens"),
        ("http://127.0.0.1:11434/v1", "max_tokens"),
    ],
)
def test_the_limit_has_the_name_that_the_host_takes(base: str, limit: str) -> None:
    """OpenAI's newer models refuse `max_tokens`, and most others know nothing else."""
    asked = replace(OPENAI, base_url=base).build(QUESTION)
    assert [asked[name] for name in asked if name.startswith("max_")] == [500]
    assert limit in asked


def test_without_a_prompt_there_is_no_system_turn() -> None:
    """The history comes first, oldest first, and then the contact's newest text."""
    assert [turn["role"] for turn in OPENAI.build(QUESTION)["messages"]] == ["user", "assistant", "user"]


@pytest.mark.parametrize(
    ("message", "choice", "why"),
    [
        ({"content": None}, {}, Reason.EMPTY),
        ({"content": None, "refusal": "I can't"}, {}, Reason.REFUSAL),
        ({"content": "I can't", "refusal": "I can't"}, {}, Reason.REFUSAL),
        ({"content": None, "tool_calls": [{"id": "t"}]}, {"finish_reason": "tool_calls"}, Reason.TOOL_CALL),
        ({"content": "Let me look"}, {"finish_reason": "tool_calls"}, Reason.TOOL_CALL),
        ({"content": "Let me look", "tool_calls": [{"id": "t"}]}, {"finish_reason": "stop"}, Reason.TOOL_CALL),
        ({"content": None, "function_call": {"name": "f"}}, {}, Reason.TOOL_CALL),
        ({"content": ""}, {"finish_reason": "content_filter"}, Reason.FILTERED),
        ({"content": "Half an ans"}, {"finish_reason": "content_filter"}, Reason.FILTERED),
        ({"content": [{"type": "refusal", "refusal": "I can't"}]}, {}, Reason.REFUSAL),
        ({"content": "", "reasoning_content": "Hm."}, {"finish_reason": "stop"}, Reason.THOUGHTS_ONLY),
    ],
)
def test_an_answer_without_a_text_is_silence(message: object, choice: dict[str, Any], why: Reason) -> None:
    """`content: null`, refusals, filtered answers and only tool calls are decisions, each with its reason."""
    assert read(message, **choice) == Completion(text="", why_silent=why)


@pytest.mark.parametrize("content", ["hello", [{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}]])
def test_content_may_come_in_parts(content: object) -> None:
    """Parts of text are put together."""
    assert read({"content": content}, finish_reason="stop").text == "hello"


@pytest.mark.parametrize("document", [{}, {"choices": []}, {"choices": ["x"]}, {"choices": [{"text": "old form"}]}])
def test_an_answer_without_a_message_is_unreadable(document: object) -> None:
    """It is a fault of the service, not a decision."""
    with pytest.raises(Unreadable):
        completion_of(OPENAI, {}, json.dumps(document).encode(), question=QUESTION)
