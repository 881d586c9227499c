"""Splits a text into parts of limited length, at the best places. The limits per channel: `limits.py`."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING

from wcwidth import grapheme_boundary_before

if TYPE_CHECKING:
    from collections.abc import Sequence

Measure = Callable[[str], int]

# Each matches up to a place where a text may be cut. A sentence doesn't end after an initial, a title, or the number of a list
# item, nor before a small letter; in Chinese and Japanese no space follows.
_PARAGRAPH = r"\S(?=\n\n)"
_LINE = r"\S(?=\n)"
_SENTENCE = (
    r"(?<![.!?…])(?:(?<!\b[^\W\d_])(?<!\b(?:Dr|Mr|Ms|St|No|Nr|vs|ca))(?<!\b(?:Mrs|Tel|Str))(?<!\n\d)(?<!\n\d\d)[.]|[!?…])"
    r"[.!?…]*[\"'”’»)\]]*(?=\s+[^\sa-z])|[。！？]+[」』）]*"
)
_WORD = r"\S(?=\s)"

SPLIT_AT = tuple(map(re.compile, (_PARAGRAPH, _LINE, _SENTENCE, _WORD)))
SHORTEN_AT = tuple(map(re.compile, (f"{_SENTENCE}|{_LINE}", _WORD)))

# A greeting is too short for a separate part: before this share of a part, only breaks between words count.
_LEAST_SHARE = 8


def utf16_units(text: str) -> int:
    """A text's length as JavaScript and Java count it: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_bytes(text: str) -> int:
    """A text's length in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def split(text: str, limit: int, measure: Measure) -> tuple[str, ...]:
    """Split a text into parts of at most `limit`: at paragraphs, lines, sentences, words; a longer word between characters.

    Only white space at the cuts is removed, and no part is blank; a blank text has no parts.
    """
    parts, rest = [], text.strip()
    while rest:
        part, rest = cut(rest, lambda head: measure(head) <= limit, SPLIT_AT)
        parts.append(part)
    return tuple(parts)


def cut(text: str, fits: Callable[[str], bool], breaks: Sequence[re.Pattern[str]]) -> tuple[str, str]:
    """Cut a stripped text into a part that fits and the rest, at the last break of the first kind that occurs.

    Every prefix of a text that `fits` must fit too. At least one character is cut off.
    """
    if fits(text):
        return text, ""
    most = max(1, bisect_left(range(1, len(text) + 1), True, key=lambda length: not fits(text[:length])))
    end = _end(text, most, breaks)
    return text[:end].rstrip(), text[end:].lstrip()


def _end(text: str, most: int, breaks: Sequence[re.Pattern[str]]) -> int:
    for pattern in breaks:
        least = 0 if pattern is breaks[-1] else most // _LEAST_SHARE
        # Three characters further, for what a break looks ahead at.
        ends = [found.end() for found in pattern.finditer(text, least, most + 3) if found.end() <= most]
        if ends:
            return ends[-1]
    return grapheme_boundary_before(text, most + 1) or most
