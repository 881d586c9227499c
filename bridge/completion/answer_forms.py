"""Formats of whole answers: thoughts as prose, a wrapper, a code fence, a tool call without a mark. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from bridge.completion.dialects import CONTROL_TOKENS, MARK, THOUGHTS, TOOL_CALL
from bridge.completion.mark_removal import Unclosed
from bridge.completion.written_about import Mentions
from bridge.wire.answers import json_object


class Lead(NamedTuple):
    """An answer that starts with `opens` is thought up to the last `closes`; without that it is text, or `unclosed`."""

    kind: str
    opens: re.Pattern[str]
    closes: re.Pattern[str] | None


def _lead(kind: str, opens: str, closes: str | None) -> Lead:
    return Lead(kind, re.compile(r"\s*" + opens), re.compile(closes) if closes else None)


LEADS = (
    # IBM Granite 3.2 and 3.3: vLLM's granite parser, 2025.
    _lead(THOUGHTS, r"(?i:here(?:'s| is) my thought process:)", r"(?i:here(?:'s| is) my response:)"),
    _lead(THOUGHTS, r"(?i:here(?:'s| is) my thought process:)", None),
    # ServiceNow Apriel: its vLLM parser, 2026.
    _lead(THOUGHTS, r"(?i:here are my reasoning steps:)", r"\[BEGIN FINAL RESPONSE\]"),
    _lead(THOUGHTS, r"(?i:here are my reasoning steps:)", None),
    # gpt-oss with its control tokens stripped, "analysisWe ...assistantfinalFour": macprovider issue 743, 2026-07.
    _lead(THOUGHTS, r"(?=(?:assistant ?)?(?:analysis|commentary|final))", r"assistant ?final"),
    _lead(TOOL_CALL, r"(?=(?:assistant ?)?(?:analysis|commentary))", r"(?:assistant)?commentary to=functions\.(?s:.*)"),
    _lead(THOUGHTS, r"analysis(?=[A-Z])", None),
    # Ollama's command line, run by a workflow, 2025-05 on.
    _lead(THOUGHTS, r"Thinking\.\.\.\s", r"\.\.\.done thinking\."),
    # ReAct agents (LangChain, Flowise, Dify), 2023 on. "Thought:" alone is ordinary text; it counts only with its closing word.
    _lead(
        THOUGHTS, r"(?i:(?:\**question\**:[^\n]{1,300}\n{1,2})?\**thought\**:)", r"(?im:^[ \t]{0,3}\**(?:final answer|AI)\**:\**)"
    ),
    _lead(
        TOOL_CALL,
        r"(?i:\**(?:question|thought)\**:|(?=\**action\**:))",
        r"(?im:^[ \t]{0,3}\**action\**:[^\n]{1,200}\n{1,2}[ \t]{0,3}\**action input\**:)(?s:.*)",
    ),
)

# An answer in special tags: Reflection (<output>), 2024; Hunyuan and DeepSeek R1's prompt (<answer>), Ernie 4.5 (<response>):
# vLLM's parsers, 2025.
_WRAPPER = re.compile(r"\s*<(answer|response|output|final_answer|final)>", re.IGNORECASE)

# LangChain's structured chat agent and Flowise's copy of it: the last action is the answer, 2023 on.
_FINAL_ACTION = re.compile(r'\s*\{\s*"action"\s*:\s*"final answer"\s*,\s*"action_input"\s*:', re.IGNORECASE)

# A tool call at the end of an answer: Llama 3 (JSON), Phi-4-mini (functools), LangChain's agents (action), OpenAI's own form
# (tool_calls), Llama 4 and Gemma 3 (a Python list, which must be all of it): vLLM's tool parsers, 2026.
_COLON, _COMMA = r"\s{0,9}:\s{0,9}", r"\s{0,9},\s{0,9}"
_JSON_CALL = re.compile(
    r"^[ \t]*(?:(?:functools)?\[\s{0,9})?\{\s{0,9}\"(?:"
    rf"(?:type\"{_COLON}\"function\"{_COMMA}\")?"
    rf"(?:name|tool|function)\"{_COLON}\"[\w.:/ -]{{1,80}}\"{_COMMA}"
    rf"\"(?:arguments|parameters|args|tool_input|input)\"{_COLON}"
    rf"|(?:tool_calls|function_call)\"{_COLON}"
    rf"|action\"{_COLON}\"(?!final answer\")[^\"\n]{{1,80}}\"{_COMMA}\"action_input\"{_COLON})",
    re.IGNORECASE | re.MULTILINE,
)
_PYTHON_CALL = re.compile(r"\s*\[[A-Za-z_][\w.]{0,80}\((?:\)|[A-Za-z_]\w{0,40}=)")


def unfenced(text: str) -> str:
    """The content of a code fence around the whole answer, if it begins with a mark or is a tool call."""
    whole = text.strip()
    fences = whole.count("```")
    if not (whole.startswith("```") and whole.endswith("```") and fences == 2):  # noqa: PLR2004 - one opens, one closes
        return text
    inside = whole.partition("\n")[2][:-3].strip()
    inner = MARK.match(inside) or _FINAL_ACTION.match(inside) or _call_at(inside) == 0
    return inside if inner and not MARK.match(whole) else text


def without_lead(text: str, removed: dict[str, None]) -> str:
    """The answer without thoughts in prose at its beginning. Raises Unclosed."""
    for lead in LEADS:
        opened = lead.opens.match(text)
        if not opened:
            continue
        if lead.closes is None:
            raise Unclosed
        ends = [closed.end() for closed in lead.closes.finditer(text, opened.end())]
        if ends:
            removed[lead.kind] = None
            return text[ends[-1] :].strip()
    return text


def unwrapped(text: str, removed: dict[str, None]) -> str:
    """The text inside an answer's tags, or inside a chat agent's final action."""
    if _FINAL_ACTION.match(text):
        final = json_object(text.encode(errors="replace"))
        said = final.get("action_input") if final else None
        if not isinstance(said, str):
            return text
        removed[CONTROL_TOKENS] = None
        return said.strip()
    opened = _WRAPPER.match(text)
    if not opened:
        return text
    inside, closing = text[opened.end() :].rstrip(), f"</{opened[1].lower()}>"
    closed = inside[-len(closing) :].lower() == closing
    if not closed and not removed:
        return text
    removed[CONTROL_TOKENS] = None
    return (inside[: -len(closing)] if closed else inside).strip()


def without_call(text: str, removed: dict[str, None]) -> str:
    """The answer without a tool call at its end that has no mark."""
    start = _call_at(text)
    if start is None or Mentions(text).in_code(start):
        return text
    removed[TOOL_CALL] = None
    return text[:start].strip()


def _call_at(text: str) -> int | None:
    if _PYTHON_CALL.match(text):
        return 0 if text.rstrip().endswith(")]") else None
    call = _JSON_CALL.search(text)
    if call and (not text[: call.start()].strip() or text.rstrip()[-1:] in {"}", "]"}):
        return call.start()
    return None
