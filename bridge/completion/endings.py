"""Finish reasons of many services. Pure.

Sources, each as documented in November 2026: OpenAI's chat completions (`stop`, `length`, `tool_calls`, `content_filter`,
`function_call`); OpenRouter (adds `error`); Azure OpenAI (`content_filter`); Mistral (`model_length`, `error`); DeepSeek
(`insufficient_system_resource`); Zhipu (`sensitive`, `network_error`); Anthropic's messages (`end_turn`, `max_tokens`,
`tool_use`, `refusal`, `pause_turn`, `model_context_window_exceeded`); Gemini's `FinishReason` (`MAX_TOKENS`, `SAFETY`,
`RECITATION`, `BLOCKLIST`, `PROHIBITED_CONTENT`, `SPII`, `LANGUAGE`, `MALFORMED_FUNCTION_CALL`); Bedrock's Converse
(`guardrail_intervened`, `content_filtered`); Cohere (`MAX_TOKENS`, `ERROR_TOXIC`, `ERROR`, `TIMEOUT`); vLLM (`abort`); TGI and
Together (`eos`, `eos_token`); Vercel's AI SDK (`content-filter`, `tool-calls`).
"""

from __future__ import annotations

from enum import Enum

from bridge.model import Reason
from bridge.wire.answers import as_text


class TextEnding(Enum):
    """The meaning of a finish reason for the text."""

    WHOLE = "whole"
    CUT = "cut off"
    FILTERED = "filtered"
    REFUSED = "refused"
    TOOLS = "tools are to be called"
    FAILED = "broken off"

    @property
    def silence(self) -> Reason | None:
        """The reason for no reply, even if there is a text; None if the text is a reply."""
        return _SILENCE.get(self)


_SILENCE = {TextEnding.FILTERED: Reason.FILTERED, TextEnding.REFUSED: Reason.REFUSAL, TextEnding.TOOLS: Reason.TOOL_CALL}

_WORDS = {
    TextEnding.CUT: ("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded", "token_limit"),
    TextEnding.FILTERED: (
        "content_filter",
        "content_filtered",
        "guardrail_intervened",
        "safety",
        "sensitive",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "error_toxic",
    ),
    TextEnding.REFUSED: ("refusal",),
    TextEnding.TOOLS: ("tool_calls", "tool_call", "tool_use", "function_call", "malformed_function_call", "pause_turn"),
    TextEnding.FAILED: (
        "error",
        "insufficient_system_resource",
        "network_error",
        "abort",
        "aborted",
        "cancelled",
        "timeout",
        "incomplete",
    ),
}
_BY_WORD = {word: ending for ending, words in _WORDS.items() for word in words}


def ending(word: object) -> TextEnding:
    """The meaning of a service's finish reason. With an unknown word the text counts as complete."""
    return _BY_WORD.get(as_text(word).strip().lower().replace("-", "_").replace(" ", "_"), TextEnding.WHOLE)
