#!/usr/bin/env bash
# A server with OpenAI's Chat Completions tells in `finish_reason` how an answer ended: "length" (the token limit cut it), "content_filter" (a filter
# stopped it), "error" (OpenRouter: the provider failed half-way), or, with servers of less care, nothing.
# What one would expect of an agent framework that gives a "final output": an error, or at the least a mark on the result, when the answer isn't whole.
# OpenAI's Agents SDK and Pydantic AI do raise when the limit came before the first word.
# What happens when one word got through: both return half a sentence as the output. In the Agents SDK's result the message has the status "completed",
# and the finish reason is nowhere. Pydantic AI keeps the reason in `result.response`, but calls its state "complete"; a reason that it doesn't know
# ("error") becomes None, and one that is missing becomes "stop".
# So what stands between an agent and a customer has to ask for the reason where it is kept, and can't where it isn't.
# Versions: openai-agents 0.24.0, pydantic-ai-slim 2.68.0, Python 3.11. Seen 2026-12-01. Source: this script (a server in the same process);
# openai-agents-python issue 4510 is about the answer without a word, mended since.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "openai-agents==0.24.0" "pydantic-ai-slim[openai]==2.68.0"
"$work/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from openai import AsyncOpenAI
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

print(*(f"{name} {version(name)}" for name in ("openai-agents", "pydantic-ai-slim")))
HALF = "We are open until"
REASONS = ("length", "content_filter", "error", "none", "length-at-once")
set_tracing_disabled(True)


class Handler(BaseHTTPRequestHandler):
    """Answers each question as its model's name says: the finish reason, with half a sentence; "length-at-once" has no word."""

    def log_message(self, *args):
        pass

    def do_POST(self):
        model = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["model"]
        content = "" if model == "length-at-once" else HALF
        reason = {"none": None, "length-at-once": "length"}.get(model, model)
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": reason}
        usage = {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}
        body = {"id": "c1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
ADDRESS = f"http://127.0.0.1:{server.server_port}/v1"


def openai_agents(reason):
    model = OpenAIChatCompletionsModel(reason, AsyncOpenAI(base_url=ADDRESS, api_key="x", max_retries=0))
    result = Runner.run_sync(Agent(name="a", model=model), "When are you open?")
    assert "finish_reason" not in repr(result.raw_responses)
    return result.final_output, result.raw_responses[0].output[0].status


def pydantic_ai(reason):
    result = PydanticAgent(OpenAIChatModel(reason, provider=OpenAIProvider(base_url=ADDRESS, api_key="x"))).run_sync("When are you open?")
    return result.output, result.response.state, result.response.finish_reason


SEEN = {}
for run in (openai_agents, pydantic_ai):
    for reason in REASONS:
        try:
            SEEN[run.__name__, reason] = run(reason)
        except Exception as error:
            SEEN[run.__name__, reason] = type(error).__name__
        print(f"{run.__name__}, {reason}: {SEEN[run.__name__, reason]}")
for reason in REASONS[:4]:
    assert SEEN["openai_agents", reason] == (HALF, "completed"), "OpenAI's Agents SDK behaves otherwise now"
kept = [SEEN["pydantic_ai", reason] for reason in REASONS[:4]]
assert kept == [(HALF, "complete", "length"), (HALF, "complete", "content_filter"), (HALF, "complete", None), (HALF, "complete", "stop")], kept
assert SEEN["openai_agents", "length-at-once"] == "ModelBehaviorError"
assert SEEN["pydantic_ai", "length-at-once"] == "OutputTokenLimitExceeded"
PYTHON
