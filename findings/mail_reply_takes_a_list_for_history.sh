#!/usr/bin/env bash
# What one would expect: a parser that cuts the quoted history off a reply cuts at a header of a mail, which holds an address or a time. What the
# sender wrote stays: a journey ("From: Berlin", "To: Munich", "Date: 5 May"), a Polish line "Data: 5 maja" (date: 5 May).
# What happens: mail-parser-reply takes the three lines, and in Polish the single line, for a header. The reply is "I want to go", and the stations,
# the day and every word after them are gone, without a sign. German "Von: / Nach: / Datum:" stays, for "Nach" is no label of a mail. quotequail
# keeps them all.
# Versions: mail-parser-reply 1.36, quotequail 0.5.4. Seen 2026-11-30. Source: this script; no report of it was looked for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "mail-parser-reply==1.36" "quotequail==0.5.4"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import quotequail
from mailparser_reply import EmailReplyParser

print("mail-parser-reply", version("mail-parser-reply"), "quotequail", version("quotequail"))
MAILS = {
    "journey": ("en", "I want to go\nFrom: Berlin\nTo: Munich\nDate: 5 May\nthanks, Ann", "I want to go"),
    "Polish date": ("pl", "Dzień dobry,\nData: 5 maja\nproszę o wizytę", "Dzień dobry,"),
    "German journey": ("de", "Umzug bitte\nVon: Berlin\nNach: Bonn\nDatum: 5. Mai\nDanke, Ann", None),
}
for name, (language, text, cut) in MAILS.items():
    reply = EmailReplyParser(languages=[language]).parse_reply(text)
    print(f"{name}: {reply!r} of {text!r}")
    assert reply == (cut or text), "mail-parser-reply behaves otherwise now"
    assert quotequail.quote(text) == [(True, text)], "quotequail behaves otherwise now"
PYTHON
