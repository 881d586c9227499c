"""The notation of business hours: many forms, and nothing is guessed."""

from __future__ import annotations

import re

import pytest

from bridge.hours_notation import MINUTES_OF_A_DAY, merge, parse

H = 60


def week(*spans: tuple[int, int, int]) -> tuple[tuple[int, int], ...]:
    return tuple((day * MINUTES_OF_A_DAY + begin, day * MINUTES_OF_A_DAY + end) for day, begin, end in spans)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("mon 09:00-17:30", week((0, 9 * H, 17 * H + 30))),
        ("tue-wed 9:00-17:00", week((1, 9 * H, 17 * H), (2, 9 * H, 17 * H))),
        ("Sat-Mon 10:00-12:00", week((0, 10 * H, 12 * H), (5, 10 * H, 12 * H), (6, 10 * H, 12 * H))),
        ("mon,thu 08:00-09:00", week((0, 8 * H, 9 * H), (3, 8 * H, 9 * H))),
        ("mon, wed-thu 08:00-09:00", week((0, 8 * H, 9 * H), (2, 8 * H, 9 * H), (3, 8 * H, 9 * H))),
        ("fri 22:00-02:00", week((4, 22 * H, 26 * H))),
        ("sun 22:00-00:00", week((6, 22 * H, 24 * H))),
        ("sun 22:00-24:00", week((6, 22 * H, 24 * H))),
        ("sun 00:00-24:00", week((6, 0, 24 * H))),
        ("monday 09:00-12:00, 13:00-17:00", week((0, 9 * H, 12 * H), (0, 13 * H, 17 * H))),
        ("mon 09:00-12:00 13:00-17:00", week((0, 9 * H, 12 * H), (0, 13 * H, 17 * H))),
        ("  MON – TUE   09:00 – 10:00 ", week((0, 9 * H, 10 * H), (1, 9 * H, 10 * H))),
        ("mon-mon 09:00-10:00", week((0, 9 * H, 10 * H))),
        ("mon,mon,mon-tue 09:00-10:00", week((0, 9 * H, 10 * H), (1, 9 * H, 10 * H))),
        ("weekends 09:00-10:00", week((5, 9 * H, 10 * H), (6, 9 * H, 10 * H))),
        ("weekdays,sun 09:00-10:00", week(*((day, 9 * H, 10 * H) for day in (0, 1, 2, 3, 4, 6)))),
        ("daily 09:00-10:00", week(*((day, 9 * H, 10 * H) for day in range(7)))),
        ("09:00-10:00", week(*((day, 9 * H, 10 * H) for day in range(7)))),
        ("sun-sat 09:00-10:00", week(*((day, 9 * H, 10 * H) for day in range(7)))),
    ],
)
def test_days_and_times_are_read(text: str, spans: tuple[tuple[int, int], ...]) -> None:
    """Names may be short or whole, with lists, ranges across the weekend, several times, and times past midnight."""
    assert parse(text) == spans


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not like"),
        ("mon", "is not like"),
        ("mon 9-17", "is not like"),
        ("mon 9am-5pm", "is not like"),
        ("mon 09:00", "is not like"),
        ("mon 09:00-17:00 closed", "is not like"),
        ("mon 09:00-17:00;", "is not like"),
        ("mon 09:00-17:00-18:00", "is not like"),
        ("mon 09:00-12:00 tue 09:00-12:00", "is not like"),
        ("mon 009:00-12:00", "is not like"),
        ("mon 09:0-12:00", "is not like"),
        ("mon\N{ARABIC-INDIC DIGIT ONE}9:00-12:00", "is not like"),
        ("mo 09:00-17:00", "'mo' is not a day"),
        ("mondays 09:00-17:00", "'mondays' is not a day"),
        ("mon-daily 09:00-17:00", "'daily' is not a day"),
        ("mon-wed-fri 09:00-17:00", "'wed-fri' is not a day"),
        ("mon- 09:00-17:00", "'' is not a day"),
        ("mon,,tue 09:00-17:00", "'' is not a day"),
        ("mon 24:01-03:00", "'24:01' is not a time"),
        ("mon 22:00-26:00", "'26:00' is not a time"),
        ("mon 09:60-10:00", "'09:60' is not a time"),
        ("mon 09:00-09:00", "'09:00-09:00' is empty"),
        ("mon 00:00-00:00", "for the whole day write 00:00-24:00"),
        ("mon 24:00-09:00", "is empty"),
    ],
)
def test_what_is_not_clear_is_refused(text: str, why: str) -> None:
    """An ambiguous or empty entry is named, with how to write it."""
    with pytest.raises(ValueError, match=re.escape(why)):
        parse(text)


@pytest.mark.parametrize(
    ("texts", "spans"),
    [
        ([], ()),
        (["mon 09:00-12:00", "mon 11:00-13:00"], week((0, 9 * H, 13 * H))),
        (["mon 12:00-13:00", "mon 09:00-12:00"], week((0, 9 * H, 13 * H))),
        (["mon 09:00-17:00", "mon 10:00-11:00"], week((0, 9 * H, 17 * H))),
        (["mon 22:00-02:00", "tue 02:00-03:00"], week((0, 22 * H, 27 * H))),
        (["sun 22:00-02:00"], week((0, 0, 2 * H), (6, 22 * H, 24 * H))),
        (["daily 00:00-24:00"], week((0, 0, 7 * 24 * H))),
        (["daily 12:00-11:59", "daily 11:00-12:00"], week((0, 0, 7 * 24 * H))),
    ],
)
def test_spans_make_one_week(texts: list[str], spans: tuple[tuple[int, int], ...]) -> None:
    """Overlapping or adjacent spans are one, and a span past Sunday continues on Monday."""
    assert merge(span for text in texts for span in parse(text)) == spans
