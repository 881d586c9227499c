"""Emphasis and HTML of models that CommonMark's rules would not parse, so that the marks would stay in the text."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from markdown_it.rules_inline import emphasis

if TYPE_CHECKING:
    from markdown_it.rules_inline import StateInline

_CLAUSE_ENDS = frozenset(":.!?,;…：。！？，；、")
# Inline tags that models write, and their Markdown equivalents.
_TAG = re.compile(
    r"<(?:(a)\s(?:[^<>]{0,200}\s)?href\s{0,9}=\s{0,9}(?:\"([^\"<>]*)\"|'([^'<>]*)')[^<>]{0,200}|(b|strong|i|em|u|s|del))\s{0,9}>",
    re.IGNORECASE,
)
_MEANT = {"b": "strong", "strong": "strong", "i": "em", "em": "em", "u": "em", "s": "s", "del": "s"}
_CLOSING = {name: re.compile(f"</{name}>", re.IGNORECASE) for name in ("a", *_MEANT)}
_SAFE = re.compile(r"(?:https?:|mailto:|tel:)", re.IGNORECASE)


def strong_beside_letters(state: StateInline, silent: bool) -> bool:
    """Parse bold text that ends with a colon: `**Preis:**10 €`, and the same in Chinese.

    By CommonMark stars between punctuation and a letter close nothing, and between a letter and an opening quote open nothing.
    """
    start = state.pos
    if not emphasis.tokenize(state, silent):
        return False
    length = state.pos - start
    if state.src[start] != "*" or length < 2:  # noqa: PLR2004 (strong)
        return True
    before = state.src[start - 1] if start else " "
    after = state.src[state.pos] if state.pos < state.posMax else " "
    for delimiter in state.delimiters[-length:]:
        delimiter.close = delimiter.close or (_is_punctuation(before) and after.isalnum())
        delimiter.open = delimiter.open or (before.isalnum() and unicodedata.category(after) in {"Pi", "Ps"})
    return True


def ends_a_clause(character: str) -> bool:
    """Whether the character before closing stars is not part of a calculation."""
    return character in _CLAUSE_ENDS


def html_in_line(state: StateInline, silent: bool) -> bool:
    """Parse `<a href="...">label</a>` as a link and `<b>label</b>` as strong; other tags, and unclosed ones, are text."""
    found = _TAG.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    name = (found[1] or found[4]).lower()
    end = _closing(state, name, found.end())
    address = found[2] or found[3] or ""
    if end < 0 or (found[1] and not _SAFE.match(address)):
        return False
    if not silent:
        _push(state, "link" if found[1] else _MEANT[name], address.replace("&amp;", "&"), found.end(), end)
    state.pos = end + len(name) + 3
    return True


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character).startswith("P")


def _closing(state: StateInline, name: str, begin: int) -> int:
    """The position of a closing tag; -1 if there is none. A failed search is not repeated."""
    absent: dict[tuple[str, int, str], int] = state.env.setdefault("absent tags", {})
    looked = (name, state.posMax, state.src)
    if begin >= absent.get(looked, state.posMax):
        return -1
    found = _CLOSING[name].search(state.src, begin, state.posMax)
    if found is None:
        absent[looked] = begin
        return -1
    return found.start()


def _push(state: StateInline, kind: str, address: str, begin: int, end: int) -> None:
    tags = {"link": "a", "strong": "strong", "em": "em", "s": "s"}
    rest = state.posMax
    opened = state.push(f"{kind}_open", tags[kind], 1)
    if kind == "link":
        opened.attrs = {"href": address}
        state.linkLevel += 1
    state.pos, state.posMax = begin, end
    state.md.inline.tokenize(state)
    state.posMax = rest
    if kind == "link":
        state.linkLevel -= 1
    state.push(f"{kind}_close", tags[kind], -1)
