"""Counts the segments of an SMS, and replaces characters that would double its price."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from gsm0338 import Codec  # type: ignore[import-untyped]  # it ships no types

from bridge.policy.formatting.splitting import SHORTEN_AT, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

# GSM-7 in septets, UCS-2 in UTF-16 units: a single message, and each segment of a longer one (3GPP TS 23.040).
_SEPTETS = (160, 153)
_UNITS = (70, 67)
_LAST_OF_BMP = "\uffff"

_ALPHABET = Codec()

# Typographic characters that GSM-7 lacks, and their plain replacements. Letters and emojis are not replaced.
_TYPEWRITTEN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´ʼ", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‹›", "'"),
        **dict.fromkeys("‐‑‒–—―−•‣◦▪●", "-"),
        **dict.fromkeys(
            "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
        ),
        **dict.fromkeys("\u200b\u2060\u00ad", ""),
        "…": "...",
    }
)
# Characters that join, direct or style their neighbours, without an effect next to GSM-7 characters. They are kept in emojis and
# in scripts that need them.
_MARKS = re.compile("[\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]+")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_DASH_BETWEEN_WORDS = re.compile(r"(?<=\w)—(?=\w)")


def fold(text: str) -> str:
    """The text with typographic quotes, dashes, bullets, ellipses and spaces as GSM-7 has them, its accents composed.

    Invisible characters without an effect are removed, because one of them would triple the price.
    """
    folded = _DASH_BETWEEN_WORDS.sub(" - ", unicodedata.normalize("NFC", text)).translate(_TYPEWRITTEN)
    # Next to Arabic and Hebrew they set the position of a full stop.
    return folded if _RIGHT_TO_LEFT.search(folded) else _MARKS.sub(_needed, folded)


def _needed(marks: re.Match[str]) -> str:
    beside = marks.string[max(0, marks.start() - 1) : marks.start()] + marks.string[marks.end() : marks.end() + 1]
    return "" if all(map(_septets, beside)) else marks[0]


def count_segments(text: str) -> int:
    """The number of segments of the text. Escape pairs of GSM-7 and surrogate pairs are not split between segments."""
    if not text:
        return 0
    sizes, (alone, room) = [_septets(character) for character in text], _SEPTETS
    if not all(sizes):
        sizes, (alone, room) = [2 if character > _LAST_OF_BMP else 1 for character in text], _UNITS
    if sum(sizes) <= alone:
        return 1
    segments, left = 1, room
    for size in sizes:
        if size > left:
            segments, left = segments + 1, room
        left -= size
    return segments


def cap(parts: Sequence[str], most: int) -> tuple[str, ...]:
    """The parts that fit into `most` segments; the first that doesn't is cut after a sentence, or else after a word."""
    kept: list[str] = []
    for part in parts:
        if most < 1:
            break
        head, rest = cut(part, partial(_costs_at_most, most), SHORTEN_AT)
        kept.append(head)
        most = 0 if rest else most - count_segments(head)
    return tuple(kept)


def _costs_at_most(most: int, text: str) -> bool:
    return count_segments(text) <= most


@lru_cache(maxsize=4096)
def _septets(character: str) -> int:
    """The septets of a character in GSM-7: two outside the basic alphabet, 0 if it is not in GSM-7."""
    return len(_ALPHABET.encode(character, "ignore")[0])
