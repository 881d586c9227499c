#!/usr/bin/env bash
# A flow of Node-RED answers a webhook: "http in" takes the question, "http request" asks a model, a function writes the reply into msg.payload, and
# "http response" sends it. No node has a status set.
# What one would expect: the flow made its own payload, so its answer is 200; a JSON object is sent as JSON and a plain text as text/plain.
# What happens: "http request" left the model's status in the message, and "http response" sends that. The model's 429, 401 or 500 thus comes out as the
# webhook's own, around the flow's friendly reply; the header Retry-After, which would make sense of the 429, is not passed on. Who called the webhook
# takes a good reply for a refusal by Node-RED and asks again. The cure is `delete msg.statusCode` or a status in "http response".
# And a reply that is a text or a number is labelled text/html, as a proxy's error page is.
# Versions: node-red 4.1.15 (npm), Node 20. Seen 2026-12-01. Source: this script (servers on 127.0.0.1). The nodes' help names both outputs; no warning
# of the two together was found.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" node-red@4.1.15
mkdir user

cat >settings.js <<'JAVASCRIPT'
module.exports = { uiHost: '127.0.0.1', uiPort: Number(process.env.NODE_RED_PORT), telemetry: { enabled: false }, diagnostics: { enabled: false } }
JAVASCRIPT
cat >check.mjs <<'JAVASCRIPT'
import assert from 'node:assert'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

console.log('node-red', JSON.parse(readFileSync('node_modules/node-red/package.json')).version)
const listen = async (server) => (server.listen(0, '127.0.0.1'), await once(server, 'listening'), server.address().port)

// The model's server refuses with the status in its address.
const model = createServer((request, response) => {
  response.writeHead(Number(request.url.slice(1)), { 'Content-Type': 'application/json', 'Retry-After': '7' })
  response.end('{"error": "no"}')
})
const asked = await listen(model)
const placeholder = createServer()
const port = await listen(placeholder)
placeholder.close()

const node = (id, type, to, more) => ({ id, type, z: 'tab', wires: to ? [[to]] : [], ...more })
const flow = (name, code, status, given = '') => [
  node(`${name}-in`, 'http in', status ? `${name}-ask` : `${name}-write`, { url: `/${name}`, method: 'post' }),
  ...(status ? [node(`${name}-ask`, 'http request', `${name}-write`, { method: 'GET', ret: 'obj', url: `http://127.0.0.1:${asked}/${status}` })] : []),
  node(`${name}-write`, 'function', `${name}-out`, { func: `${code}; return msg`, outputs: 1 }),
  node(`${name}-out`, 'http response', null, { statusCode: given, headers: {} }),
]
const REPLY = "msg.payload = { reply: 'We are busy, one moment.' }"
const flows = [
  { id: 'tab', type: 'tab', label: 'tab' },
  ...flow('well', REPLY, 200), ...flow('busy', REPLY, 429), ...flow('locked', REPLY, 401), ...flow('cured', REPLY, 429, '200'),
  ...flow('deleted', `${REPLY}; delete msg.statusCode`, 429), ...flow('text', "msg.payload = 'We are open.'"), ...flow('number', 'msg.payload = 42'),
]
const server = spawn('node_modules/.bin/node-red', ['--userDir', 'user', '--settings', 'settings.js'], { env: { ...process.env, NODE_RED_PORT: port } })
const address = `http://127.0.0.1:${port}`
try {
  const headers = { 'Content-Type': 'application/json' }
  for (const deadline = Date.now() + 40_000; ; ) {
    const set = await fetch(`${address}/flows`, { method: 'POST', headers, body: JSON.stringify(flows) }).catch(() => undefined)
    if (set?.ok) break
    assert(Date.now() < deadline, 'Node-RED did not start')
    await new Promise((waited) => setTimeout(waited, 250))
  }
  const seen = {}
  for (const name of ['well', 'busy', 'locked', 'cured', 'deleted', 'text', 'number']) {
    const response = await fetch(`${address}/${name}`, { method: 'POST', headers, body: '{"question": "Are you open?"}' })
    const [kind, after] = [response.headers.get('content-type'), response.headers.get('retry-after')]
    seen[name] = [response.status, kind.split(';')[0], after]
    console.log(`${name}: ${response.status}, ${kind}, Retry-After ${after}: ${await response.text()}`)
  }
  const json = 'application/json'
  assert.deepEqual(seen, {
    well: [200, json, null], busy: [429, json, null], locked: [401, json, null], cured: [200, json, null], deleted: [200, json, null],
    text: [200, 'text/html', null], number: [200, 'text/html', null],
  }, 'Node-RED behaves otherwise now')
} finally {
  server.kill()
  model.close()
}
JAVASCRIPT
node check.mjs
