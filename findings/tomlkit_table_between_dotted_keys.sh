#!/usr/bin/env bash
# A program edits a person's settings file with tomlkit, which keeps comments and layout. The person wrote a sub-table as dotted keys (hours.open = 9);
# the program adds a table to it by plain assignment: document["shop"]["hours"]["sunday"] = {...}.
# What one would expect: what is written reads as what stands in memory, or an error. tomlkit moves a new table behind the plain keys where a header would
# swallow them, if the sub-table was written with a header of its own or inline.
# What happens between dotted keys: the new table is written as [hours.sunday] on the spot. The file is valid TOML and says something else: the shop has no
# Sunday, and each key below the spot, the shop's name too, belongs to "hours.sunday" at the top of the file. In memory all is right, so a check before
# writing sees nothing. A list of tables does the same. With `tomlkit.inline_table()` it comes out right; reading back what `dumps` made shows it.
# Versions: tomlkit 0.15.2, read back with Python 3.11's tomllib. Seen 2026-12-01. Source: this script; tomlkit's issue 495 and pull request 500 (2026-06)
# mended dotted keys within an inline table, where the output was no TOML.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "tomlkit==0.15.2"
"$work/venv/bin/python" - <<'PYTHON'
import tomllib
from importlib.metadata import version

import tomlkit

print("tomlkit", version("tomlkit"))
SUNDAY = {"open": 10, "close": 14}
DOTTED = '[shop]\nhours.open = 9 # but see the door\nhours.close = 17\nname = "Flowers"\n'
HEADER = '[shop]\nname = "Flowers"\n\n[shop.hours]\nopen = 9\nclose = 17\n\n[other]\n'
INLINE = '[shop]\nhours = { open = 9, close = 17 }\nname = "Flowers"\n'


def edited(text, value):
    """What stands in memory after the edit, what was written, and what that says."""
    document = tomlkit.parse(text)
    document["shop"]["hours"]["sunday"] = value
    written = tomlkit.dumps(document)
    return document.unwrap(), written, tomllib.loads(written)


for name, text in {"header": HEADER, "inline": INLINE}.items():
    memory, _, read = edited(text, SUNDAY)
    print(f"{name}: reads as in memory: {read == memory}")
    assert read == memory, "tomlkit behaves otherwise now"

for name, value in {"table": SUNDAY, "list of tables": [SUNDAY]}.items():
    memory, written, read = edited(DOTTED, value)
    print(f"== dotted keys, a {name}:\n{written}-- in memory: {memory}\n-- read back: {read}")
    assert memory["shop"]["name"] == "Flowers" and memory["shop"]["hours"]["sunday"] == value
    assert read["shop"] == {"hours": {"open": 9}}, "tomlkit behaves otherwise now"
    misplaced = read["hours"]["sunday"] if isinstance(value, dict) else read["hours"]["sunday"][0]
    assert misplaced == {**SUNDAY, "hours": {"close": 17}, "name": "Flowers"}, "tomlkit behaves otherwise now"

cure = tomlkit.inline_table()
cure.update(SUNDAY)
memory, written, read = edited(DOTTED, cure)
print(f"== dotted keys, an inline table:\n{written}")
assert read == memory, "the cure doesn't work any more"
PYTHON
