"""The cost of an SMS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy.formatting.sms import cap, count_segments, fold


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("éèàùäöüñß@£$¥ÆØÅΔ\n" * 8, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("[]{}\\~^|" * 10, 1),
        # 152 and a pair: the pair is not torn, so that three segments are needed where 306 septets would fit into two.
        ("a" * 152 + "€" + "a" * 152, 3),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("a" * 70 + "’", 2),
        ("a" * 69 + "’", 1),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("`" + "a" * 70, 2),
    ],
)
def test_segments_are_counted_as_networks_cut_them(text: str, segments: int) -> None:
    """160 or 153 septets, 70 or 67 units; one character outside GSM-7 makes all of it UCS-2, and no pair is split."""
    assert count_segments(text) == segments


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("“It’s ‘fine’”, „gut“, «bien» ‹x›", '"It\'s \'fine\'", "gut", "bien" \'x\''),
        ("9–5, a‑b, −5", "9-5, a-b, -5"),
        ("fine—really — yes", "fine - really - yes"),
        ("wait…", "wait..."),
        ("a\u00a0b\u202fc\u2009d\te", "a b c d e"),
        ("a\u200bb\u2060c\u00add", "abcd"),
        ("• one", "- one"),
        ("don`t don´t", "don't don't"),
        ("e\u0301 A\u030a", "é Å"),
        ("ÀÉêç ñ ß ş я 中 😀 👩🏽‍🔧 ❤️ €", "ÀÉêç ñ ß ş я 中 😀 👩🏽‍🔧 ❤️ €"),
    ],
)
def test_typography_is_folded_and_letters_are_not(text: str, folded: str) -> None:
    """Quotes, dashes, bullets, ellipses and special spaces become characters of GSM-7; letters and emojis stay."""
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    """Folding a folded text changes nothing."""
    assert fold(fold(text)) == fold(text)


HOURS = (
    "We open at nine and close at five, from Monday to Friday. On Saturday we are there until noon. Call us if you want to come."
)
MARKS = "\u200e\u200f\u2066\u2069\u2063\ufe0f\u200d\u200c\u200b\u202f\u202a\u202c\u2060\u2064\ufe0e\ufeff\u00ad\u034f\u180e\u061c"


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("at", [0, 60, 61, len(HOURS)])
def test_a_mark_that_nobody_sees_costs_nothing(mark: str, at: int) -> None:
    """Beside characters of GSM-7 it is removed, in any place and number: one segment stays one."""
    assert len(HOURS) > 70
    assert count_segments(fold(HOURS[:at] + mark * 3 + HOURS[at:])) == 1
    assert count_segments(fold(f"€{mark}[{mark}{HOURS}{mark}\n{mark}ä")) == 1


@pytest.mark.parametrize(
    "text",
    [
        *(
            "❤️",
            "I ❤️ it",
            "👩‍🔧",
            "👨‍👩‍👧",
            "1️⃣ one",
            "🏳️‍🌈",
            "می‌خواهم",
            "क्‍ष",
            "שלום (ABC)\u200f.",
            "5 \u200eשקל\u200e 7",
            "☎️",
            "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
            "မြန်\u200bမာ",
        ),
    ],
)
def test_a_mark_that_is_needed_stays(text: str) -> None:
    """It stays in emojis, in scripts that need it, and in right-to-left texts."""
    assert fold(text) == text.replace("\u200b", "")


def test_one_curly_quote_doesnt_double_the_cost() -> None:
    """160 characters with typographic quotes cost one segment."""
    assert count_segments(fold("’" + "a" * 159)) == 1


@given(st.text(max_size=400), st.text(max_size=400))
def test_more_text_never_costs_less(text: str, more: str) -> None:
    """The search for the longest fitting text relies on it."""
    assert count_segments(text) <= count_segments(text + more) <= count_segments(text) + len(more) + 8


@pytest.mark.parametrize(
    ("parts", "most", "kept"),
    [
        (("a", "b"), 2, ("a", "b")),
        (("a", "b"), 1, ("a",)),
        (("One sentence. " * 8 + "And " + "so on " * 20,), 1, (("One sentence. " * 8).strip(),)),
        (("Dr. Who and so on " + "word " * 60,), 1, (("Dr. Who and so on " + "word " * 28).strip(),)),
        (("x" * 500,), 2, ("x" * 306,)),
        ((), 1, ()),
    ],
)
def test_the_cap_cuts_at_a_sentence_if_it_can(parts: tuple[str, ...], most: int, kept: tuple[str, ...]) -> None:
    """The text ends with the last sentence that fits, else the last word, else the last character."""
    assert cap(parts, most) == kept
