"""When two texts are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy.normalise import digest, plain, same


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("hello", "hello", True),
        ("Hello  there\n", " hello there", True),
        ("<p>Hello <b>there</b></p>", "Hello there", True),
        ("Fish &amp; chips", "fish & chips", True),
        ("a<br>b", "a b", True),
        ("hello", "hello!", False),
        ("hello", "hell", False),
        ("hello", "", False),
        ("", "", True),
        ("", " \n", True),
        ("<img src='1.png'>", "<img src='2.png'>", False),
        ("<br>", "<br>", True),
        ("<br>", "", False),
        ("1 < 2", "1 < 3", False),
        ("a <b> c <d", "a c <d", True),
        ("a < b > c", "a c", True),
        ("a <> b", "a b", False),
    ],
)
def test_texts_say_the_same(one: str, other: str, *, expected: bool) -> None:
    """White space, case and markup don't matter, words and punctuation do; a text of only markup equals only itself."""
    assert same(one, other) is expected
    assert same(other, one) is expected
    assert (digest(one) == digest(other)) is expected


@given(st.text(), st.text())
def test_a_digest_is_as_good_as_the_text(one: str, other: str) -> None:
    """Two texts have one digest if and only if they are the same."""
    assert same(one, one)
    assert same(one, other) is (digest(one) == digest(other))


@given(st.text())
def test_a_digest_gives_nothing_away(text: str) -> None:
    """It is short and hexadecimal, and empty only for an empty text."""
    name = digest(text)
    assert len(name) in {0, 24}
    assert set(name) <= set("0123456789abcdef")
    assert bool(name) is bool(text.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Opt-Out!", "opt out"),
        (" a_b ", "a b"),
        ("ÄRGER", "ärger"),
        ("STRASSE", "strasse"),
        ("...", ""),
        ("", ""),
        ("🛑 stop", "stop"),
    ],
)
def test_a_short_message_as_a_person_means_it(text: str, expected: str) -> None:
    """It has letters and digits in lower case, separated by single blanks, without punctuation and emojis."""
    assert plain(text) == expected
