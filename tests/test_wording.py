"""Plain English: listed phrases are in no document, page, help text or docstring."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What not to write (a pattern, in any case), and what to write instead.
INSTEAD = {
    r"the whole way": "end to end",
    r"all the same\b": "still, anyway",
    r"(?:ends?|ended|stops?|stopped) without a word": "crashed, ended without a result",
    r"(?:chose|chooses|chosen) silence": "gave no reply",
    r"what (?:becomes?|became|has become) of": "the outcome of",
    r"how (?:it|they|things) (?:stands?|stood)\b": "the state, the standing",
    r"in the midst of": "in the middle of, during",
    r"bring(?:s|ing)? (?:it |the \w+ )?home": "post, deliver",
    r"takes? (?:it|them|messages|webhooks) in\b": "accept",
    r"\btaken in\b": "accepted",
    r"words? about (?:itself|themselves)": "status text",
    r"calls? for (?:somebody|nobody)": "needs attention",
    r"needs? somebody": "needs attention",
    r"waits? for somebody": "needs a decision",
    r"goes? its (?:own )?way": "continues",
    r"\bwhoever\b": "the person who, everyone who",
    r"heard of us": "was answered",
    r"at one look": "in a summary",
    r"nothing of (?:it|them|that) (?:is|was)": "none of it is",
    r"\bbury(?:ing)?\b": "write a dead letter",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"us(?:e|es|ed|ing) (?:up )?(?:no|any|a|one) (?:try|tries)\b": "uses no attempt",
    r"out of tries": "all attempts have failed",
    r"(?:was|were|is|are) taken away": "was uninstalled, was removed",
    r"seal(?:s|ed|ing)? (?:again|anew)": "re-encrypt",
    r"what (?:is|was) (?:told|said|heard|given|asked)\b": "the thing itself: the answer, the text, the event, the question",
    r"never over a human\b(?!\.\*\*)": "never talks over a person",
    r"keeps? (?:its|their) word": "is durable, guarantees",
    r"\banew\b": "again",
    r"\blikewise\b": "as above, or say it again",
    r"for want of": "because ... is missing",
    r"in (?:its|his|their|the \w+'s|a \w+ \w+'s) stead": "instead",
    r"\bon record\b": "stored, recorded",
    r"\bheard of\b": "known, was reported",
    r"without a word\b": "without a result, silently",
    r"takes? no note": "stores nothing",
    r"(?:is|are|was|were) told of\b": "gets, is informed about",
    r"\btells? of\b": "reports, shows, names",
    r"\bout of (?:its|their) own\b": "by itself",
    r"pa(?:ys|id) (?:for|from) (?:it|them|what|with|GHL|a location)": "counts against the rate limit, reserves",
    r"\bso many (?:of|lanes|locations|seconds|messages|bytes|usually)\b": "this many, `count`",
    r"(?:nobody|somebody)'s\b": "of no one, of a person",
    r"how (?:it|they|things) (?:is|are) (?:left|kept)\b": "the state",
    r"had room\b|has no room\b|is room for\b": "is (not) allowed",
    r"\bhas stopped a channel": "opted out of a channel",
    r"\b(?:buys?|bought)\b": "asks for, leads to",
    r"\b(?:says?|tells?|knows?) nothing of\b": "does not mention, has no data about",
    r"\bas ever\b": "as before",
    r"\bheed(?:s|ed)?\b": "follow, obey, check",
    r"\b(?:gives?|gave) away\b": "shows, discloses",
    r"\b(?:comes?|came) along\b": "arrives",
    r"\b(?:brings?|brought) along\b": "contains, returns",
    r"\blook(?:s|ed)? (?:after|over) (?:it|them)\b": "check, maintain",
    r"\bat hand\b": "here, known",
    r"\bout of turn\b": "in the wrong order",
    r"\bgoes on (?:with|as|from)\b": "continues",
    r"\bthe next try\b": "the next attempt",
    r"(?:opt-outs?|forbids?|forbade|stop words?|limits?) still holds?\b": "still apply",
    r"\b(?:is|are|was|were) (?:not )?whole\b(?! (?:ms|milliseconds|numbers?)\b)": "complete",
    r"\bsigns? of life\b": "heartbeat",
    r"speaks? against (?:it|them)": "forbids it",
    r"\b(?:takes?|took) (?:no repl|the (?:API )?version|the e-?mail|the report)": "accept",
    r"\bby night\b": "in `make nightly`",
    r"(?:conversations?|turns?) at work\b": "in progress",
    r"cop(?:y|ies)(?: that)?(?: is| was| are)? put back": "a restored copy",
    r"\b(?:takes?|took|taken|taking)(?: [\w']+){0,4} along\b": "include",
    r"\bcommonest\b": "most frequent",
    r"\bnewest words\b": "newest message",
    r"\bsome (?:\d[\d.,]*|hundreds?|thousands?)\b": "about, several",
    r"\bin so many (?:seconds|minutes)\b": "after some seconds",
    r"(?:which|what|how) (?:[\w ]+ )?what it is to\b": "what is expected",
    r"\b(?:comes?|came) to (?:its|their|the same) ends?\b": "ends, has an outcome",
    r"\b(?:lets?|letting) (?:the \w+ |it )go on\b": "resume, continue",
    r"\bsays? (?:all )?that is to be\b": "lists",
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
SCRIPTS = sorted((ROOT / "bridge").rglob("*.lua"))
CODE = sorted(path for room in ("bridge", "workers", "infra") for path in (ROOT / room).rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))


def found(text: str) -> list[str]:
    """The listed phrases in a text, each with what to write instead."""
    plain = " ".join(text.split())
    return [
        f"{hit[0]!r}: write {instead!r}"
        for pattern, instead in INSTEAD.items()
        for hit in re.finditer(pattern, plain, re.IGNORECASE)
    ]


def docstrings(path: Path) -> list[str]:
    """The docstrings of a module, its classes and its functions."""
    nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, nodes)]


@pytest.mark.parametrize("path", [*DOCUMENTS, *PAGES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documents_and_pages_are_in_plain_english(path: Path) -> None:
    """None of the listed phrases is in a document, a page of the console or of the sandbox."""
    assert found(path.read_text(encoding="utf-8")) == []


def test_docstrings_are_in_plain_english() -> None:
    """None of the listed phrases is in a docstring, and so in no help text and no description of the admin API.

    The tests' docstrings are read too, except those of this module.
    """
    assert len(CODE) > 300
    assert len(TESTS) > 300
    files = [*CODE, *TESTS]
    hits = {path.relative_to(ROOT).as_posix(): [hit for text in docstrings(path) for hit in found(text)] for path in files}
    assert {name: phrases for name, phrases in hits.items() if phrases} == {}


def test_comments_of_lua_scripts_are_in_plain_english() -> None:
    """None of the listed phrases is in a comment of a Lua script or part."""
    assert len(SCRIPTS) > 60
    comments = {path: "\n".join(re.findall(r"-- *(.*)", path.read_text(encoding="utf-8"))) for path in SCRIPTS}
    hits = {path.relative_to(ROOT).as_posix(): found(text) for path, text in comments.items()}
    assert {name: phrases for name, phrases in hits.items() if phrases} == {}


def test_a_listed_phrase_is_seen() -> None:
    """This holds in any case, across a line break, with the term to write instead."""
    assert found("What\n    becomes of it") == ["'What becomes of': write 'the outcome of'"]
    assert found("The outcome of a message.") == []
