"""Lints the Lua scripts with luacheck, each as Redis gets it: after the parts that it needs. Warnings name the file and its line.

A function of a part may be unused in one script, but not in all of them. luacheck is not a Python package. Without it on PATH
nothing is linted; this is reported, and is an error if REQUIRE_LUACHECK is set.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from bridge.store.redis.lua import all_scripts, place_at, sources

ROOT = Path(__file__).parents[2]
WARNING = re.compile(r"^(?P<file>.*?):(?P<line>\d+):(?P<column>\d+): \((?P<code>\w+)\) (?P<what>.*)$", re.MULTILINE)
UNUSED = "W211"


def main() -> int:
    """Print the warnings; returns the exit code."""
    luacheck = shutil.which("luacheck")
    if luacheck is None:
        where = "on Debian and Ubuntu `apt-get install lua-check`, elsewhere `luarocks install luacheck`"
        print(f"Lua scripts: NOT LINTED, there is no luacheck on PATH ({where})", file=sys.stderr)
        return int(bool(os.environ.get("REQUIRE_LUACHECK")))
    found = warnings(luacheck)
    for line in found:
        print(line)
    print(f"Lua scripts: {len(found)} warnings in {len(all_scripts())} scripts")
    return int(bool(found))


def warnings(luacheck: str) -> list[str]:
    """Each warning once, even if a part is loaded with many scripts."""
    with tempfile.TemporaryDirectory() as folder:
        for name in all_scripts():
            text = "".join(source.text for source in sources(name))
            Path(folder, f"{name}.lua").write_text(text, encoding="utf-8")
        options = ["--config", str(ROOT / ".luacheckrc"), "--formatter", "plain", "--codes", "--no-cache"]
        command = [luacheck, *options, folder]
        run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the one that was found
    if run.returncode > 1:
        raise SystemExit(run.stdout + run.stderr)
    counts = Counter(_located(match) for match in WARNING.finditer(run.stdout))
    loaded = Counter(source.place for name in all_scripts() for source in sources(name))
    return sorted(line for (place, line, unused), count in counts.items() if not unused or count == loaded[place])


def _located(match: re.Match[str]) -> tuple[str, str, bool]:
    """The file of a warning, the warning, and whether it is about something unused."""
    name = Path(match["file"]).stem
    place = place_at(name, int(match["line"]))
    what = re.sub(r"\bon line (\d+)", lambda line: f"at {place_at(name, int(line[1]))}", match["what"])
    return place.partition(":")[0], f"{place}:{match['column']}: {match['code']} {what}", match["code"] == UNUSED


if __name__ == "__main__":
    sys.exit(main())
