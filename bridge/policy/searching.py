"""The search terms of a contact: the normalised words of its name, its number and its e-mail address. Pure."""

from __future__ import annotations

import re
import unicodedata

MOST_WORDS = 6
LEAST_DIGITS = 7
_NUMBER = re.compile(r"[+(]?[\d\s().\-/+]+")
# A WhatsApp id may have a digit that the number lacks, or lack one that it has: Mexico's 1, Argentina's 9, Brazil's ninth digit
# (https://help.zoho.com/portal/en/kb/marketing-automation-2-0/faqs/marketing-campaigns/whatsapp,
# https://support.whapi.cloud/help-desk/faq/specifics-of-sending-messages-to-numbers-of-different-countries; 2026-11).
_EXTRA_DIGIT = re.compile(r"(52)1(\d{10})|(54)9(\d{10})|(55\d\d)9(\d{8})")


def of_person(name: str, phone: str, email: str) -> tuple[str, ...]:
    """The search terms of a contact, each with its kind."""
    return (
        *(f"name {word}" for word in _words(name)[:MOST_WORDS]),
        *(f"phone {digits}" for digits in _forms(_digits(phone))),
        *([f"email {email.strip().casefold()}"] if email.strip() else []),
    )


def of_query(query: str) -> tuple[tuple[str, ...], ...]:
    """The terms of a search: an address, a number in its international form, or words of a name, all of which must match.

    A number has several forms, each of which may match.
    """
    asked = query.strip()
    if "@" in asked:
        return ((f"email {asked.casefold()}",),)
    if _NUMBER.fullmatch(asked) and len(_digits(asked)) >= LEAST_DIGITS:
        return tuple((f"phone {digits}",) for digits in _forms(_digits(asked)))
    words = tuple(f"name {word}" for word in _words(asked)[:MOST_WORDS])
    return (words,) if words else ()


def _words(name: str) -> list[str]:
    """Words without case and accents: `Müller-Lüdenscheidt` is found as `muller` too."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(one))
    return list(dict.fromkeys(re.findall(r"\w+", plain)))


def _digits(phone: str) -> str:
    """The digits of an international number; 00 at its beginning means +."""
    digits = "".join(one for one in phone if one.isdigit())
    return digits.removeprefix("00")


def _forms(digits: str) -> tuple[str, ...]:
    """A number as it is written and, if a WhatsApp id may differ from it, without the digit in which they differ."""
    extra = _EXTRA_DIGIT.fullmatch(digits)
    return (digits, "".join(part for part in extra.groups() if part)) if extra else (digits,) if digits else ()
