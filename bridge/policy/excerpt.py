"""Cleans a service's error text for the operator: without secrets, personal data, and the texts of the question. Pure.

Known values are removed wherever the service echoes them, however they are encoded (JSON, URL, HTML, or nested). Other tokens,
e-mail addresses and numbers are recognised by their format.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bridge.model import Contact

    Span = tuple[int, int, str]

MOST_BYTES = 1024
# How much of a body an error contains (`BridgeError.said`). If it is that long, its end is dropped, because it may contain the
# beginning of a value that is only recognised as a whole.
MOST_READ_BYTES = 4096
LEFT_OUT_AT_THE_END = 300
# This many words of a text in a row count as that text, even if the service echoes only a part of it.
WORDS_IN_A_ROW = 3
# The maximum depth of nested encodings.
MOST_LAYERS = 5
SECRET, TEXT, PERSON, EMAIL, PHONE = "[secret]", "[text]", "[contact]", "[e-mail]", "[phone]"

_ESCAPE = re.compile(r'(?:\\u[0-9a-fA-F]{4})+|\\["\\/bfnrt]')
_LETTERS = {"b": " ", "f": " ", "n": "\n", "r": "\n", "t": "\t"}
# Words, and single characters of scripts without spaces.
_WORD = re.compile(r"[\u0e00-\U0010ffff]|[^\W\u0e00-\U0010ffff]+")
_MARKS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LOOKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), label)
    for pattern, label in (
        (r"(?i:\b(?:bearer|basic)\s+)[\w.~+/=*-]+", SECRET),
        (r"\b(?:sk|pit)-[\w*-]+", SECRET),
        (r"\beyJ[\w-]{5,}(?:\.[\w-]*){0,4}", SECRET),
        (r"\b[0-9a-fA-F]{32,}\b", SECRET),
        (r"(?<![\w+-])(?=[\w+-]*[0-9])(?=[\w+-]*[a-z])(?=[\w+-]*[A-Z])[\w+-]{40,}=*", SECRET),
        (r"[\w.%+-]{1,64}@[\w-]+(?:\.[\w-]+)+", EMAIL),
        (r"\+\d(?:[\s().-]{0,2}\d){6,14}", PHONE),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The values of a turn that must not be in an excerpt.

    `secrets` are plain tokens; `texts` the question and earlier messages; `contact` the contact, if it was looked up.
    """

    secrets: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    contact: Contact | None = None


def excerpt(said: bytes, known: Known) -> str:
    """The cleaned beginning of a service's body: at most 1 KiB in UTF-8, empty if no text is left."""
    text = _plain(said[:MOST_READ_BYTES].decode("utf-8", "replace"))
    spans = [*_secrets(text, known.secrets), *_looks(text), *_words(text, known)]
    if known.contact:
        spans += _addresses(text, known.contact)
    if len(said) >= MOST_READ_BYTES:
        spans.append((max(0, len(text) - LEFT_OUT_AT_THE_END), len(text), ""))
    return _cut(_without(text, sorted(spans)).strip())


def _plain(text: str) -> str:
    """The readable text: escapes of JSON, URLs and HTML decoded, without control, format and direction characters."""
    for _ in range(MOST_LAYERS):
        undone = unescape(unquote(_ESCAPE.sub(_unescaped, text), errors="replace"))
        if undone == text:
            break
        text = undone
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in _MARKS)


def _unescaped(found: re.Match[str]) -> str:
    escape = found[0]
    if escape[1] != "u":
        return _LETTERS.get(escape[1], escape[1])
    units = b"".join(int(unit, 16).to_bytes(2, "big") for unit in escape.split("\\u")[1:])
    return units.decode("utf-16-be", "replace")


def _secrets(text: str, secrets: Iterable[str]) -> Iterator[Span]:
    for secret in {form for one in secrets for form in (one, _plain(one)) if form.strip()}:
        yield from _found(re.escape(secret), text, SECRET)


def _looks(text: str) -> Iterator[Span]:
    for pattern, label in _LOOKS:
        for found in pattern.finditer(text):
            yield (*found.span(), label)


def _addresses(text: str, contact: Contact) -> Iterator[Span]:
    email, digits = _plain(contact.email.strip()), re.sub(r"\D", "", contact.phone)
    if email:
        yield from _found(f"(?i:{re.escape(email)})", text, EMAIL)
    if digits:
        # In any notation, with or without the country code.
        yield from _found(r"[+(]*(?:\d[\s()./-]*){0,9}" + r"[\s()./-]*".join(digits[-7:]), text, PHONE)


def _words(text: str, known: Known) -> Iterator[Span]:
    """The ranges with words of the texts, or with a name of the contact, whatever is between the words."""
    words = list(_WORD.finditer(text))
    folded = [word[0].casefold() for word in words]
    wanted = dict.fromkeys(_rows(known.texts), TEXT) | dict.fromkeys(_names(known.contact), PERSON)
    for length in {len(row) for row in wanted}:
        for at in range(len(words) - length + 1):
            label = wanted.get(tuple(folded[at : at + length]))
            if label:
                yield words[at].start(), words[at + length - 1].end(), label


def _rows(texts: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The word sequences that identify each line: three words in a row, or all words of a shorter line."""
    for line in (line for one in texts for line in _plain(one).split("\n")):
        words = _folded(line)
        length = min(len(words), WORDS_IN_A_ROW)
        yield from (words[at : at + length] for at in range(len(words) - length + 1) if length)


def _names(contact: Contact | None) -> Iterator[tuple[str, ...]]:
    names = f"{contact.name} {contact.first_name} {contact.last_name}".split() if contact else ()
    yield from (folded for name in names if len(name) > 1 and (folded := _folded(_plain(name))))


def _folded(text: str) -> tuple[str, ...]:
    return tuple(word.casefold() for word in _WORD.findall(text))


def _found(pattern: str, text: str, label: str) -> Iterator[Span]:
    yield from ((*found.span(), label) for found in re.finditer(pattern, text))


def _without(text: str, spans: Iterable[Span]) -> str:
    """The text with its ranges, which may overlap, replaced by their kinds."""
    pieces: list[str] = []
    end = 0
    for start, stop, label in spans:
        if start >= end:
            pieces += [text[end:start], label]
        end = max(end, stop)
    return "".join((*pieces, text[end:]))


def _cut(text: str) -> str:
    return text.encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore")
