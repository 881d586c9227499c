"""Answers that differ from a plain reply, in the form in which each service writes them. A bridge has to read them correctly.

Pure, except for ids. Sources of the forms: `<think>` and `<tool_call>` in the text are what model servers without a reasoning or
tool parser pass on (vLLM's pages "Reasoning Outputs" and "Tool Calling", 2026); `finish_reason` is OpenAI's (API reference, "The
chat completion object"), a choice's own `error` OpenRouter's ("Errors and Debugging"); the sentence about the workflow and a
stream's lines are what n8n 2.40 sends; `ok: false` with HTTP 200 was seen at Assistable's v2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bridge.simulator.services import SERVICES, choice, completion, run
from bridge.simulator.wire import CallAnswer, Refused, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bridge.simulator.services import Mint
    from bridge.simulator.wire import Call

    Write = Callable[[Call, str, Mint], CallAnswer]

THOUGHTS = "The contact wants an answer. I must not mention the discount of 20 percent."
HALF = "Our prices start at 49 dollars and the deposit is"
TOOL_CALL = '<tool_call>\n{"name": "book_appointment", "arguments": {"day": "Friday"}}\n</tool_call>'
REFUSAL = "I'm sorry, but I can't help with that."
STATUS_SENTENCE = "Workflow executed successfully"
HANDOVER_TOOL, HANDOVER_NOTE = "handover", "The contact wants a refund."
_UPSTREAM = {"code": 502, "message": "Upstream error"}


def write(form: str, call: Call, text: str, mint: Mint) -> CallAnswer:
    """Write an answer of a form. Raises Refused where this service has no such answer."""
    writes = WRITTEN[form].get(call.endpoint)
    if writes is None:
        raise Refused(reply(501, {"message": f"The simulator's {call.endpoint} has no answer of the form {form}"}))
    return writes(call, text, mint)


def services() -> dict[str, list[str]]:
    """Each form of answer with the services that write it."""
    return {form: list(writers) for form, writers in WRITTEN.items()}


def _saying(words: Callable[[str], str]) -> dict[str, Write]:
    """The service's usual answer with another text; every service has it."""

    def with_words(name: str) -> Write:
        return lambda call, text, mint: SERVICES[name].answer(call, words(text), call.text("last_message_id"), mint)

    return {name: with_words(name) for name in SERVICES}


def _choice(finish_reason: str, words: Callable[[str], str], **more: Any) -> Write:
    return lambda call, text, mint: completion(call, choice(words(text), finish_reason) | more, mint)


def _same(value: Any, status: int = 200) -> Write:
    return lambda _call, _text, _mint: reply(status, value)


def _refused_run(call: Call, _text: str, mint: Mint) -> CallAnswer:
    return run(call, "", call.text("last_message_id"), mint, refusal=REFUSAL)


def _call_for_a_person(call: Call, _text: str, mint: Mint) -> CallAnswer:
    arguments = orjson.dumps({"note": HANDOVER_NOTE}).decode()
    function = {"id": mint(), "type": "function", "function": {"name": HANDOVER_TOOL, "arguments": arguments}}
    asked = choice("", "tool_calls")
    return completion(call, asked | {"message": asked["message"] | {"tool_calls": [function]}}, mint)


def _run_that_called(call: Call, _text: str, mint: Mint) -> CallAnswer:
    return run(call, "", call.text("last_message_id"), mint, calls=[{"name": HANDOVER_TOOL, "arguments": {}}])


def _events(call: Call, text: str, mint: Mint) -> CallAnswer:
    """Server-sent events that nobody requested, with the content type of JSON, as gateways send them."""
    shared = {"id": f"chatcmpl-{mint()}", "object": "chat.completion.chunk", "model": call.text("model")}
    deltas = [*({"content": piece} for piece in _pieces(text)), {}]
    lines = [
        b"data: " + orjson.dumps({**shared, "choices": [{"index": 0, "delta": each, "finish_reason": None if each else "stop"}]})
        for each in deltas
    ]
    return CallAnswer(200, b"\n\n".join([*lines, b"data: [DONE]", b""]))


def _deltas(_call: Call, text: str, _mint: Mint) -> CallAnswer:
    lines = [b"data: " + orjson.dumps({"delta": piece}) for piece in _pieces(text)]
    return CallAnswer(200, b"\n\n".join([*lines, b"data: [DONE]", b""]), "text/plain")


def _lines(_call: Call, text: str, mint: Mint) -> CallAnswer:
    """A line of JSON for each piece, as n8n's response mode "Streaming" writes them."""
    node = {"metadata": {"nodeId": mint(), "nodeName": "AI Agent", "itemIndex": 0, "runIndex": 0}}
    items = [{"type": "item", "content": piece, **node} for piece in _pieces(text)]
    return CallAnswer(200, b"\n".join(map(orjson.dumps, [{"type": "begin", **node}, *items, {"type": "end", **node}])) + b"\n")


def _pieces(text: str) -> Iterator[str]:
    words = text.split(" ")
    yield words[0]
    yield from (f" {word}" for word in words[1:])


WRITTEN: dict[str, dict[str, Write]] = {
    "thoughts": _saying(lambda text: f"<think>\n{THOUGHTS}\n</think>\n\n{text}"),
    "tool_call": _saying(lambda _text: TOOL_CALL),
    "empty": _saying(lambda _text: "") | {"webhook": lambda _call, _text, _mint: CallAnswer(200, b"")},
    "cut_off": {"openai": _choice("length", lambda text: f"{text} {HALF}")},
    "filtered": {"openai": _choice("content_filter", lambda _text: HALF), "assistable": _refused_run},
    "error": {
        "openai": _choice("error", lambda _text: "Sure, the addr", error=_UPSTREAM),
        "assistable": _same({"ok": False, "error": _UPSTREAM["message"]}),
        "webhook": _same({"message": "Error in workflow"}, 500),
    },
    "handover": {
        "openai": _call_for_a_person,
        "assistable": _run_that_called,
        "webhook": _same({"handover": True, "note": HANDOVER_NOTE}),
    },
    "status_sentence": {"webhook": _same({"message": STATUS_SENTENCE})},
    "stream": {"openai": _events, "agencii": _deltas, "webhook": _lines},
}
