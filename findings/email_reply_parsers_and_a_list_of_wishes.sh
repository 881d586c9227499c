#!/usr/bin/env bash
# Two packages of the same name cut the quoted history and the signature off an e-mail reply: PyPI's email_reply_parser (Zapier's) and npm's
# email-reply-parser (Crisp's).
# What one would expect: a mail without any history and signature comes out as it went in, and the two agree.
# What happens: Python's takes a paragraph that begins with a dash and a letter ("-one cut", no blank between) for a signature, and a signature hides all
# that comes after it: "I want:" is left of a whole order. After a line of its own the same list stays. A mail that begins "On Monday I can't. My wife
# wrote:" is history from its first word, and the reply is empty, as if nothing had been written. Node's keeps both. Both cut any paragraph that begins
# with "Sent from my", however long: a question about the view from a garden too.
# So an empty or a short reply is no sign that the sender wrote nothing: keep the mail, and ask the whole of it when little is left.
# Versions: PyPI email_reply_parser 0.5.12, npm email-reply-parser 2.3.7; Python 3.11, Node 20. Seen 2026-12-01. Source: this script.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "email_reply_parser==0.5.12"
cd "$work"
npm install --silent --no-audit --no-fund --prefix "$work" email-reply-parser@2.3.7

cat >mails.json <<'JSON'
{
  "list after a blank line": "I want:\n\n-one cut\n-two colours\n\nCan I come on Friday?",
  "list after a line": "I want:\n-one cut\n-two colours\n\nCan I come on Friday?",
  "list with blanks": "I want:\n\n- one cut\n- two colours\n\nCan I come on Friday?",
  "a message passed on": "On Monday I can't. My wife wrote:\nplease come at five",
  "a view": "Yes please.\n\nSent from my garden you look at the sea. Is the room with a balcony free in May?"
}
JSON
"$work/venv/bin/python" - <<'PYTHON' >python.json
import json

from email_reply_parser import EmailReplyParser

with open("mails.json") as mails:
    print(json.dumps({name: EmailReplyParser.parse_reply(text) for name, text in json.load(mails).items()}))
PYTHON
cat >parse.cjs <<'JAVASCRIPT'
const assert = require('node:assert')
const { readFileSync } = require('node:fs')
const Parser = require('email-reply-parser')
const read = (name) => JSON.parse(readFileSync(name))
console.log('npm email-reply-parser', read('node_modules/email-reply-parser/package.json').version)
const [mails, python] = [read('mails.json'), read('python.json')]
const cut = {
  python: { 'list after a blank line': 'I want:', 'a message passed on': '', 'a view': 'Yes please.' },
  node: { 'a view': 'Yes please.' },
}
for (const [name, text] of Object.entries(mails)) {
  const seen = { python: python[name].trim(), node: new (Parser.default ?? Parser)().read(text).getVisibleText().trim() }
  for (const which of ['python', 'node']) {
    console.log(`${name}, ${which}: ${seen[which] === text ? 'whole' : JSON.stringify(seen[which])}`)
    assert.equal(seen[which], cut[which][name] ?? text, `${which}'s parser behaves otherwise now`)
  }
}
JAVASCRIPT
"$work/venv/bin/pip" list 2>/dev/null | grep -i reply
node parse.cjs
