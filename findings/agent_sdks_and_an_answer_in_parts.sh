#!/usr/bin/env bash
# A server with OpenAI's Chat Completions may give the answer's content in parts: a list. Mistral's reasoning models do: first a part "thinking", which
# holds parts of its own, then a part "text", which alone is meant for the person who asked.
# What one would expect of an agent framework: the text of the text parts, without the thoughts, or an error that says that it can't read the answer.
# What happens: agno reads a list of texts rightly; with a thinking part in it the output is the whole list written as JSON, thoughts and all, and the run
# is COMPLETED. OpenAI's Agents SDK for Node returns, for both lists, "[object Object]" for each part as the final output. What passes the output on to a
# customer sends these.
# Versions: PyPI agno 3.1.10, openai 3.57.0; npm @openai/agents 0.20.0; Python 3.11, Node 20. Seen 2026-12-01. Source: this script (servers on 127.0.0.1);
# the form: Mistral's documentation, "Reasoning". No report was looked for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "agno==3.1.10" "openai==3.57.0"
cd "$work"
npm install --silent --no-audit --no-fund @openai/agents@0.20.0 openai@7.55.0 zod@4

"$work/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from agno.agent import Agent
from agno.models.openai.like import OpenAILike

print("agno", version("agno"), "openai", version("openai"))
TEXT = {"type": "text", "text": "We open at nine."}
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Hide the discount."}]}
CONTENT = {"texts": [TEXT], "thought": [THOUGHT, TEXT]}


class Handler(BaseHTTPRequestHandler):
    """Answers with the content that the model's name asks for."""

    def log_message(self, *args):
        pass

    def do_POST(self):
        model = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["model"]
        choice = {"index": 0, "message": {"role": "assistant", "content": CONTENT[model]}, "finish_reason": "stop"}
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
seen = {}
for name in CONTENT:
    model = OpenAILike(id=name, base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="x")
    result = Agent(model=model, telemetry=False).run("When are you open?")
    seen[name] = (result.content, result.status.value)
    print(f"agno, {name}: {seen[name]}")
assert seen["texts"] == ("We open at nine.", "COMPLETED"), "agno behaves otherwise now"
assert json.loads(seen["thought"][0]) == CONTENT["thought"], "agno behaves otherwise now"
assert seen["thought"][1] == "COMPLETED", "agno behaves otherwise now"
PYTHON

cat >agents.mjs <<'JAVASCRIPT'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { Agent, OpenAIChatCompletionsModel, run, setTracingDisabled } from '@openai/agents'
import OpenAI from 'openai'

console.log('@openai/agents', JSON.parse(readFileSync('node_modules/@openai/agents/package.json')).version)
const text = { type: 'text', text: 'We open at nine.' }
const thought = { type: 'thinking', thinking: [{ type: 'text', text: 'Hide the discount.' }] }
let content
const server = createServer((request, response) => {
  const choice = { index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }
  const usage = { prompt_tokens: 1, completion_tokens: 4, total_tokens: 5 }
  request.resume().on('end', () => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ id: 'c1', object: 'chat.completion', created: 1, model: 'm', choices: [choice], usage }))
  })
})
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
setTracingDisabled(true)
const client = new OpenAI({ baseURL: `http://127.0.0.1:${server.address().port}/v1`, apiKey: 'x', maxRetries: 0 })
for (content of ['We open at nine.', [text], [thought, text]]) {
  const agent = new Agent({ name: 'a', instructions: 'x', model: new OpenAIChatCompletionsModel(client, 'm') })
  const { finalOutput } = await run(agent, 'When are you open?')
  console.log(`@openai/agents, ${Array.isArray(content) ? content.map((part) => part.type) : 'no list'}: ${JSON.stringify(finalOutput)}`)
  assert.match(finalOutput, Array.isArray(content) ? /^\[object Object\]/ : /nine/, "OpenAI's Agents SDK behaves otherwise now")
}
process.exit()
JAVASCRIPT
node agents.mjs
