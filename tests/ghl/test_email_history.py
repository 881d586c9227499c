"""Quoted history of mail programs in any language, and the sender's own text that resembles it."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ghl.email.own_words import own_text
from bridge.model import Channel
from bridge.policy.device_lines import is_device_line
from bridge.policy.stop_words import stops
from tests.cpu_time import cpu_seconds

EMAILS = Path(__file__).parent / "emails"
OWN = "Thursday at ten works."
SUBJECT = "Re: Your visit"


def cases(name: str) -> Any:
    return json.loads((EMAILS / f"{name}.json").read_text(encoding="utf-8"))


HEADERS: dict[str, str] = cases("headers")
PROGRAMS: dict[str, str] = cases("programs")
FORMS: list[str] = cases("forms")
DEVICE_LINES: dict[str, list[str]] = cases("device_lines")


def as_html(text: str) -> str:
    return "<div>" + escape(text).replace("\n", "<br>") + "</div>"


@pytest.mark.parametrize("history", ["QUOTED: when?\n\nThe desk.", "> QUOTED: when?\n>\n> The desk."], ids=["bare", "marked"])
@pytest.mark.parametrize("name", HEADERS)
def test_history_is_known_by_the_form_of_the_lines_above_it(name: str, history: str) -> None:
    """Text below an attribution or a header block is history, in every language and mail program."""
    mail = f"{OWN}\n\n{HEADERS[name]}\n\n{history}"
    assert own_text(mail, subject=SUBJECT) == OWN
    assert own_text(as_html(mail), subject=SUBJECT) == OWN


@pytest.mark.parametrize("name", PROGRAMS)
def test_history_in_the_html_of_mail_programs(name: str) -> None:
    """However a mail program marks quoted text, only the new words remain."""
    body = PROGRAMS[name].replace("{own}", OWN).replace("{quoted}", "<div>QUOTED: when?</div><div>The desk.</div>")
    assert own_text(body, subject=SUBJECT) == OWN


@pytest.mark.parametrize("form", FORMS)
def test_a_filled_in_form_is_kept_whole(form: str) -> None:
    """Lines with labels, addresses, dates and times that the sender wrote are not history, alone or below a greeting."""
    assert own_text(form) == form
    assert own_text(f"Hello,\n{form}", subject=SUBJECT) == f"Hello,\n{form}"
    assert own_text(as_html(form), subject=SUBJECT) == form


@pytest.mark.parametrize("name", HEADERS)
def test_a_form_above_history_is_kept_whole(name: str) -> None:
    """The cut is at the header of the history, not at a form above it."""
    assert own_text(f"{FORMS[0]}\n\n{HEADERS[name]}\n\nwhen?", subject=SUBJECT) == FORMS[0]


WORDS = st.text(st.characters(categories=("L", "N"), max_codepoint=0x24F), min_size=1, max_size=9)
PARTS = WORDS | st.sampled_from(
    ["3.12.2026", "10:00", "ann@roy.example", "9h30", "2026", "(no)", "A:", "-", "and", "ok.", "“so”"]
)
LINES = st.lists(PARTS, min_size=1, max_size=9).map(" ".join)


@given(st.lists(LINES, min_size=1, max_size=6), st.sampled_from(sorted(HEADERS)), st.sampled_from(["\n", "\n\n"]), st.booleans())
def test_own_words_above_a_cut_are_never_shortened(lines: list[str], name: str, gap: str, marked: bool) -> None:
    """All text above the history stays, including dates, times and addresses."""
    header = HEADERS[name]
    own = "\n".join(lines)
    if own_text(own) != own or own_text(f"{own}.") != f"{own}.":
        return  # By chance an attribution itself, or lines of dashes.
    mark = "> " if marked else ""
    assert own_text(f"{own}.{gap}{header}\n\n{mark}QUOTED: when?", subject=SUBJECT) == f"{own}."


@given(st.lists(LINES, max_size=8))
def test_words_without_history_are_never_shortened(lines: list[str]) -> None:
    """Text without history loses only blanks, empty lines at its ends and lines of dashes."""
    text = "\n".join(line for line in lines if line.strip(" -"))
    assert own_text(f"{text}\nThank you.") == f"{text}\nThank you.".strip()


def test_answers_below_and_between_several_quotes_are_kept() -> None:
    """The search continues after quoted lines: each answer stays, and a second header hides no text above it."""
    header = HEADERS["apple, English"]
    text = f"Hi.\n\n{header}\n> When?\n\nAt five.\n\n> Where?\n\nHere.\n\n{HEADERS['yandex']}\n\nOlder words."
    assert own_text(text, subject=SUBJECT) == "Hi.\n\nAt five.\n\nHere."


def test_an_own_line_right_above_an_attribution_stays() -> None:
    """A line with a date and a time is not taken for the first half of the attribution below it."""
    text = f"Yes, on 3.12.2026 at 10:00\n{HEADERS['apple, English']}\n> When?"
    assert own_text(text, subject=SUBJECT) == "Yes, on 3.12.2026 at 10:00"


def test_lines_that_were_wrapped_out_of_a_quote_are_history() -> None:
    """The end of a quoted line that was wrapped is history too; an answer written there stays."""
    long = "> We would be glad to see you in our practice next week on Thursday, on Friday"
    quoted = f"Yes.\n\n{HEADERS['yandex']}\n\n{long}\n{{}}\n> See you."
    assert own_text(quoted.format("or on Monday"), subject=SUBJECT) == "Yes."
    assert own_text(quoted.format("On Friday"), subject=SUBJECT) == "Yes.\n\nOn Friday"
    assert own_text(f"{long}\nor on monday\n> See you.", subject=SUBJECT) == "or on monday"


@pytest.mark.parametrize("line", DEVICE_LINES["a device's"])
def test_the_line_of_a_device_goes(line: str) -> None:
    """A line that a phone or an app adds is removed, so that an opt-out word above it is alone."""
    assert own_text(f"Unsubscribe\n\n{line}", subject=SUBJECT) == "Unsubscribe"
    assert own_text(f"Unsubscribe\n\n{line}\n\n{HEADERS['apple, German']}\n\n> When?", subject=SUBJECT) == "Unsubscribe"
    assert own_text(as_html(f"Unsubscribe\n\n{line}\n\n\n"), subject=SUBJECT) == "Unsubscribe"


@pytest.mark.parametrize("line", DEVICE_LINES["a device's"])
def test_an_opt_out_by_mail_from_a_telephone_is_known(line: str) -> None:
    """A mail with only "Unsubscribe" above a phone's line and a quote is exactly the stop word."""
    quote = f"{escape(HEADERS['apple, English'])}<br><blockquote type='cite'><div>Shall we book?</div></blockquote>"
    body = f'<html><body dir="auto">Unsubscribe<div><br><div dir="ltr">{escape(line)}</div><br>{quote}</div></body></html>'
    assert stops(own_text(body, subject=SUBJECT), Channel.EMAIL, ["unsubscribe"])


@pytest.mark.parametrize("line", DEVICE_LINES["a person's"])
def test_a_sentence_about_a_device_stays(line: str) -> None:
    """A person's text about a phone, or that begins like such a line, stays."""
    assert not is_device_line(line)
    assert own_text(f"Hello.\n\n{line}", subject=SUBJECT) == f"Hello.\n\n{line}"


def test_words_below_the_line_of_a_device_stay() -> None:
    """Text below the line of a device belongs to the mail."""
    text = "Hello.\n\nSent from my iPhone\n\nOne more thing: is it free?"
    assert own_text(text, subject=SUBJECT) == text


ATTRIBUTION = "On Mon, 3 Mar 2025 at 10:00, Acme <a@acme.example> wrote:\n"
HOSTILE = [
    "<div>",
    "<b><p>",
    "<a ",
    "<b></p>",
    "<i><div>",
    "<select><b>",
    '<div x="<">',
    '<div style="border-top:0">',
    "<!--",
    "<head",
    '<div class="gmail_quote">-',
    "<div hidden>a</div>",
    "<blockquote>a</blockquote>",
    '<p style="/*a">',
    "<pre> \n",
    "<p>\u200c",
    "On ",
    "On " + "a " * 100 + "\n",
    "From: a@b\n",
    "From: A <a@b.example>\n",
    "a: b\n\n",
    "> ",
    "> x\n" + ATTRIBUTION,
    " \n",
    ATTRIBUTION,
    ATTRIBUTION.replace(" wrote", "\nwrote"),
    "x <a@b.example>:\n",
    "12.12.2026 10:00:\n",
    "a@",
    "<a@",
    "(a@b) ",
    "--- a ---\n",
    "-",
    "-a",
    "=-_",
    "1:",
    "2026 ",
    "wrote wrote\n",
    "\u202a",
    "&amp;",
    "\u00a0 ",
    "Sent from my iPhone\n",
    "iphone " * 10 + "\n",
    "von " * 20 + "iphone x.\n",
    "<br>iphone",
    ">>> 1.1.2026 10:00 >>>\n",
]


@pytest.mark.parametrize("shape", HOSTILE)
def test_the_cost_grows_no_faster_than_the_body(shape: str) -> None:
    """Four times the body costs about four times as much (sixteen would be quadratic), and a megabyte takes little longer."""
    small, large, huge = (shape * (size // len(shape)) for size in (25_000, 100_000, 1_000_000))
    unit = max(cpu_seconds(own_text, small, runs=3), 0.002)
    assert cpu_seconds(own_text, large, most=10 * unit) <= 10 * unit
    assert cpu_seconds(own_text, huge, most=40 * unit) <= 40 * unit
