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
    """Whether the words are the same. A text with only markup is compared unchanged."""
    return _essence(one) == _essence(other)


def digest(text: str) -> str:
    """A digest of a text's words, equal for all texts with the same words; empty for an empty text."""
    essence = _essence(text)
    return blake2b(" ".join(essence).encode("utf-8", "replace"), digest_size=12).hexdigest() if essence else ""


def plain(text: str) -> str:
    """A short whole message normalised: lower case, without punctuation around and between its words."""
    return " ".join(re.sub(r"[^\w\s]|_", " ", text).casefold().split())


def bare(text: str) -> str:
    """Only the letters and digits of a text, in lower case, because programs change quotes, marks and spaces."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def letters(text: str) -> str:
    """The text in plain letters: without full width, accents and invisible characters."""
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)))
    return unicodedata.normalize("NFKC", bare)


def _essence(text: str) -> list[str]:
    return unescape(_without_tags(text)).casefold().split() or text.split()


def _without_tags(text: str) -> str:
    """The text with a space for each tag.

    Text after the last `>` is not searched, because each `<` there would scan to the end.
    """
    tagged, end, rest = text.rpartition(">")
    return re.sub(r"<[^>]+>", " ", tagged + end) + rest
