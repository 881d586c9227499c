"""Finds the last complete sentence of a text that was cut off. Pure."""

from __future__ import annotations

import re

# The end of a sentence: its mark, closing characters, and white space; languages without spaces need no white space.
_END = re.compile(r"(?:[.!?…؟۔।]+[\"'”’»)\]*_]*(?=\s|\Z))|[。！？]+[」』”’）]*")
_LAST_WORD = re.compile(r"([^\s(\[\"'“„«]+)\.\Z")
_LONGEST_WORD = 80
_NEXT = re.compile(r"\S")
# A full stop after one of these doesn't end a sentence; nor does one after a single letter, or inside a number.
_SHORT_FORMS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "no",
        "nr",
        "vs",
        "etc",
        "approx",
        "jr",
        "sr",
        "inc",
        "ltd",
        "co",
        "dept",
        "tel",
        "ext",
        "fig",
        "vol",
        "e.g",
        "i.e",
        "a.m",
        "p.m",
        "u.s",
        "bzw",
        "ca",
        "z.b",
        "d.h",
        "inkl",
        "zzgl",
        "str",
        "av",
        "sra",
        "ud",
        "uds",
        "pág",
        "núm",
        "m.me",
        "mme",
    ]
)


def whole_sentences(text: str) -> str:
    """The text up to the end of its last complete sentence; "" if there is none."""
    # Positions instead of match objects, because the garbage collector doesn't scan numbers.
    for start in reversed([found.start() for found in _END.finditer(text)]):
        found = _END.match(text, start)
        if found and _ends(text, found):
            return text[: found.end()].rstrip()
    return ""


def _ends(text: str, found: re.Match[str]) -> bool:
    if found.group()[0] != "." or found.group().startswith(".."):
        return True
    # Positions in the text instead of copies: there may be as many full stops as letters.
    word = _LAST_WORD.search(text, max(0, found.start() - _LONGEST_WORD), found.start() + 1)
    next_ = _NEXT.search(text, found.end())
    before, behind = (word[1] if word else ""), (next_[0] if next_ else "")
    if before.isdecimal():
        # "1." begins a list item, and after the last digit the rest of a price may be missing.
        return bool(behind) and not _begins_a_line(text, found.start() - len(before))
    if before.lower() in _SHORT_FORMS or (len(before) == 1 and before.isalpha()):
        return False
    return not behind or not behind.islower()


def _begins_a_line(text: str, place: int) -> bool:
    while place and text[place - 1] in " \t-*#":
        place -= 1
    return not place or text[place - 1] == "\n"
