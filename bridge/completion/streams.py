"""Answers that came as an unrequested stream: server-sent events, or one JSON object per line. Pure.

Supported are the streams of OpenAI's chat completions and responses, Anthropic's messages, Gemini, Cohere, Ollama, n8n (`begin`,
`item`, `end`), Dify (`event`, `answer`), Flowise (`event`, `data`), Vercel's AI SDK (`text-delta`), LangServe, and of all who
send `delta`, `text` or `content` as a text; each as its documents of November 2026 say. A stream without an end marker is not an
answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.completion.parts import text_of
from bridge.wire.answers import NO_JSON, as_text, json_value, part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DONE = "[DONE]"
_FIELD = re.compile(r"(?:data|event|id|retry)(?::|\Z)|:")
# The AI SDK's older protocol: `0:"text"`, `d:{...}`.
_NUMBERED = re.compile(r'[0-9a-h]:["{\[]')
_LAST = frozenset(
    [
        "end",
        "finish",
        "done",
        "complete",
        "completed",
        "message_stop",
        "message_end",
        "message-end",
        "workflow_finished",
        "stream_end",
        "stream-end",
        "response.completed",
        "response.incomplete",
    ]
)
_ERRORS = frozenset({"error", "response.failed"})
# Events whose texts repeat the whole answer, or are not part of it.
_OTHER = re.compile(
    r"reasoning|thinking|thought|tool|function|\.done\Z|refusal|metadata|workflow_|node_|usage|citation", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Stream:
    """An assembled stream: one text for each message. `ended` is the service's finish reason; `error` its reported error."""

    texts: tuple[str, ...]
    ended: str = ""
    finished: bool = False
    error: object = None
    tools: tuple[str, ...] = ()


def stream_in(headers: Mapping[str, str], text: str) -> Stream | None:
    """Assemble a stream; None if the body is not a stream."""
    lines = [line for line in text.splitlines() if line.strip()]
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if _is_events(lines, kind):
        return _gather(_events(text))
    if _is_objects(lines, kind):
        return _gather([("", json_value(line)) for line in lines])
    return Stream(()) if len(lines) > 1 and all(_NUMBERED.match(line) for line in lines) else None


def _is_events(lines: list[str], kind: str) -> bool:
    data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    if not data or not all(_FIELD.match(line.lstrip("\ufeff")) for line in lines):
        return False
    return kind == "text/event-stream" or all(
        each.startswith("{") or each == DONE or json_value(each) is not NO_JSON for each in data
    )


def _is_objects(lines: list[str], kind: str) -> bool:
    if not lines or not isinstance(json_value(lines[0]), dict):
        return False
    named = kind in {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
        "application/json-seq",
    }
    return (
        named
        or len(lines) > 1
        or (part(json_value(lines[0]), "type") == "begin" and isinstance(part(json_value(lines[0]), "metadata"), dict))
    )


def _events(text: str) -> list[tuple[str, Any]]:
    events = []
    for block in re.split(r"(?:\r\n|\r|\n){2,}", text):
        lines = block.splitlines()
        name = "".join(line[6:].strip() for line in lines if line.startswith("event:"))
        for data in (line[5:].strip() for line in lines if line.startswith("data:")):
            value = json_value(data)
            events.append((name, data if value is NO_JSON and not data.startswith(("{", "[{")) else value))
        if name and not any(line.startswith("data:") for line in lines):
            events.append((name, {}))
    return events


def _gather(events: Iterable[tuple[str, Any]]) -> Stream:
    groups: list[list[str]] = [[]]
    ended, finished, error, tools, torn = "", False, None, False, False
    for name, event in events:
        kind = as_text(part(event, "type")) or as_text(part(event, "event")) or name
        error = error or part(event, "error") or part(_choice(event), "error") or (event if kind in _ERRORS else None)
        torn = torn or event is NO_JSON
        ended = _ended(event) or ended
        finished = finished or _is_last(kind, event)
        tools = tools or bool(part(_choice(event), "delta", "tool_calls"))
        if kind == "begin":
            groups.append([])
        groups[-1].append(_text(kind, event))
    texts = tuple(filter(None, ("".join(group) for group in groups)))
    return Stream(texts, ended, (finished or bool(ended)) and not torn, error, ("(streamed)",) if tools else ())


def _is_last(kind: str, event: Any) -> bool:
    return event == DONE or kind in _LAST or part(event, "done") is True


def _choice(event: Any) -> Any:
    choices = part(event, "choices")
    return choices[0] if isinstance(choices, list) and choices else None


def _candidate(event: Any) -> Any:
    candidates = part(event, "candidates")
    return candidates[0] if isinstance(candidates, list) and candidates else None


def _ended(event: Any) -> str:
    words = (
        part(_choice(event), "finish_reason"),
        part(_candidate(event), "finishReason"),
        part(event, "delta", "stop_reason"),
        part(event, "delta", "finish_reason"),
        part(event, "response", "incomplete_details", "reason"),
        part(event, "done_reason"),
        part(event, "finish_reason"),
        part(event, "finishReason"),
    )
    return next(filter(None, map(as_text, words)), "")


def _text(kind: str, event: Any) -> str:
    """The text that an event adds, from the first field that has one."""
    if event == DONE or _OTHER.search(kind) or kind in _ERRORS:
        return ""
    if isinstance(event, str):
        return event if kind in {"", "data", "message", "token"} else ""
    choice = _choice(event)
    places = (
        part(choice, "delta", "content"),
        part(choice, "text"),
        part(_candidate(event), "content", "parts"),
        part(event, "delta", "message", "content", "text"),
        part(event, "delta", "text") if as_text(part(event, "delta", "type")) in {"", "text_delta"} else None,
        part(event, "delta", "content"),
        part(event, "delta"),
        part(event, "message", "content") if isinstance(part(event, "done"), bool) else None,
        part(event, "response") if isinstance(part(event, "done"), bool) else None,
        part(event, "answer"),
        part(event, "data") if kind in {"token", "message", "chunk"} else None,
        part(event, "content"),
        part(event, "text"),
        part(event, "token"),
    )
    found = (text_of(place) for place in places if isinstance(place, str | list))
    return next((one.text for one in found if one and one.text), "")
