"""Where a text that was cut off can be ended. Pure."""

from __future__ import annotations

import re

# The end of a sentence: its mark, what closes behind it, and then a break; languages without spaces need none.
_END = re.compile(r"(?:[.!?…؟۔।]+[\"'”’»)\]*_]*(?=\s|\Z))|[。！？]+[」』”’）]*")
_LAST_WORD = re.compile(r"([^\s(\[\"'“„«]+)\.\Z")
# A full stop behind one of these ends no sentence; nor does one behind a single letter, or in the middle of a number.
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
    """The text up to the end of its last whole sentence; "" if not even one is whole."""
    for found in reversed(list(_END.finditer(text))):
        if _ends(text, found):
            return text[: found.end()].rstrip()
    return ""


def _ends(text: str, found: re.Match[str]) -> bool:
    if found.group()[0] != "." or found.group().startswith(".."):
        return True
    word = _LAST_WORD.search(text[: found.start() + 1])
    before, behind = (word[1] if word else ""), text[found.end() :].lstrip()
    if before.isdecimal():
        # "1." begins an item of a list, and behind the last digit the rest of a price may be missing.
        return bool(behind) and not _begins_a_line(text, found.start() - len(before))
    if before.lower() in _SHORT_FORMS or (len(before) == 1 and before.isalpha()):
        return False
    return not behind or not behind[0].islower()


def _begins_a_line(text: str, place: int) -> bool:
    return not text[:place].rpartition("\n")[2].strip(" \t-*#")
