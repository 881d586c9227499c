#!/usr/bin/env bash
# A workflow's raw body is a JSON template into which the text of a message is put as it is: quotes and line breaks in the text break the JSON.
# What one would expect of a JSON repairer: what it can't make sense of it refuses, or it keeps the other fields; and it changes no value.
# What happens with json_repair: quotes, commas and line breaks in the text come out right. But at a quoted closing brace ("press "}" twice") the
# document ends there: text and every field after it, the contact's id too, are gone; nothing is raised, and the log that can be asked for says
# that there were no more elements. A phone number that the template left without quotes (+15550100) becomes the integer 15550100, a post code 02134
# the integer 2134. "1,234.50" and 2026-11-30, just as little JSON, stay as they are.
# Versions: json-repair 0.64.6. Seen 2026-11-30. Source: this script; no report of it was looked for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "json-repair==0.64.6"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import json_repair

print("json-repair", version("json-repair"))
REST = ', "contactId": "c1", "locationId": "l1"}'
IDS = {"contactId": "c1", "locationId": "l1"}
BODIES = {
    '{"body": "Two lines\nand a "quote", ok?"' + REST: {"body": 'Two lines\nand a "quote", ok?', **IDS},
    '{"body": "I press "}" twice"' + REST: {"body": "I press "},
    '{"phone": +15550100' + REST: {"phone": 15550100, **IDS},
    '{"postalCode": 02134' + REST: {"postalCode": 2134, **IDS},
    '{"amount": 1,234.50' + REST: {"amount": "1,234.50", **IDS},
}
for body, expected in BODIES.items():
    read = json_repair.loads(body)
    print(f"{body!r}\n    -> {read}")
    assert read == expected, "json-repair behaves otherwise now"
_, log = json_repair.repair_json('{"body": "I press "}" twice"' + REST, logging=True)
print("its log:", [each["text"] for each in log])
assert "no more elements" in log[-1]["text"], "json-repair tells it otherwise now"
PYTHON
