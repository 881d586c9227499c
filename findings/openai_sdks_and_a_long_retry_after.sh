#!/usr/bin/env bash
# A completion service refuses with 429 and says in Retry-After for how long. OpenAI's SDKs for Python and Node repeat such a request by themselves (twice).
# What one would expect: the two do the same, and a longer Retry-After never makes them come back sooner.
# What happens: up to 60 seconds both wait as told. From 61 on Node's doesn't: it tries again after half a second and after one more, so that the service
# that asked for a pause of two minutes gets three requests in two seconds. Python's waits up to 120 seconds, within the call and whatever the timeout of
# the client: two repeats of 120 make a call of four minutes with `timeout=5`. From 121 on it raises at once, after one request.
# Who has a deadline, or a limiter of his own, sets `max_retries=0` (`maxRetries: 0`) and reads the header from the error's response.
# Versions: PyPI openai 3.57.0, npm openai 7.55.0; Python 3.11, Node 20. Seen 2026-12-01. Source: this script (servers on 127.0.0.1; Python's sleep is
# noted, not slept). No report was looked for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "openai==3.57.0" &
installing=$!
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" openai@7.55.0
wait "$installing"

"$work/venv/bin/python" - <<'PYTHON'
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import openai

print("PyPI openai", version("openai"))


class Handler(BaseHTTPRequestHandler):
    """Refuses with the Retry-After in `seconds`."""

    seconds, requests = 0, 0

    def log_message(self, *args):
        pass

    def do_POST(self):
        Handler.requests += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(429)
        self.send_header("Retry-After", str(self.seconds))
        self.send_header("Content-Length", "0")
        self.end_headers()


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
waits = []
time.sleep = waits.append
client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="x", timeout=5)
for seconds, expected in {2: [2, 2], 60: [60, 60], 61: [61, 61], 120: [120, 120], 121: []}.items():
    Handler.seconds, Handler.requests = seconds, 0
    waits.clear()
    try:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "When are you open?"}])
    except openai.RateLimitError as error:
        print(f"Python, Retry-After {seconds}: {Handler.requests} requests, waits {waits}, then {type(error).__name__}")
    assert waits == expected and Handler.requests == len(expected) + 1, "the SDK for Python behaves otherwise now"
PYTHON

cat >ask.mjs <<'JAVASCRIPT'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import OpenAI from 'openai'

console.log('npm openai', JSON.parse(readFileSync('node_modules/openai/package.json')).version)
const asked = {}
const server = createServer((request, response) => {
  const seconds = request.url.split('/')[1]
  asked[seconds] = (asked[seconds] ?? []).concat(Date.now())
  request.resume().on('end', () => response.writeHead(429, { 'Retry-After': seconds }).end())
})
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const ask = async (seconds) => {
  const client = new OpenAI({ baseURL: `http://127.0.0.1:${server.address().port}/${seconds}`, apiKey: 'x' })
  const messages = [{ role: 'user', content: 'When are you open?' }]
  await assert.rejects(client.chat.completions.create({ model: 'm', messages }), OpenAI.RateLimitError)
  const waits = asked[seconds].slice(1).map((at, index) => (at - asked[seconds][index]) / 1000)
  console.log(`Node, Retry-After ${seconds}: ${asked[seconds].length} requests, waits ${waits}`)
  return waits
}
const [told, minute, minutes] = await Promise.all([ask(2), ask(61), ask(900)])
assert(told.length === 2 && told.every((wait) => wait >= 1.9), 'the SDK for Node behaves otherwise now')
for (const waits of [minute, minutes]) {
  assert(waits.length === 2 && waits.every((wait) => wait < 10), 'the SDK for Node behaves otherwise now')
}
process.exit()
JAVASCRIPT
node ask.mjs
