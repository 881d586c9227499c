"""Reactions that come as texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy.reactions import is_reaction


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
    """What iMessage and Google Messages write in English for a reaction, given or taken back, is one."""
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
    """An emoji by itself is a message, and so is whatever says more than a reaction's words."""
    assert not is_reaction(text)


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    """Any text can be asked about, and any words before a reaction make it a message."""
    assert is_reaction(text) in {True, False}
    assert not is_reaction(f"Well, {text} Liked “it”")
