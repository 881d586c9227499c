"""Whether a mark in a text is real, or only mentioned: in code, in quotes, in the middle of a sentence. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right

_FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})([^\n`]*)$", re.MULTILINE)
_SPAN = re.compile(r"(?<!`)(`{1,3})(?!`)[^`\n]+(?<!`)\1(?!`)")
_QUOTES = {"`": "`", '"': '"', "'": "'", "“": "”", "‘": "’", "„": "“", "«": "»", "(": ")", "*": "*", "_": "_"}
# The end of a sentence, or of another mark.
_SENTENCE_ENDS = frozenset(".!?…。！？>▷】]|")
_GOES_ON = frozenset(".,;:!?)\"'”’»…")
_PREFIX = frozenset(" \t>*-#•")
_LONGEST_PREFIX = 8


class Mentions:
    """The code in a text, and the context of positions. Positions must be queried in ascending order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line, self._asked = 0, 0
        self.fences = _fences(text)
        self._code = sorted([*self.fences, *(found.span() for found in _SPAN.finditer(text))])

    def code_block(self, at: int) -> tuple[int, int] | None:
        """The fenced block that contains `at`."""
        return _holding(self.fences, at)

    def in_code(self, at: int) -> bool:
        """Whether `at` is inside a code span or block, but not at its start."""
        span = _holding(self._code, at)
        return span is not None and span[0] < at

    def quoted(self, start: int, end: int) -> bool:
        """Whether quotation marks, backticks, brackets, emphasis or `<code>` touch the range on both sides."""
        if start == 0:
            return False
        coded = self._text.startswith("</code>", end) and self._text.endswith("<code>", 0, start)
        return coded or self._text[end : end + 1] == _QUOTES.get(self._text[start - 1])

    def written_about(self, start: int, end: int, *, opens: bool) -> bool:
        """Whether the mark is only mentioned: in code, quoted, or in the middle of a sentence."""
        return self.in_code(start) or self.quoted(start, end) or (self._in_sentence(start) and self._goes_on(end, opens=opens))

    def line_of(self, at: int) -> int:
        """The start of the line that contains a position."""
        newest = self._text.rfind("\n", self._asked, at)
        if newest >= 0:
            self._line = newest + 1
        self._asked = max(self._asked, at)
        return self._line

    def _in_sentence(self, start: int) -> bool:
        line = self.line_of(start)
        if start == line or (start - line <= _LONGEST_PREFIX and set(self._text[line:start]) <= _PREFIX):
            return False
        before = self._text[start - 1]
        if before not in " \t":
            return before in _QUOTES
        at = start - 1
        while at > line and self._text[at] in " \t":
            at -= 1
        numbered = at - line <= _LONGEST_PREFIX and self._text[line:at].strip().isdigit()
        return numbered or self._text[at] not in _SENTENCE_ENDS

    def _goes_on(self, end: int, *, opens: bool) -> bool:
        after = self._text[end : end + 2]
        if not after:
            return opens
        if after[0] in " \t":
            letter = after[1:]
            return bool(letter.strip()) and (opens or (letter.isalpha() and not letter.isupper()))
        return after[0] in _GOES_ON


def _fences(text: str) -> list[tuple[int, int]]:
    """The code blocks that are closed; an unclosed one doesn't count, so that it can't hide marks."""
    blocks, opened = [], None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1].startswith(opened[1]) and not fence[2].strip():
            blocks.append((opened.start(1), fence.end()))
            opened = None
    return blocks


def _holding(spans: list[tuple[int, int]], at: int) -> tuple[int, int] | None:
    found = bisect_right(spans, at, key=lambda span: span[0]) - 1
    return spans[found] if found >= 0 and at < spans[found][1] else None
