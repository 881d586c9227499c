from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ghl.email.own_words import own_text

EMAILS = Path(__file__).parent / "emails"

REPLIES = {
    "gmail": "Yes, Tuesday works.\n\nAnna",
    "gmail_answers_between_quotes": "Tuesday.\nAt your place.",
    "gmail_forward_with_words": "Can you match this?",
    "outlook_windows": "Hi,\n\nplease book it.",
    "outlook_windows_finnish": "Hi,\n\nplease book it.",
    "outlook_web": "Please book it.",
    "outlook_web_prefixed_ids": "Please book it.",
    "outlook_mobile": "Please book it.",
    "apple_iphone": "Sounds good.",
    "yahoo": "Thanks, how much is it?",
    "thunderbird_german": "Ja, gern.",
    "thunderbird_answer_below": "Unten geantwortet.",
    "gmx_german": "Hallo, ja gern.",
    "plain_text_in_breaks_german": "Ja, passt.",
    "plain_text_in_pre_german": "Ja, passt.",
    "unmarked_quote": "Yes",
    "unmarked_quote_answer_below": "Yes\nAt 5",
}
FORWARDS = ("gmail_forward", "apple_iphone_forward", "outlook_windows_forward")
QUOTE_ONLY = "apple_iphone_quote_only"


def email(name: str) -> str:
    return (EMAILS / f"{name}.html").read_text(encoding="utf-8")


def test_every_email_is_expected_here() -> None:
    """A mail that is added needs its text in this file."""
    assert {path.stem for path in EMAILS.glob("*.html")} == {*REPLIES, *FORWARDS, QUOTE_ONLY}


@pytest.mark.parametrize("name", REPLIES)
def test_replies_of_mail_programs_lose_their_history(name: str) -> None:
    """Of a reply from any common mail program only the new words remain."""
    assert own_text(email(name), subject="Re: Appointment") == REPLIES[name]


@pytest.mark.parametrize(
    "header",
    [
        "On Mon, 3 Mar 2025 at 10:00, Acme <a@acme.example> wrote:",
        "On Mon, 3 Mar 2025 at 10:00, Acme Dental and Friends\n<a@acme.example> wrote:",
        "Am 03.03.2025 um 10:00 schrieb Acme <a@acme.example>:",
        "El lun, 3 mar 2025 a las 10:00, Acme (<a@acme.example>) escribió:",
        "Em seg., 3 de mar. de 2025 às 10:00, Acme <\na@acme.example> escreveu:",
        "Le lun. 3 mars 2025 à 10:00, Acme <a@acme.example> a écrit\u00a0:",
        "Il giorno lun 3 mar 2025 alle ore 10:00 Acme <a@acme.example> ha scritto:",
        "Op ma 3 mrt 2025 om 10:00 schreef Acme <a@acme.example>:",
        "pon., 3 mar 2025 o 10:00 Acme <a@acme.example> napisał(a):",
        "Den mån 3 mars 2025 kl 10:00 skrev Acme <a@acme.example>:",
        "-----Original Message-----\nFrom: Acme\nSent: Monday",
        "________________________________\nFrom: Acme <a@acme.example>\nSent: Monday\nTo: Anna\nSubject: Appointment",
        "Von: Acme\nGesendet: Montag, 3. März 2025 10:00\nAn: Anna\nBetreff: Termin",
        "De : Acme\nEnvoyé : lundi 3 mars 2025 10:00\nÀ : Anna\nObjet : Rendez-vous",
    ],
)
def test_headers_of_history_in_many_languages(header: str) -> None:
    """In plain text the line above the history is recognised in the languages of GHL's users."""
    assert own_text(f"Yes, please.\n\n{header}\n> When?\n>\n> Acme\n") == "Yes, please."
    assert own_text(f"Yes, please.\n\n{header}\n\nWhen?\n") == "Yes, please."


@pytest.mark.parametrize(
    "text",
    [
        "I want to go\nFrom: Berlin\nTo: Munich\nDate: 5 May\nthanks",
        "On the phone Bob wrote:\ncome at five",
        "A: yes\nA: no",
        "For how many?\n>10 people",
        "Write to a@acme.example, or\nb <b@acme.example>",
        "Data: 5 maj o 10:00",
    ],
)
def test_own_words_that_look_like_a_header_stay(text: str) -> None:
    """Text is history only below a line with a date or an address."""
    assert own_text(text) == text


def test_an_answer_under_the_quote_is_found() -> None:
    """In plain text, too, the answer may be below the quoted lines or between them."""
    header = "On Mon, 3 Mar 2025 at 10:00, Acme <a@acme.example> wrote:"
    assert own_text(f"{header}\n\n> When?\n\nAt five.\n\n> Where?\n\nHere.\n") == "At five.\n\nHere."


@pytest.mark.parametrize("name", FORWARDS)
def test_a_forward_without_own_words_is_given_whole(name: str) -> None:
    """The content of a forward is the message, without a phone's line."""
    whole = own_text(email(name), subject="Fwd: Offer")
    assert "From:" in whole
    assert whole.endswith("Whitening for 300 EUR")


def test_a_plain_forward_without_own_words_is_given_whole() -> None:
    """A forward in plain text is kept too."""
    text = "---------- Forwarded message ---------\nFrom: Bob <bob@other.example>\nDate: Monday\nTo: Anna\n\n300 EUR"
    assert own_text(text, subject="Fwd: Offer") == text


@pytest.mark.parametrize("subject", ["Re: Appointment", "AW: Termin", "RE : Rendez-vous", "Re[2]: x", "回复：你好"])
def test_a_reply_without_own_words_is_empty(subject: str) -> None:
    """A reply that only quotes has no text, because an answer would answer our own words."""
    assert not own_text(email(QUOTE_ONLY), subject=subject)
    assert not own_text("On Mon, 3 Mar 2025 at 10:00, Acme wrote:\n> When?", subject=subject)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", ""),
        (" \n ", ""),
        ("Tom &amp; Jerry, 3 &lt; 4", "Tom & Jerry, 3 < 4"),
        ("a < b and <john@acme.example>", "a < b and <john@acme.example>"),
        ("See\n<a href='https://acme.example'>our page</a>\nand more", "See\nour page\nand more"),
        ("<p>one</p>\n<p>two</p>", "one\ntwo"),
        ("<div>one<br></div><div>two</div><div><br></div><div>three</div>", "one\ntwo\n\nthree"),
        ("one<br><br><br><br>two", "one\n\ntwo"),
        ("<div>a&nbsp;&nbsp;b\n  c\td</div>", "a b c d"),
        ("<table><tr><td>Mon</td><td>9:00</td></tr><tr><th>Tue</th></tr></table>", "Mon 9:00\nTue"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("<!doctype html><html><head><title>T</title></head><body>text</body></html>", "text"),
        ("<html><head><title>T</title><body>text", "text"),
        ("<div>a<script>x()</script><style>p{}</style><!-- c -->b</div>", "ab"),
        ("<div>so\u200b\ufefft in\u00adto&zwnj; &zwnj;&nbsp;&zwnj;it</div>", "sot into it"),
        ("<div>👨\u200d👩\u200d👧 می\u200cخواهم</div>", "👨\u200d👩\u200d👧 می\u200cخواهم"),
        ('<div>ok <img data-emoji="👍" alt="👍"><img alt="logo"><img data-emoji></div>', "ok 👍"),
        ('<blockquote style="margin:0 0 0 40px;border: none;padding:0px">indented</blockquote>', "indented"),
        ('<div>a</div><div style="border-top:1px solid"><b>Tel:</b> 1</div><div>b</div>', "a\nTel: 1\nb"),
        (
            '<div style="border-top:1px solid">Name:<br>A<br>Mail:<br>a@b.example<br>Date:<br>3.12.2026 10:00</div><p>b</p>',
            "Name:\nA\nMail:\na@b.example\nDate:\n3.12.2026 10:00\nb",
        ),
        ('<div class="gmail_quote"></div><div>a</div>', "a"),
        ('<div style="display:none">x</div>a', "a"),
        ('<div style="DISPLAY: none !important; max-height: 0px">x</div>a', "a"),
        ('<span style="color:red;visibility : hidden">x</span>a', "a"),
        ('<div style="mso-hide:all">x</div>a', "a"),
        ("<div hidden><p>x</p></div>a", "a"),
        ('<div style="max-height:0;overflow:hidden">x</div>a', "a"),
        ('<div style="opacity:0.0">x</div>a', "a"),
        ('<div style="display:/* never */none">x</div>a', "a"),
        ('<td style="font-size:0"><span style="font-size:16px">a</span></td>', "a"),
        ('<div style="max-height:0.5em">a</div>', "a"),
        ('<div style="opacity:0.9;display:block">a</div>', "a"),
        ('<div class="display:none">a</div>', "a"),
    ],
)
def test_html_becomes_lines_of_text(body: str, expected: str) -> None:
    """Blocks and <br> become line breaks, blanks of all kinds one blank, and invisible content is removed."""
    assert own_text(body) == expected


@given(
    st.text(st.characters(exclude_categories=()), max_size=300)
    | st.lists(
        st.sampled_from(
            [
                "<div>",
                "</div>",
                "<blockquote>",
                "<br>",
                "On 10:00 x wrote:",
                "\n",
                "> ",
                "From: a@b\n",
                "To: c\n",
                "Sent: d\n",
                "a ",
            ]
        ),
        max_size=40,
    ).map("".join)
)
def test_no_body_makes_it_raise(body: str) -> None:
    """Any e-mail's text has no blanks at its ends and no two empty lines in a row."""
    text = own_text(body)
    assert text == text.strip()
    assert "\n\n\n" not in text
