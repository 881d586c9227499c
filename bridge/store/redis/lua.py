"""The Lua scripts: each is loaded after the parts that it needs, and its errors name the file and the line.

A script is any `.lua` file below this folder; one in a folder named `parts` is a part. `-- Needs: timeline, schedule` names the
parts that come before it; `state` comes before all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

PARTS = "parts"

# Redis 7 ends an error with "script: SHA, on @user_script:LINE.", 6.2 begins it with "(call to f_SHA): @user_script:LINE:". An
# error that `parts/each.lua` catches ends with the script's name instead.
_WHICH = re.compile(r"\b(?:script: |f_)(\w+)")
_LINE = re.compile(r"\buser_script: ?(\d+)")
_COMMENT = re.compile(r"^[ \t]*--.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a loaded script. `place` is its name in errors, such as `parts/applying.lua`."""

    place: str
    text: str

    @property
    def code(self) -> str:
        """The text for Redis: each comment becomes an empty line, so that line numbers stay the same."""
        return _COMMENT.sub("", self.text)


@cache
def script(name: str) -> str:
    """The complete text of one script."""
    return "".join(source.code for source in sources(name))


def sources(name: str) -> tuple[Source, ...]:
    """A script's files in loading order: each part after those that it needs, the script last."""
    parts, found = all_parts(), all_scripts()[name]
    loaded: dict[str, Source] = {}

    def add(part: str) -> None:
        if part not in loaded:
            for needed in _needs(parts[part].text):
                add(needed)
            loaded[part] = parts[part]

    for part in ("state", *_needs(found.text)):
        add(part)
    return (*loaded.values(), found)


@cache
def all_scripts() -> dict[str, Source]:
    """Every script by its name."""
    return {name: source for name, source in _walk(files("bridge.store")) if not source.place.startswith(f"{PARTS}/")}


@cache
def all_parts() -> dict[str, Source]:
    """Every part by its name."""
    return {name: source for name, source in _walk(files("bridge.store")) if source.place.startswith(f"{PARTS}/")}


def place_at(name: str, line: int) -> str:
    """The source of a line of a loaded script, such as `parts/applying.lua:12`."""
    for source in sources(name):
        lines = source.text.count("\n")
        if line <= lines:
            return f"{source.place}:{line}"
        line -= lines
    return all_scripts()[name].place


def locate(message: str) -> str:
    """A script's error message with `parts/applying.lua:12` in place of `user_script:523`; other messages are unchanged."""
    name = _script_of(message)
    return _LINE.sub(lambda line: place_at(name, int(line[1])), message) if name else message


def place_of(message: str) -> str:
    """The place of a script's error, such as `parts/applying.lua:12`; empty if the message is not from a script.

    For a refused command in a script of many calls, Redis names no line: then the place is only the script's file.
    """
    name = _script_of(message)
    if not name:
        return ""
    place = re.search(r"[\w/]+\.lua:\d+", locate(message))
    return place[0] if place else all_scripts()[name].place


def _walk(folder: Traversable, within: str = "") -> Iterator[tuple[str, Source]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, entry.name)
        elif entry.name.endswith(".lua"):
            place = f"{within}/{entry.name}" if within == PARTS else entry.name
            yield entry.name.removesuffix(".lua"), Source(place, entry.read_text(encoding="utf-8"))


def _needs(text: str) -> list[str]:
    line = re.search(r"^-- Needs: (.+)$", text, re.MULTILINE)
    return line.group(1).split(", ") if line else []


def _script_of(message: str) -> str | None:
    """The script of an error message, found by its name or by its hash in Redis."""
    match = _WHICH.search(message)
    names = all_scripts()
    if match is None or match[1] in names:
        return match and match[1]
    shas = ((name, sha1(script(name).encode(), usedforsecurity=False).hexdigest()) for name in names)
    return next((name for name, sha in shas if sha == match[1]), None)
