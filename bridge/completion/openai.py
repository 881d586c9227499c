"""Any service that speaks OpenAI's `POST /chat/completions` (https://platform.openai.com/docs/api-reference/chat). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bridge.completion.faults import Unreadable, readable, reported
from bridge.completion.logins import bearer, given, token_if_any
from bridge.completion.words import content_of, spoken, turns_of
from bridge.model import Reason
from bridge.wire.answers import as_text, part, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.locations import Location
    from bridge.model import Completion, Question
    from bridge.settings import Settings

PATH = "/chat/completions"
# OpenAI's own newer models refuse `max_tokens`; most compatible servers know nothing else.
RENAMED_AT = ("api.openai.com", ".openai.azure.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAI:
    """A model behind a base URL. It remembers nothing: the history goes along. `token` may be empty for local servers."""

    base_url: str
    token: str
    model: str
    system_prompt: str
    max_tokens: int
    name: str = "OpenAI"
    takes_history: bool = True

    @property
    def url(self) -> str:
        """The base with its path, once."""
        return self.base_url.rstrip("/").removesuffix(PATH) + PATH

    @property
    def headers(self) -> Mapping[str, str]:
        """The login, if there is one."""
        return bearer(self.token)

    def build(self, question: Question) -> dict[str, Any]:
        """Write the question. What the contact wrote stands in `user` turns and nowhere else."""
        system = [{"role": "system", "content": self.system_prompt}] if self.system_prompt else []
        host = urlsplit(self.base_url).hostname or ""
        return {
            "model": self.model,
            "messages": [*system, *turns_of(question), {"role": "user", "content": question.input}],
            "max_completion_tokens" if host.endswith(RENAMED_AT) else "max_tokens": self.max_tokens,
            "stream": False,
        }

    def decipher(self, headers: Mapping[str, str], body: bytes, *, question: Question) -> Completion:
        """Read the first choice. A refusal, a filtered answer and one that only calls tools are silence.

        Raises as the protocol says.
        """
        del headers, question
        document = readable(body)
        choices = document.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if choice is None and document.get("error"):
            raise reported(self.name, document, body)
        message = part(choice, "message")
        if not isinstance(message, dict):
            raise Unreadable(shape(body))
        refused = bool(message.get("refusal"))
        return spoken("" if refused else content_of(message), why_silent=_why_silent(choice, refused=refused))


def of(location: Location, settings: Settings) -> OpenAI:
    """The model that this location wants. Raises OperatorMustFix."""
    del settings
    table = location.openai
    return OpenAI(
        base_url=given(table.base_url, location, "openai.base_url"),
        token=token_if_any(table.token),
        model=given(table.model, location, "openai.model"),
        system_prompt=table.system_prompt,
        max_tokens=table.max_tokens,
    )


def _why_silent(choice: Any, *, refused: bool) -> Reason:
    if refused:
        return Reason.REFUSAL
    if part(choice, "message", "tool_calls"):
        return Reason.TOOL_CALL
    return Reason.FILTERED if as_text(part(choice, "finish_reason")) == "content_filter" else Reason.EMPTY
