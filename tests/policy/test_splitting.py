"""Splitting: where a long text is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.policy.formatting.splitting import Measure, split, utf8_bytes, utf16_units

FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("", 10, ()),
        (" \n ", 10, ()),
        ("short", 10, ("short",)),
        ("One two.\n\nThree four. Five six.", 25, ("One two.", "Three four. Five six.")),
        ("First.\nSecond one. Third.", 22, ("First.", "Second one. Third.")),
        ("First one. Second one. Third one.", 24, ("First one. Second one.", "Third one.")),
        ("Is it? Yes! It is (really.) So", 27, ("Is it? Yes! It is (really.)", "So")),
        ("We met Dr. Smith and e.g. Ann Lee", 30, ("We met Dr. Smith and e.g. Ann", "Lee")),
        ("Costs 5. And more words here", 14, ("Costs 5.", "And more words", "here")),
        ("no end in sight here", 10, ("no end in", "sight here")),
        ("abcdefghijklmno", 10, ("abcdefghij", "klmno")),
        ("ab " + "c" * 15, 10, ("ab", "c" * 10, "c" * 5)),
        ("see https://x.com/abcdefgh ok", 25, ("see", "https://x.com/abcdefgh ok")),
        ("hi\n\n" + "words and more " * 4, 40, ("hi\n\nwords and more words and more words", "and more words and more")),
        ("中文句子。第二句话。第三", 8, ("中文句子。", "第二句话。第三")),
        (FAMILY * 2, 12, (FAMILY, FAMILY)),
        ("e\u0301" * 5, 5, ("e\u0301" * 2, "e\u0301" * 2, "e\u0301")),
        ("🇩🇪" * 3, 9, ("🇩🇪" * 2, "🇩🇪")),
        ("a" + "\u0301" * 14, 10, ("a" + "\u0301" * 9, "\u0301" * 5)),
        ("a" + " " * 50 + "b", 10, ("a", "b")),
    ],
)
def test_a_text_is_cut_where_it_hurts_least(text: str, limit: int, parts: tuple[str, ...]) -> None:
    """It is cut at paragraphs, lines, sentences, words, or within a longer word; a greeting gets no part of its own."""
    assert split(text, limit, utf16_units) == parts


@given(
    st.text(st.sampled_from("ab .!?\n\u0301😀👨\u200d中。é"), max_size=300),
    st.integers(4, 40),
    st.sampled_from([utf16_units, utf8_bytes]),
)
def test_only_white_space_is_lost(text: str, limit: int, measure: Measure) -> None:
    """Parts keep the order and every character except white space at the cuts; none is blank or over the limit."""
    parts = split(text, limit, measure)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(part.strip() and measure(part) <= limit for part in parts)


@given(st.text(max_size=200), st.integers(4, 50))
def test_parts_are_whole(text: str, limit: int) -> None:
    """A part is not split again."""
    for part in split(text, limit, utf8_bytes):
        assert split(part, limit, utf8_bytes) == (part,)
