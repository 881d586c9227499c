"""The commands in the documents: those in ```sh fences, and those in `code` within sentences."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NAMES = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
DOCUMENTS = tuple(ROOT / name for name in NAMES) + tuple(sorted((ROOT / "infra/docs").rglob("*.md")))

_FENCE = re.compile(r"^ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ANY_FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_ASSIGNED = re.compile(r"[A-Z_]+=")
_ENDS = frozenset({"&&", "||", "|", ";"})
_REDIRECTS = frozenset({"<", ">", ">>"})


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one fence, without comments and with continued lines joined; `where` is its document and line."""

    where: str
    lines: tuple[str, ...]


def blocks() -> Iterator[Block]:
    """Every ```sh fence of the documents."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for fence in _FENCE.finditer(text):
            lines = fence[1].replace("\\\n", " ").splitlines()
            where = f"{document.relative_to(ROOT)}:{text.count(chr(10), 0, fence.start()) + 1}"
            yield Block(where, tuple(re.sub(r"\s+#\s.*", "", line).strip() for line in lines if line.strip()))


def named() -> Iterator[str]:
    """The `code` in the documents' sentences."""
    for document in DOCUMENTS:
        yield from _CODE.findall(_ANY_FENCE.sub("", document.read_text(encoding="utf-8")))


def commands(line: str) -> list[list[str]]:
    """The simple commands of a line, each as its words, without assignments and redirections."""
    read = shlex.shlex(line, posix=True, punctuation_chars=True)
    read.whitespace_split = True
    words = list(read)
    kept = [words[0], *(word for before, word in pairwise(words) if before not in _REDIRECTS and word not in _REDIRECTS)]
    found: list[list[str]] = [[]]
    for word in kept:
        if word in _ENDS:
            found.append([])
        elif found[-1] or not _ASSIGNED.match(word):
            found[-1].append(word)
    return [each for each in found if each]


def ours(words: list[str]) -> list[str] | None:
    """The words after `ghl-bridge`, also in a docker command; None for other commands."""
    if words[0].rpartition("/")[2] == "ghl-bridge":
        return words[1:]
    starts = {"run", "exec"} & set(words) and words[0] == "docker"
    at = [number for number, word in enumerate(words) if word == "ghl-bridge"]
    return words[at[-1] + 1 :] if starts and at else None
