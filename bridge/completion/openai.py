"""Any service that speaks OpenAI's `POST /chat/completions` (https://platform.openai.com/docs/api-reference/chat). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bridge.completion.envelope import Envelope
from bridge.completion.evidence import tokens_of
from bridge.completion.faults import Unreadable
from bridge.completion.handover import NOTE, tool
from bridge.completion.logins import bearer, given, token_if_any
from bridge.completion.text import turns_of
from bridge.model import Reason
from bridge.wire.answers import as_text, json_value, part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.completion import TakesFiles
    from bridge.locations import Location
    from bridge.model import Question
    from bridge.settings import Settings

PATH = "/chat/completions"
# Fields for thoughts: DeepSeek, vLLM and many more; OpenRouter and newer vLLM; Ollama.
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
# OpenAI's newer models refuse `max_tokens`; most compatible servers support only that.
RENAMED_AT = ("api.openai.com", ".openai.azure.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAI:
    """A model at a base URL, without a memory: each question includes the history. `token` may be empty for local servers.

    `handover_tool` is the name of the tool to ask for a person; empty: none is offered.
    """

    base_url: str
    token: str
    model: str
    system_prompt: str
    max_tokens: int
    reasoning_effort: str = ""
    handover_tool: str = ""
    name: str = "OpenAI"
    takes_history: bool = True
    is_flow: bool = False
    takes_files: TakesFiles = "images"

    @property
    def url(self) -> str:
        """The base URL with the path."""
        return self.base_url.rstrip("/").removesuffix(PATH) + PATH

    @property
    def headers(self) -> Mapping[str, str]:
        """The login, if there is one."""
        return bearer(self.token)

    def build(self, question: Question) -> dict[str, Any]:
        """The JSON of the question. The contact's text is only in `user` messages."""
        system = [{"role": "system", "content": self.system_prompt}] if self.system_prompt else []
        host = urlsplit(self.base_url).hostname or ""
        return {
            "model": self.model,
            "messages": [*system, *turns_of(question), {"role": "user", "content": _content(question)}],
            "max_completion_tokens" if host.endswith(RENAMED_AT) else "max_tokens": self.max_tokens,
            "stream": False,
            **({"reasoning_effort": self.reasoning_effort} if self.reasoning_effort else {}),
            **({"tools": [tool(self.handover_tool)]} if self.handover_tool else {}),
        }

    def unwrap(self, document: dict[str, Any], *, question: Question) -> Envelope:
        """Convert the first choice. A gateway that lost its upstream reports this in the choice, next to the incomplete text."""
        del question
        choices = document.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if choice is None and document.get("error"):
            return Envelope(error=document)
        message, error = part(choice, "message"), part(choice, "error") or document.get("error")
        if not isinstance(message, dict):
            if not error:
                raise Unreadable("no message in the answer's first choice")
            message = {}
        calls = _calls(message)
        return Envelope(
            content=message.get("content") or part(message, "audio", "transcript"),
            ended=as_text(part(choice, "finish_reason")),
            silence=Reason.REFUSAL if message.get("refusal") else None,
            tools=tuple(as_text(part(call, "name")) for call in calls),
            note=_note(calls),
            thoughts=any(message.get(name) for name in THOUGHTS),
            broken_off=error,
            limit="openai.max_tokens",
            evidence={"model": document.get("model"), "tokens": tokens_of(document.get("usage")), "run": document.get("id")},
        )


def of(location: Location, settings: Settings) -> OpenAI:
    """The model with this location's settings. Raises OperatorMustFix."""
    del settings
    table = location.openai
    return OpenAI(
        base_url=given(table.base_url, location, "openai.base_url"),
        token=token_if_any(table.token),
        model=given(table.model, location, "openai.model"),
        system_prompt=table.system_prompt,
        max_tokens=table.max_tokens,
        reasoning_effort=table.reasoning_effort,
        handover_tool=location.handover.tool if location.handover else "",
    )


def _content(question: Question) -> str | list[dict[str, Any]]:
    """The text, followed by pictures (https://platform.openai.com/docs/guides/images-vision)."""
    if not question.images:
        return question.input
    words = [{"type": "text", "text": question.input}] if question.input else []
    return [*words, *({"type": "image_url", "image_url": {"url": url}} for url in question.images)]


def _calls(message: dict[str, Any]) -> list[object]:
    """The requested tool calls: `tool_calls`, or the older `function_call`."""
    listed = message.get("tool_calls")
    calls: list[object] = [part(call, "function") for call in listed] if isinstance(listed, list) else []
    return [*calls, message["function_call"]] if message.get("function_call") else calls


def _note(calls: list[object]) -> str:
    """The note in the handover call's arguments, which are JSON in a string."""
    arguments = [json_value(as_text(part(call, "arguments"))) for call in calls]
    return next((as_text(note) for one in arguments if isinstance(note := part(one, NOTE), str)), "")
