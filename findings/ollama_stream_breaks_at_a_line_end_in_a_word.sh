#!/usr/bin/env bash
# Ollama streams an answer as lines of JSON (application/x-ndjson). In a string of JSON the signs U+0085 and U+2028 may stand as they are; Ollama's server,
# like everything that Go's encoding/json writes, escapes U+2028 and leaves U+0085. Servers that copy the interface and are written in other languages
# leave both. U+0085 gets into answers from text that was read in the wrong encoding: in Windows-1252 the byte 0x85 is the ellipsis.
# What one would expect: a line of NDJSON ends at a line feed, and Ollama's own client for Python reads what Ollama's server writes.
# What happens: the client reads the stream with httpx's iter_lines, which ends a line where Python's str.splitlines does. The object is torn, and the
# caller gets json.JSONDecodeError ("Unterminated string"), not the package's ResponseError, in the middle of an answer. Without streaming the same answer
# is read rightly. httpx-sse, which also stands on httpx, splits by itself and is right with the same text.
# Versions: ollama 0.6.3 (PyPI), httpx 0.28.1, httpx-sse 0.4.3, Python 3.11. Seen 2026-12-01. Source: this script; the same cause in another client:
# openai-python issue 1230 (open).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "ollama==0.6.3" "httpx==0.28.1" "httpx-sse==0.4.3"
"$work/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import httpx
import httpx_sse
import ollama

print(*(f"{name} {version(name)}" for name in ("ollama", "httpx", "httpx-sse")))
NEXT_LINE, LINE_SEPARATOR = "\u0085", "\u2028"
QUESTION = [{"role": "user", "content": "When are you open?"}]


class Handler(BaseHTTPRequestHandler):
    """Ollama's /api/chat, streamed or not, and /sse with the same answer as an event; each answers with what `text` holds."""

    text = ""

    def log_message(self, *args):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
        part = {"model": "m", "message": {"role": "assistant", "content": self.text}, "done": not asked.get("stream")}
        end = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True}
        line = json.dumps(part, ensure_ascii=False)
        body = f"data: {line}\n\n" if self.path == "/sse" else f"{line}\n{json.dumps(end)}\n" if asked.get("stream") else line
        kind = "text/event-stream" if self.path == "/sse" else "application/x-ndjson" if asked.get("stream") else "application/json"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
ADDRESS = f"http://127.0.0.1:{server.server_port}"


def streamed():
    try:
        return "".join(part.message.content for part in ollama.Client(ADDRESS).chat("m", QUESTION, stream=True))
    except ValueError as error:
        return type(error).__name__


def events():
    with httpx_sse.connect_sse(httpx.Client(), "POST", f"{ADDRESS}/sse", json={}) as source:
        return "".join(json.loads(event.data)["message"]["content"] for event in source.iter_sse())


for sign in (NEXT_LINE, LINE_SEPARATOR, "..."):
    Handler.text = f"Well{sign} at nine."
    whole = ollama.Client(ADDRESS).chat("m", QUESTION).message.content
    seen = (streamed(), whole, events())
    print(f"{Handler.text!r}: streamed {seen[0]!r}, whole {seen[1]!r}, as events {seen[2]!r}")
    torn = sign != "..."
    assert seen == ("JSONDecodeError" if torn else Handler.text, Handler.text, Handler.text), "the behaviour has changed"
PYTHON
