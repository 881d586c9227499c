"""The search terms of a contact: the normalised words of its name, its number and its e-mail address. Pure."""

from __future__ import annotations

import re
import unicodedata

MOST_WORDS = 6
LEAST_DIGITS = 7
_NUMBER = re.compile(r"[+(]?[\d\s().\-/+]+")


def of_person(name: str, phone: str, email: str) -> tuple[str, ...]:
    """The search terms of a contact, each with its kind."""
    return (
        *(f"name {word}" for word in _words(name)[:MOST_WORDS]),
        *([f"phone {_digits(phone)}"] if _digits(phone) else []),
        *([f"email {email.strip().casefold()}"] if email.strip() else []),
    )


def of_query(query: str) -> tuple[str, ...]:
    """The terms of a search: an address, a number in its international form, or words of a name, all of which must match."""
    asked = query.strip()
    if "@" in asked:
        return (f"email {asked.casefold()}",)
    if _NUMBER.fullmatch(asked) and len(_digits(asked)) >= LEAST_DIGITS:
        return (f"phone {_digits(asked)}",)
    return tuple(f"name {word}" for word in _words(asked)[:MOST_WORDS])


def _words(name: str) -> list[str]:
    """Words without case and accents: `Müller-Lüdenscheidt` is found as `muller` too."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(one))
    return list(dict.fromkeys(re.findall(r"\w+", plain)))


def _digits(phone: str) -> str:
    """The digits of an international number; 00 at its beginning means +."""
    digits = "".join(one for one in phone if one.isdigit())
    return digits.removeprefix("00")
