#!/usr/bin/env bash
# LiteLLM stands between a client and many completion services and gives all their answers OpenAI's form. Some services have finish reasons of their own
# for an answer that broke off: OpenRouter and vLLM "error" or "abort", DeepSeek "insufficient_system_resource".
# What one would expect: such an answer raises, or keeps its reason, or gets one that isn't the word for a whole answer; LiteLLM's "length" and
# "content_filter" come through as they are.
# What happens: each of these becomes "stop", OpenAI's word for an answer that came to its natural end, with half a sentence as content; so does a reason
# that is missing. "error" is among the reasons that LiteLLM knows, so there isn't even a warning in the log. The service's own word is kept in a field
# of LiteLLM's, `choices[0].provider_specific_fields["native_finish_reason"]`, where no client of OpenAI's form looks for it.
# Versions: litellm 1.110.2, Python 3.11. Seen 2026-12-01. Source: this script (a server in the same process); the reasons: the API references of
# OpenRouter and DeepSeek, vLLM's FinishReason. LiteLLM's pull request 22138 made it so, 23800 (closed) would have kept the word, and issue 33968 is about
# the warning for "error".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "litellm==1.110.2"
LITELLM_LOCAL_MODEL_COST_MAP=True "$work/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import litellm

print("litellm", version("litellm"))
HALF = "We are open until"
KEPT = {("openai", "length"), ("openai", "content_filter")}
BROKEN = {
    ("openrouter", "error"),
    ("deepseek", "insufficient_system_resource"),
    ("hosted_vllm", "abort"),
    ("hosted_vllm", "error"),
    ("openai", None),
}


class Handler(BaseHTTPRequestHandler):
    """Answers half a sentence with the finish reason in `reason`."""

    reason = None

    def log_message(self, *args):
        pass

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        choice = {"index": 0, "message": {"role": "assistant", "content": HALF}, "finish_reason": self.reason}
        usage = {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}
        body = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
ADDRESS = f"http://127.0.0.1:{server.server_port}/v1"
QUESTION = [{"role": "user", "content": "When are you open?"}]
for service, reason in sorted(KEPT | BROKEN, key=str):
    Handler.reason = reason
    choice = litellm.completion(f"{service}/m", messages=QUESTION, api_base=ADDRESS, api_key="x", num_retries=0).choices[0]
    native = (choice.provider_specific_fields or {}).get("native_finish_reason")
    print(f"{service}, {reason!r}: {choice.finish_reason!r}, content {choice.message.content!r}, native reason {native!r}")
    assert choice.message.content == HALF
    assert choice.finish_reason == (reason if (service, reason) in KEPT else "stop"), "LiteLLM behaves otherwise now"
    assert native == (None if (service, reason) in KEPT else reason), "LiteLLM keeps the service's own reason elsewhere now"
PYTHON
