"""A service's error text is stored without secrets, personal data and texts, however it repeats them."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Contact, ContactId
from bridge.policy.excerpt import MOST_BYTES, MOST_READ_BYTES, Known, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable

INPUT = 'Hi, it\'s "Zoë" — can I move\nmy Tuesday appointment?\nThanks 👍🏽'
EARLIER = "Where is your practice in Berlin?"
TOKEN = "tok/en+with=Signs%41"
ANNA = Contact(
    id=ContactId("c"), name="Anna Müller-O'Brien", first_name="Anna", email="anna.m@example.com", phone="+491715550123"
)
KNOWN = Known(secrets=(TOKEN, "short1", "pit-1"), texts=(INPUT, EARLIER), contact=ANNA)
GONE = (
    *(TOKEN, "short1", "Zoë", "appointment", "Tuesday", "Thanks", "👍", "practice in", "Anna", "ller-O", "Brien"),
    *("anna.m", "example.com", "5550123", "555 0123"),
)
ECHO = {"headers": {"x-key": TOKEN, "k2": "short1"}, "input": INPUT, "history": [EARLIER], "from": f"{ANNA.name} {ANNA.email}"}

WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "as JSON": json.dumps,
    "as JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "as JSON in JSON": lambda text: json.dumps({"sent": json.dumps({"body": text})}),
    "as JSON in JSON in JSON": lambda text: json.dumps(json.dumps(json.dumps(text))),
    "in an address": quote,
    "in a form": quote_plus,
    "as HTML": escape,
    "as HTML numbers": lambda text: "".join(f"&#{ord(sign)};" for sign in text),
    "as JSON in HTML": lambda text: escape(json.dumps(text)),
    "in capitals": str.upper,
    "in other lines": lambda text: " / ".join(text.split()),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_known_is_removed_however_it_is_echoed(way: str) -> None:
    """Each known value is removed from the service's text, and the rest stays."""
    for text in (
        INPUT,
        EARLIER,
        ANNA.name,
        ANNA.email,
        ANNA.phone,
        *(() if way in {"in capitals", "in other lines"} else KNOWN.secrets),
    ):
        left = excerpt(f"the flow failed: {WAYS[way](text)} was refused".encode(), KNOWN)
        assert left.startswith("the flow failed: ")
        assert left.endswith(" was refused")
        assert not [one for one in GONE if one.casefold() in left.casefold()], left


def test_a_whole_request_that_is_echoed_leaves_the_services_own_words() -> None:
    """The request's headers and body in one document are removed."""
    said = json.dumps({"message": "Workflow could not be started", "request": ECHO, "raw": urlencode({"q": json.dumps(ECHO)})})
    left = excerpt(said.encode(), KNOWN)
    assert "Workflow could not be started" in left
    assert not [one for one in GONE if one in left], left


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Authorization: Bearer abc.def-1", "Authorization: [secret]"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: [secret]"),
        ("Incorrect API key provided: sk-proj-ab**********yz.", "Incorrect API key provided: [secret]."),
        ("token pit-0a1b2c3d-4e5f is revoked", "token [secret] is revoked"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s-_1 expired", "jwt [secret] expired"),
        ("jwt eyJhbGciOiJIUzI1NiJ9 expired", "jwt [secret] expired"),
        ("key 0123456789abcdef0123456789ABCDEF!", "key [secret]!"),
        ("key " + "aB3" * 15 + "== no", "key [secret] no"),
        ("write to bob@example.org or +1 (555) 010-9999.", "write to [e-mail] or [phone]."),
        ("max_tokens 4000 of model gpt-5.1 exceeded at /v1/chat/completions", None),
        ("https://docs.n8n.io/integrations/builtin/core-nodes/n8n-nodes-base.respondtowebhook/", None),
        ("request 6f1c2b60-13a4-4b02-9a30-6e1a6e0b7a11 failed at 2026-11-30T10:00:00.000Z after 1764500000 ms", None),
    ],
)
def test_what_looks_like_a_secret_or_a_person_is_removed(said: str, left: str | None) -> None:
    """Others' tokens and addresses are removed; setting names, document addresses, ids and times stay."""
    assert excerpt(said.encode(), Known()) == (left or said)


def test_the_contacts_number_is_known_however_it_is_written() -> None:
    """It is removed with or without the country code, whatever is between its digits."""
    for phone in ("+49 171 5550123", "0171/555 01 23", "(0171) 555-0123", "491715550123", "%2B491715550123", "5550123"):
        assert excerpt(f"call {phone} now".encode(), KNOWN) == "call [phone] now", phone


def test_a_part_of_a_text_is_that_text() -> None:
    """Three consecutive words of a text are removed; a line of one or two words completely."""
    assert excerpt(b"bad value: can I move my...", KNOWN) == "bad value: [text] my..."
    assert excerpt(b"bad value: thanks", Known(texts=("Thanks",))) == "bad value: [text]"
    assert excerpt(b"I can not move", KNOWN) == "I can not move"
    chinese = Known(texts=("我想改一下我的预约时间",), contact=Contact(id=ContactId("c"), name="王伟"))
    assert excerpt("错误：我想改一下我的…（王伟）".encode(), chinese) == "错误：[text]…（[contact]）"


MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x1b\x00\x07\x9b\u200b\ufeff\u2028"


def test_marks_that_turn_or_hide_a_text_are_stripped() -> None:
    """Control, format and direction characters, also escaped, are removed, and hide no secret."""
    assert excerpt(f"one{MARKS}two\nthree\tfour".encode(), Known()) == "onetwo\nthree\tfour"
    assert excerpt(json.dumps(f"one{MARKS}two").encode(), Known()) == '"onetwo"'
    assert excerpt("a sh\u200bor\u202et1 b".encode(), KNOWN) == "a [secret] b"


@given(st.binary(max_size=2 * MOST_READ_BYTES), st.lists(st.text(max_size=40), max_size=3))
def test_no_bytes_break_it(said: bytes, texts: list[str]) -> None:
    """Any bytes give at most 1 KiB of valid UTF-8."""
    left = excerpt(said, Known(secrets=tuple(texts), texts=tuple(texts), contact=ANNA))
    assert len(left.encode()) <= MOST_BYTES


@given(st.integers(0, 400), st.sampled_from(("as it is", "as JSON", "in an address")))
def test_nothing_known_is_left_where_a_body_was_cut(at: int, way: str) -> None:
    """An error has 4 KiB: a value that begins before its end and is cut there is removed too."""
    known = Known(secrets=("a" * 30 + "-key",), texts=("one two three four five six",), contact=ANNA)
    ends = WAYS[way](" one two three four five six " + "a" * 30 + "-key " + ANNA.name)
    said = ("[secret]" + "x" * (MOST_READ_BYTES - 8 - at) + ends).encode()[:MOST_READ_BYTES]
    shrunk = excerpt(said, Known(secrets=(*known.secrets, "x" * 100), texts=known.texts, contact=ANNA))
    assert not [one for one in ("one", "five", "aaaa", "Anna") if one in shrunk], shrunk


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1).filter(lambda text: len(text.split()) >= 1))
def test_no_line_of_an_input_is_left(text: str) -> None:
    """For any text of the contact, an excerpt of its JSON has none of its longer words in order."""
    words = [word for word in text.split() if word.isalpha() and word.isascii() and len(word) > 6]
    left = excerpt(json.dumps({"input": text}).encode(), Known(texts=(text,)))
    assert not [word for word in words if word in left], left
