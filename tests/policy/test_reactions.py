"""Reactions that arrive as texts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import MessageId, PastMessage
from bridge.policy.reactions import is_reaction, judge_reaction
from tests.stored import message


@pytest.mark.parametrize(
    "text",
    [
        "Liked “See you at 5”",
        'Liked "See you at 5"',
        "Loved “One\nand two”",
        "Disliked “No”",
        "Laughed at “Ha”",
        "Emphasized “Now”",
        "Emphasised “Now”",
        "Questioned “Now”",
        "Loved an image",
        "Liked a movie",
        "Laughed at an attachment",
        "Emphasized an audio message",
        "Reacted 👍 to “See you at 5”",
        "Reacted ❤️ to an image",
        "Reacted 👍🏽 to “ok”",
        "Reacted 👨‍👩‍👧 to “ok”",
        "Reacted with a sticker to “ok”",
        "Removed a heart from “See you”",
        "Removed an exclamation from “See you”",
        "Removed a question mark from an image",
        "Removed 😂 from “See you”",
        "\u200a\u200b👍\u200b to “\u200aSee you\u200a” ",
        "👍 to “See you at 5”",
        " Liked “” ",
    ],
)
def test_the_known_forms_are_reactions(text: str) -> None:
    """The English texts of iMessage and Google Messages for a reaction, added or removed, are reactions."""
    assert is_reaction(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "👍",
        "❤️❤️",
        "Liked it!",
        "Liked a lot",
        "liked “it”",
        "I liked “the blue one”",
        "Liked “the blue one”, when can I have it?",
        'Loved "Up", hated "Cars"',
        "Loved “Up” and “Cars”",
        "Loved an image of the red one, do you have it?",
        "Questioned by my wife: how much?",
        "Removed a tooth from my mouth",
        "Reacted badly to “the cream”",
        "Reacted to “the cream”",
        "- to “Bob”",
        "Liked “See you at 5”\nCan we make it 6?",
    ],
)
def test_people_say_more_than_that(text: str) -> None:
    """An emoji alone is a message, and so is anything more than a reaction's words."""
    assert not is_reaction(text)


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    """Any text can be judged, and any word before a reaction makes it a message."""
    assert is_reaction(text) in {True, False}
    assert not is_reaction(f"Well, {text} Liked “it”")


REPLIES = {
    "de": "Wir öffnen um neun.",
    "es": "Abrimos a las nueve.",
    "fr": "Nous ouvrons à neuf heures",
    "pt": "Abrimos às nove.",
    "ja": "九時に開店します。",
    "ru": "Мы открываемся в девять.",
    "en": "He said “yes” to us",
    "long": "We open at nine tomorrow and the address is 12 Main Street, next to the bakery. See https://acme.example/map",
    "bold": "**Open** at nine, *sharp*.",
    "short": "Yes",
}
SAID = [
    PastMessage("user", "When?", id=MessageId("u")),
    *(PastMessage("assistant", text, id=MessageId(name)) for name, text in REPLIES.items()),
]


def skips(text: str, said: list[PastMessage] = SAID) -> str:
    found = judge_reaction(message("m", text=text), said)
    return found.facts if found else ""


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("Gefiel „Wir öffnen um neun.“", "de"),
        ("Le encantó “Abrimos a las nueve.”", "es"),
        ("A adoré « Nous ouvrons à neuf heures »", "fr"),
        ("Amou “Abrimos às nove.”", "pt"),
        ("Liked “He said “yes” to us”", "en"),
        ("Loved “We open at nine tomorrow and the address is 12 Main Str…”", "long"),
        ("Loved “We open at nine tomorrow and the address is 12 Main Str…", "long"),
        ("Le encantó «We open at nine tomorrow and the address...", "long"),
        ("Gefiel „We open at nine tomorrow and the address is 12 Main Street, next to …", "long"),
        ("Hat mit 👍 auf „Wir öffnen um neun.“ reagiert", "de"),
        ("👍 zu „Wir öffnen um neun.“", "de"),
        ("👍 „Wir öffnen um neun.“", "de"),
        ("Se rió de «Abrimos a las nueve.»", "es"),
        ("N’a pas aimé « Nous ouvrons à neuf heures »", "fr"),
        ("「九時に開店します。」にいいねしました", "ja"),
        ("Понравилось «Мы открываемся в девять.»", "ru"),
        ("Нравится: „Мы открываемся в девять“", "ru"),
        ("“Wir öffnen um neun.” öğesini beğendi", "de"),
        ("Gillade ”Wir öffnen um neun.”", "de"),
        ('Vond "Wir öffnen um neun." leuk', "de"),
        ("Le gustó “We open at nine tomorrow and the address is...”", "long"),
        ("Gostou de “the address is 12 Main Street, next to the bakery. See https://acme.example/map”", "long"),
        ("Reagował „We open at nine tomorrow and the address is 12 Main Street, next to the bakery.\u200b…”", "long"),
        ("Gefiel „Open at nine, sharp.“", "bold"),
    ],
)
def test_what_quotes_our_reply_is_a_reaction_in_any_language(text: str, reply: str) -> None:
    """A few words around one of our last replies, or its beginning, in any language and with any quotes, are a reaction."""
    assert skips(text) == f"nothing but a reaction to our reply {reply}"


@pytest.mark.parametrize(
    "text",
    [
        "Gefiel mir",
        "„Wir öffnen um neun.“",
        "Is it true that “Wir öffnen um neun.”?",
        "Why “Wir öffnen um neun.”?",
        "You wrote “Wir öffnen um neun.” but the door was closed",
        "You wrote to me yesterday “Wir öffnen um neun.”",
        "Not “Wir öffnen um neun.” but ten",
        "I said “yes”",
        "Yes, “We open at nine”",
        "I take “the address”",
        "Gefiel „Wir öffnen um zehn.“",
        "Liked “When?”",
        "Loved “…”",
        "Loved “…",
        "Loved “We open at nine tomorrow and the address is 12 Main Str",
        "Loved “We open at ten…",
        "Loved “”",
        "”“",
        "“",
        "",
        "Wir öffnen um neun.",
    ],
)
def test_who_says_more_than_a_quote_is_answered(text: str) -> None:
    """A question, more words, a bare quote, a selected part or other words than ours are a person's message."""
    assert not skips(text)


def test_only_the_last_replies_are_looked_at() -> None:
    """A quote of an old reply, or of the contact's own text, is a message."""
    said = [*SAID, *(PastMessage("assistant", f"Reply number {number}", id=MessageId("x")) for number in range(10))]
    assert not skips("Gefiel „Wir öffnen um neun.“", said)
    assert skips("Gefiel „Reply number 9“", said)
    assert not skips("Gefiel „Reply number 9“", [PastMessage("user", "Reply number 9", id=MessageId("u"))])


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_what_quotes_none_of_our_words_is_a_message(before: str, reply: str, behind: str) -> None:
    """Any text can be judged, and one without our reply's words is never a reaction to it."""
    said = [PastMessage("assistant", f"{reply} zzz", id=MessageId("r"))]
    assert not skips(f"{before}“{reply}”{behind}".replace("z", ""), said)


@pytest.mark.parametrize("text", ["“" * 1_000_000, "Liked “" + "a" * 1_000_000 + "”", "a “" * 300_000, "”" * 500_000 + " x"])
def test_long_texts_are_judged_quickly(text: str) -> None:
    """A megabyte takes almost no time."""
    began = time.process_time()
    assert not skips(text)
    assert time.process_time() - began < 1
