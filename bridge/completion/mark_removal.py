"""Removes marks and the text that belongs to them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.completion.dialects import BLOCKS, CITATION_MARKS, CLOSES, CONTROL_TOKENS, MARK, THOUGHTS, TOOL_CALL
from bridge.completion.written_about import Mentions

_ENDS_TIGHT = ".,;:!?)]}»”’…%"
_WRITTEN_WITHOUT_SPACES = "\u2e80"
_KEPT_LABEL = re.compile(
    '(?:\ue200|\\\\ue200)(?:url|entity)(?:\ue202|\\\\ue202)(?:\\["[^"\n]{0,80}","([^"\n]{1,200})"|([^\ue202\\\\\n]{1,200}))'
)


class Unclosed(Exception):
    """The text ends within a thought."""


@dataclass(frozen=True, slots=True)
class _Cut:
    start: int
    end: int
    kind: str
    instead: str = ""


def without_marks(text: str, removed: dict[str, None]) -> str:
    """The text without its marks and their content, whose kinds are added to `removed`; unchanged if none counts.

    Raises Unclosed.
    """
    cuts = _Scan(text).cuts()
    removed.update(dict.fromkeys(cut.kind for cut in cuts))
    return _joined(text, cuts) if cuts else text


class _Scan:
    """One pass over a text: finds the marks that count, and the text that belongs to them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._mentions = Mentions(text)
        self._mentioned: tuple[int, re.Match[str]] | None = None
        self._cuts: list[_Cut] = []

    def cuts(self) -> list[_Cut]:
        """The ranges to remove, in order and without overlap. Raises Unclosed."""
        done = 0
        for mark in MARK.finditer(self._text):
            if mark.start() >= done:
                done = self._taken(mark)
        return self._cuts

    def _taken(self, mark: re.Match[str]) -> int:
        role = str(mark.lastgroup)
        if role == "citation":
            if not self._mentions.in_code(mark.start()):
                label = _KEPT_LABEL.match(mark[0])
                self._cut(mark.start(), mark.end(), CITATION_MARKS, (label[1] or label[2]) if label else "")
            return mark.end()
        about = self._mentions.written_about(mark.start(), mark.end(), opens=role[0] == "o")
        if role == "control":
            struck_out = mark[0] == "</s>" and "<s>" in self._text
            if not about and not struck_out:
                self._cut(mark.start(), mark.end(), CONTROL_TOKENS)
            return mark.end()
        row = int(role[1:])
        return self._opened(row, mark, about=about) if role[0] == "o" else self._closed(row, mark, about=about)

    def _opened(self, row: int, mark: re.Match[str], *, about: bool) -> int:
        if about:
            self._mentioned = row, mark
            return mark.end()
        end = self._end_of(row, mark.end())
        if end is not None:
            self._cut(mark.start(), end, BLOCKS[row].kind)
            return end
        end = len(self._text)
        self._cut(mark.start(), end, BLOCKS[row].kind)
        if BLOCKS[row].kind == THOUGHTS:
            if not self._calls_after(mark.end()):
                raise Unclosed
            self._cut(end, end, TOOL_CALL)
        return end

    def _end_of(self, row: int, start: int) -> int | None:
        depth = 0
        for found in CLOSES[row].finditer(self._text, start):
            if BLOCKS[row].nests and found["nests"]:
                depth += 1
            elif depth:
                depth -= 1
            elif not self._mentions.quoted(found.start(), found.end()):
                return found.end()
        return None

    def _calls_after(self, start: int) -> bool:
        """A tool call after `start`, which ends thoughts that have no closing mark (Kimi K2, GLM, Ling 3: vLLM's parsers)."""
        roles = (str(mark.lastgroup) for mark in MARK.finditer(self._text, start))
        return any(role[0] == "o" and BLOCKS[int(role[1:])].kind == TOOL_CALL for role in roles)

    def _closed(self, row: int, mark: re.Match[str], *, about: bool) -> int:
        opening = self._mentioned[1] if self._mentioned and self._mentioned[0] == row else None
        block = self._mentions.code_block(mark.start())
        if block and not (opening and opening.start() >= block[0]):
            about = False
        if about:
            return mark.end()
        start = mark.start() if BLOCKS[row].kind == TOOL_CALL else 0
        if start == 0 and opening and opening.start() >= self._mentions.line_of(mark.start()):
            self._mentioned = None
            if not any(sign.isalnum() for sign in self._text[opening.end() : mark.start()]):
                return mark.end()
            start = opening.start()
        self._cut(start, mark.end(), BLOCKS[row].kind)
        return mark.end()

    def _cut(self, start: int, end: int, kind: str, instead: str = "") -> None:
        while self._cuts and self._cuts[-1].start >= start and self._cuts[-1].end > start:
            self._cuts.pop()
        self._cuts.append(_Cut(start, end, kind, instead))


def _joined(text: str, cuts: list[_Cut]) -> str:
    """The remaining text, with corrected white space where something was removed."""
    pieces, at = [], 0
    for cut in cuts:
        pieces += [text[at : cut.start], cut.instead]
        at = cut.end
    pieces.append(text[at:])
    joined: list[str] = []
    blanks = ""
    for piece in pieces:
        bare = piece.strip()
        if not bare:
            blanks += piece
            continue
        start = piece.index(bare)
        joined += [_gap(joined[-1][-1], blanks + piece[:start], bare[0]) if joined else "", bare]
        blanks = piece[start + len(bare) :]
    return "".join(joined)


def _gap(last: str, blanks: str, first: str) -> str:
    if "\n" in blanks:
        return "\n" * min(blanks.count("\n"), 2) + blanks[blanks.rindex("\n") + 1 :]
    if first in _ENDS_TIGHT:
        return ""
    apart = (last.isalnum() or last in _ENDS_TIGHT) and first.isalnum() and max(last, first) < _WRITTEN_WITHOUT_SPACES
    return " " if blanks or apart else ""
