"""Plain English: phrases that a reader has to read twice, each with the standard term, are in no document, page, help text or docstring."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What not to write (a pattern, in any case), and what to write instead.
INSTEAD = {
    r"the whole way": "end to end",
    r"all the same": "still, anyway",
    r"without a word": "without a result; crashed",
    r"(?:chose|chooses|chosen) silence": "gave no reply",
    r"what (?:becomes?|became|has become) of": "the outcome of",
    r"how (?:it|they|things) (?:stands?|stood)": "the state, the standing",
    r"in the midst of": "in the middle of, during",
    r"bring(?:s|ing)? (?:it |the \w+ )?home": "post, deliver",
    r"takes? (?:it|them|messages|webhooks) in\b": "accept",
    r"taken? in\b(?! (?:hand|order))": "accepted",
    r"gives? (?:it|them) a way": "reveal",
    r"(?:its|their|the bridge's|an) own word (?:for|on|of)": "its status of",
    r"words? about (?:itself|themselves)": "status text",
    r"calls? for (?:somebody|nobody)": "needs attention",
    r"needs? somebody": "needs attention",
    r"waits? for somebody": "needs a decision",
    r"goes? its (?:own )?way": "continues",
    r"whoever": "the person who, everyone who",
    r"heard of (?:us|it)": "reported, was answered",
    r"at one look": "in a summary",
    r"nothing of (?:it|them|that) (?:is|was)": "none of it is",
    r"must be said": "is required",
    r"bury|burying|burial": "write a dead letter",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"use(?:s|d)? (?:no|any|a|one) (?:try|tries)(?: up)?": "uses no attempt",
    r"out of tries": "all attempts have failed",
    r"the far side": "the service",
    r"(?:was|were|is|are) taken away": "was uninstalled, was removed",
    r"seal(?:s|ed|ing)? (?:again|anew)": "re-encrypt",
    r"what (?:is|was) (?:told|said|heard|given|asked)\b": "name the thing: the answer, the text, the event, the question",
}
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "infra/docs/**/*.md", "infra/decisions/*.md", "infra/env.example", "infra/locations.example.toml")
    for path in ROOT.glob(pattern)
)
PAGES = sorted(
    path
    for folder in ("receiver/console", "simulator/page")
    for path in (ROOT / "bridge" / folder).rglob("*")
    if path.suffix in {".html", ".js"}
)
CODE = sorted(path for room in ("bridge", "workers", "infra") for path in (ROOT / room).rglob("*.py"))


def found(text: str) -> list[str]:
    """The phrases of a text that are on the list, each with what to write instead."""
    plain = " ".join(text.split())
    return [
        f"{hit[0]!r}: {instead}" for pattern, instead in INSTEAD.items() for hit in re.finditer(pattern, plain, re.IGNORECASE)
    ]


def docstrings(path: Path) -> list[str]:
    """The docstrings of a module, its classes and its functions."""
    nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        ast.get_docstring(node) or "" for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, nodes)
    ]


if __name__ == "__main__":
    for path in [*DOCUMENTS, *PAGES]:
        for one in found(path.read_text(encoding="utf-8")):
            print(path.relative_to(ROOT), one)
    for path in CODE:
        for one in (hit for text in docstrings(path) for hit in found(text)):
            print(path.relative_to(ROOT), one)
