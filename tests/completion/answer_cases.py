"""Answers that are not specific to a provider: texts, bare words, empty ones, streams, pages, refusals by status."""

from __future__ import annotations

import json
from typing import Any

from bridge.completion.faults import Unsendable
from bridge.errors import CutOff, OperatorMustFix, Retryable, ServiceDown
from bridge.model import Reason
from tests.completion.answers import Case, Fault, Silent, chunk

NINE = "We open at nine."


def sse(*events: Any, done: bool = True) -> bytes:
    """Server-sent events, one JSON value each."""
    lines = [f"data: {json.dumps(event)}\n\n" for event in events] + ["data: [DONE]\n\n"] * done
    return "".join(lines).encode()


def lines(*objects: Any) -> bytes:
    """One JSON object per line."""
    return "".join(json.dumps(one) + "\n" for one in objects).encode()


# The text, in whatever form a provider carries it.
TEXTS: dict[str, tuple[str, str, str | Silent | Fault]] = {
    "a block of thoughts": ("DeepSeek R1 behind Ollama", f"<think>\nHours. No discount.\n</think>\n\n{NINE}", NINE),
    "thoughts without the opening tag": ("vLLM with R1's chat template", f"Hours. No discount.\n</think>\n\n{NINE}", NINE),
    "a thought cut inside": ("max_tokens spent on it", "<think>\nHours. Let me look.", Fault(CutOff, "cut off by max_tokens")),
    "nothing but thoughts": ("Qwen's template", "<think>\nHours.\n</think>\n", Silent(Reason.THOUGHTS_ONLY)),
    "a control token": ("llama.cpp with a wrong stop word", f"{NINE}<|im_end|>", NINE),
    "a tool call as text": (
        "Qwen without a tool parser",
        '<tool_call>\n{"name": "book"}\n</tool_call>',
        Silent(Reason.TOOL_CALL),
    ),
    "a tool call as text behind a preface": (
        "Qwen without a tool parser",
        'Let me check that.\n<tool_call>\n{"name": "book"}\n</tool_call>',
        Silent(Reason.TOOL_CALL),
    ),
    "an answer behind a tool call as text": (
        "an agent that writes its whole run",
        f'Let me check.\n<tool_call>\n{{"name": "hours"}}\n</tool_call>\n{NINE}',
        f"Let me check.\n\n{NINE}",
    ),
    "file-search marks": ("OpenAI's Assistants", "We open at nine【4:0†source】【7:2†hours.pdf】.", NINE),
    "a word that is a status elsewhere": ("an agent told to confirm briefly", "OK", "OK"),
    "a sentence of n8n's": ("an agent explaining n8n", "Workflow was started", "Workflow was started"),
    "HTML that was asked for": ("a reply with markup", "Use <b>bold</b> or <br>.", "Use <b>bold</b> or <br>."),
    "JSON that was asked for": ("a reply that is JSON", '{"a": 1}', '{"a": 1}'),
    "blank": ("a model with nothing to say", " \n", Silent(Reason.EMPTY)),
}

# Whole bodies, whoever sends them.
BODIES = (
    Case(
        name="words as text/html",
        source="n8n's Respond node, Node-RED's text payload",
        body=NINE.encode(),
        kind="text/html",
        right=NINE,
    ),
    Case(name="words without a type", source="Node-RED's buffer payload", body=NINE.encode(), kind="", right=NINE),
    Case(name="words as JSON", source="a Respond node with a wrong header", body=NINE.encode(), right=NINE),
    Case(name="a JSON string", source="FastAPI, Windmill: a bare text is serialised", body=NINE, right=NINE),
    Case(name="words as text/plain", source="Agencii, textOnly", body="Grüße 👋".encode(), kind="text/plain", right="Grüße 👋"),
    Case(
        name="words in Latin-1",
        source="old PHP scripts",
        body="Grüße".encode("latin-1"),
        kind="text/plain; charset=iso-8859-1",
        right="Grüße",
    ),
    Case(
        name="words behind a byte order mark",
        source="ASP.NET files",
        body=b"\xef\xbb\xbf" + NINE.encode(),
        kind="text/plain",
        right=NINE,
    ),
    Case(name="words with a number first", source="Node-RED", body=b"5 < 6", kind="text/html", right="5 < 6"),
    Case(name="a heart", source="people", body=b"<3 see you", kind="text/html", right="<3 see you"),
    Case(
        name="words in brackets",
        source="Markdown links",
        body=b"[Book here](https://x.example)",
        kind="text/html",
        right="[Book here](https://x.example)",
    ),
    Case(name="a number", source="Node-RED's number payload", body=b"42", kind="text/html", right="42"),
    Case(
        name="thoughts in bare words",
        source="a flow around Ollama",
        body=f"<think>Hm.</think>{NINE}".encode(),
        kind="text/html",
        right=NINE,
    ),
    Case(
        name="blank words", source="a template that renders nothing", body=b" \n ", kind="text/html", right=Silent(Reason.EMPTY)
    ),
    Case(name="an empty list", source="n8n's all entries without any", body=[], right=Silent(Reason.EMPTY)),
    Case(
        name="cut-off JSON",
        source="a proxy's limit",
        body=b'{"output": "secret',
        right=Fault(ServiceDown, "cut off or broken", 3),
    ),
    Case(
        name="a Python dict",
        source="str(dict) in a hand-made server",
        body=b"{'output': 'secret'}",
        kind="text/plain",
        right=Fault(ServiceDown, "", 3),
    ),
    Case(
        name="a page inside",
        source="Portkey's gateway before a login page",
        body={"html-message": "<p>secret"},
        right=Fault(ServiceDown, "an HTML page instead of a reply", 3),
    ),
    Case(
        name="OpenAI's chunks",
        source="servers that ignore stream: false",
        body=sse(chunk("We open"), chunk(" at nine."), chunk(None, "stop")),
        kind="text/event-stream",
        right=NINE,
    ),
    Case(
        name="OpenAI's chunks as JSON",
        source="gateways that keep the type asked for",
        body=sse(chunk("We open"), chunk(" at nine.", "stop"), done=False),
        right=NINE,
    ),
    Case(
        name="a plain delta",
        source="agents under text/plain",
        body=sse({"delta": "We open"}, {"delta": " at nine."}),
        kind="text/plain; charset=utf-8",
        right=NINE,
    ),
    Case(
        name="n8n's items",
        source="n8n's streaming response mode",
        body=lines(
            {"type": "begin"}, {"type": "item", "content": "We open"}, {"type": "item", "content": " at nine."}, {"type": "end"}
        ),
        right=NINE,
    ),
    Case(
        name="n8n's items as words",
        source="the same behind a proxy",
        body=lines({"type": "begin"}, {"type": "item", "content": NINE}, {"type": "end"}),
        kind="text/plain",
        right=NINE,
    ),
    Case(
        name="Ollama's lines",
        source="Ollama /api/chat, streaming by default",
        body=lines(
            {"message": {"content": "We open"}, "done": False},
            {"message": {"content": " at nine."}, "done": True, "done_reason": "stop"},
        ),
        kind="application/x-ndjson",
        right=NINE,
    ),
    Case(
        name="Anthropic's events",
        source="Anthropic's messages, streamed",
        body=sse(
            {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "Hm"}},
            {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "We open at nine."}},
            {"type": "message_stop"},
            done=False,
        ),
        kind="text/event-stream",
        right=NINE,
    ),
    Case(
        name="OpenAI's responses",
        source="OpenAI's Responses API, streamed",
        body=sse(
            {"type": "response.reasoning_summary_text.delta", "delta": "Hm"},
            {"type": "response.output_text.delta", "delta": NINE},
            {"type": "response.output_text.done", "text": NINE},
            {"type": "response.completed", "response": {}},
            done=False,
        ),
        kind="text/event-stream",
        right=NINE,
    ),
    Case(
        name="Dify's events",
        source="Dify, response_mode streaming",
        body=sse(
            {"event": "message", "answer": "We open"},
            {"event": "message", "answer": " at nine."},
            {"event": "message_end"},
            done=False,
        ),
        kind="text/event-stream",
        right=NINE,
    ),
    Case(
        name="Flowise's events",
        source="Flowise, streaming",
        body=sse(
            {"event": "token", "data": "We open"},
            {"event": "token", "data": " at nine."},
            {"event": "end", "data": "[DONE]"},
            done=False,
        ),
        kind="text/event-stream",
        right=NINE,
    ),
    Case(
        name="the AI SDK's events",
        source="Vercel's AI SDK, UI message stream",
        body=sse(
            {"type": "start"},
            {"type": "reasoning-delta", "delta": "Hm"},
            {"type": "text-delta", "delta": NINE},
            {"type": "finish"},
        ),
        kind="text/event-stream",
        right=NINE,
    ),
    Case(
        name="Gemini's events",
        source="Gemini, alt=sse",
        body=sse({"candidates": [{"content": {"parts": [{"text": NINE}]}, "finishReason": "STOP"}]}, done=False),
        kind="text/event-stream",
        right=NINE,
    ),
    Case(
        name="Cohere's events",
        source="Cohere's chat v2, streamed",
        body=sse(
            {"type": "content-delta", "delta": {"message": {"content": {"text": NINE}}}},
            {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}},
            done=False,
        ),
        kind="text/event-stream",
        right=NINE,
    ),
    Case(
        name="LangServe's events",
        source="LangServe, /stream",
        body=b'event: data\ndata: "We open"\n\nevent: data\ndata: " at nine."\n\nevent: end\n\n',
        kind="text/event-stream",
        right=NINE,
    ),
    Case(
        name="a stream cut at max_tokens",
        source="OpenAI",
        body=sse(chunk(f"{NINE} On Sun"), chunk(None, "length")),
        kind="text/event-stream",
        right=NINE,
        notes=("shortened: cut off by max_tokens",),
    ),
    Case(
        name="a stream that calls a tool",
        source="OpenAI",
        body=sse(chunk("Let me look."), chunk(None, None, tool_calls=[{"index": 0}]), chunk(None, "tool_calls")),
        kind="text/event-stream",
        right=Silent(Reason.TOOL_CALL),
    ),
    Case(
        name="a stream of thoughts",
        source="R1 behind a gateway",
        body=sse(chunk("<think>Hm.</think>"), chunk(NINE, "stop")),
        kind="text/event-stream",
        right=NINE,
    ),
    Case(
        name="a stream without an end",
        source="a proxy's time-out",
        body=sse(chunk("secret"), done=False),
        kind="text/event-stream",
        right=Fault(Unsendable, "it streams"),
    ),
    Case(
        name="a torn stream",
        source="a connection that was closed early",
        body=b'data: {"delta": "secre',
        kind="text/plain",
        right=Fault(Unsendable, "it streams"),
    ),
    Case(
        name="n8n's first line alone",
        source="n8n, the flow still runs",
        body=lines({"type": "begin", "metadata": {"nodeId": "n"}}),
        right=Fault(Unsendable, "it streams"),
    ),
    Case(
        name="the AI SDK's older lines",
        source="Vercel's AI SDK 4, data stream",
        body=b'0:"secret"\nd:{"finishReason":"stop"}\n',
        kind="text/plain",
        right=Fault(Unsendable, "it streams"),
    ),
    Case(
        name="a stream that reports an error",
        source="OpenRouter, in mid-stream",
        body=sse(
            chunk("secret"), {"error": {"code": 502, "message": "secret"}, "choices": [{"delta": {}, "finish_reason": "error"}]}
        ),
        kind="text/event-stream",
        right=Fault(ServiceDown, "broke off", 3),
    ),
    Case(
        name="n8n's error line",
        source="n8n, a node fails while streaming",
        body=lines({"type": "begin"}, {"type": "error", "content": "secret"}, {"type": "end"}),
        right=Fault(Retryable, "broke off", 3),
    ),
    Case(
        name="a guardrail",
        source="Portkey's gateway: a deny is 446",
        status=446,
        body={"error": {"message": "secret"}},
        right=Silent(Reason.FILTERED),
    ),
    Case(
        name="a prompt filter",
        source="Azure OpenAI: 400 with the code content_filter",
        status=400,
        body={"error": {"code": "content_filter", "message": "secret"}},
        right=Silent(Reason.FILTERED),
    ),
    Case(
        name="no item",
        source="n8n, when the last node has none",
        status=500,
        body={"code": 0, "message": "No item to return was found"},
        right=Silent(Reason.EMPTY),
    ),
    Case(
        name="no item, older",
        source="n8n before 2.0",
        status=500,
        body={"code": 0, "message": "No item to return got found"},
        right=Silent(Reason.EMPTY),
    ),
    Case(
        name="no Respond node",
        source="n8n",
        status=500,
        body={"code": 0, "message": "No Respond to Webhook node found in the workflow"},
        right=Fault(OperatorMustFix, "no Respond to Webhook node"),
    ),
    Case(
        name="an unused Respond node",
        source="n8n from 2.0",
        status=500,
        body={"message": "Unused Respond to Webhook node found in the workflow"},
        right=Fault(OperatorMustFix, "set the trigger's Respond"),
    ),
    Case(
        name="an inactive workflow",
        source="n8n",
        status=404,
        body={"message": 'The requested webhook "POST abc" is not registered.'},
        right=Fault(OperatorMustFix, "activate the workflow"),
    ),
    Case(
        name="an inactive scenario",
        source="Make: 410",
        status=410,
        body=b"There is no scenario listening for this webhook.",
        kind="text/plain",
        right=Fault(OperatorMustFix, "switch the scenario on"),
    ),
    Case(
        name="a node fails",
        source="n8n",
        status=500,
        body={"message": "Error in workflow"},
        right=Fault(ServiceDown, "HTTP 500", 3),
    ),
    Case(
        name="too long for the model",
        source="OpenAI: context_length_exceeded",
        status=400,
        body={"error": {"code": "context_length_exceeded", "message": "secret"}},
        right=Fault(OperatorMustFix, "lower history_messages"),
    ),
    Case(
        name="too long for vLLM",
        source="vLLM",
        status=400,
        body={"message": "This model's maximum context length is 4096 tokens"},
        right=Fault(OperatorMustFix, "max_tokens"),
    ),
    Case(
        name="too long for llama.cpp",
        source="llama.cpp: exceed_context_size_error",
        status=400,
        body={"error": {"type": "exceed_context_size_error"}},
        right=Fault(OperatorMustFix, "max_tokens"),
    ),
    Case(
        name="too long for Anthropic",
        source="Anthropic",
        status=413,
        body={"error": {"message": "prompt is too long: 210000 tokens"}},
        right=Fault(OperatorMustFix, "max_tokens"),
    ),
    Case(
        name="a limit that is refused",
        source="OpenAI's newer models",
        status=400,
        body={"error": {"message": "Unsupported parameter: 'max_tokens'"}},
        right=Fault(OperatorMustFix, "max_tokens"),
    ),
    Case(
        name="an error that passes",
        source="Anthropic behind a gateway: overloaded_error",
        body={"error": {"type": "overloaded_error", "message": "secret"}},
        right=Fault(Retryable, "broke off", 3),
    ),
    Case(
        name="an upstream's error",
        source="OpenRouter: 200 with an error's code",
        body={"error": {"code": 502, "message": "secret"}},
        right=Fault(ServiceDown, "502", 3),
    ),
)
