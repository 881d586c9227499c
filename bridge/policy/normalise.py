"""When two texts count as the same: GHL may rewrite white space and e-mail markup, but keeps the words."""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from html import unescape

# Of Latin, Greek and Cyrillic; the vowel signs of other scripts are letters.
_ACCENTS = re.compile("[\u0300-\u036f]")
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")


def same(one: str, other: str) -> bool:
    """Whether the words are the same. A text that is nothing but markup stands for itself."""
    return _essence(one) == _essence(other)


def digest(text: str) -> str:
    """A short name for a text's words, the same for all texts that say the same; empty for an empty text."""
    essence = _essence(text)
    return blake2b(" ".join(essence).encode("utf-8", "replace"), digest_size=12).hexdigest() if essence else ""


def plain(text: str) -> str:
    """A short whole message as a person means it: any case, without punctuation around and between its words."""
    return " ".join(re.sub(r"[^\w\s]|_", " ", text).casefold().split())


def bare(text: str) -> str:
    """The letters and digits of a text alone, in one case: what is left whatever quotes, marks and spaces a program changes."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def letters(text: str) -> str:
    """The text in the plainest letters that it may be written in: no full width, no accents, no invisible marks."""
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)))
    return unicodedata.normalize("NFKC", bare)


def _essence(text: str) -> list[str]:
    return unescape(_without_tags(text)).casefold().split() or text.split()


def _without_tags(text: str) -> str:
    """The text with a space for each tag. Behind the last `>` no tag can end: each `<` there would look for one to the end."""
    tagged, end, rest = text.rpartition(">")
    return re.sub(r"<[^>]+>", " ", tagged + end) + rest
