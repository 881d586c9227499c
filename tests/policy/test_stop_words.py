"""Stop words: the whole message in any notation; some only by phone; never a sentence."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.locations import Location
from bridge.model import Channel
from bridge.policy import stop_words
from bridge.policy.stop_words import forms, is_spoken_stop, starts, stopping
from bridge.stop_word_list import PHONE_STOP_WORDS, STOP_WORDS

DEFAULT = stopping(Location(id="here").stop_words)
# What 0.1.0 knew, and what a file that was written for it may list.
FIRST = ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "opt out")


def stops(text: str, channel: Channel = Channel.SMS, words: frozenset[str] = DEFAULT) -> bool:
    return any(f"{channel}|{form}" in words for form in forms(text))


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "Stop!!!",
        "“STOP”",
        "stop\n",
        "STOPALL",
        "Unsubscribe",
        "opt out",
        "OPT-OUT",
        "Opt  out!",
        "revoke",
        "cancel",
        "END",
        "quit.",
        "*stop*",
        "_stop_",
        "STOP 🛑",
    ],
)
def test_the_whole_message_stops(text: str) -> None:
    """It may have any case, punctuation and white space around it."""
    assert stops(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "!!!",
        "please stop",
        "stop by at five",
        "Stop it, you are making me laugh",
        "don't stop",
        "stopps",
        "stops",
        "non-stop",
        "the end",
        "I want to cancel my appointment",
        "start",
        "stop" + "!" * 60,
    ],
)
def test_part_of_a_message_does_not_stop(text: str) -> None:
    """A stop word among other words is a usual word, and so is a message that is too long for one."""
    assert not stops(text)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("word", STOP_WORDS)
def test_ordinary_words_stop_by_phone_only(channel: Channel, word: str) -> None:
    """Ambiguous words count on SMS and WhatsApp, where phone companies know them; the others on every channel."""
    by_phone = channel in {Channel.SMS, Channel.WHATSAPP}
    assert stops(word, channel) is (by_phone or word not in PHONE_STOP_WORDS)
    assert stops(f"{word.upper()}!\n\nSent from my iPhone", channel) is (by_phone or word not in PHONE_STOP_WORDS)


def test_the_first_words_stay() -> None:
    """No word of the first list is ever removed, and words that count only by phone are a part of the list."""
    assert STOP_WORDS[: len(FIRST)] == FIRST
    assert set(STOP_WORDS) > PHONE_STOP_WORDS > {"cancel", "end", "quit"}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "OPTOUT",
            "optout",
            "Opt-Out",
            "opt.out",
            "OPT OUT.",
            "STOP ALL",
            "Stop-All",
            "UNSUB",
            "ARRET",
            "Arrêt",
            "ARRÊTE",
            "un sub",
        ),
        *("STOPP", "Stopp!", "СТОП", "Remove", "ALTO", "Parar.", "BAJA", "fin"),
    ],
)
def test_words_of_other_lists_stop(text: str) -> None:
    """The list has words of carriers, other services and other languages, in one word or two."""
    assert stops(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ＳＴＯＰ",
            "ｓｔｏｐ！",
            "Ｕｎｓｕｂｓｃｒｉｂｅ",
            "𝐒𝐓𝐎𝐏",
            "S T O P",
            "S.T.O.P.",
            "s-t-o-p",
            "S. T. O. P",
            "S T O P  A L L",
        ),
        *("o p t o u t", "ST\u200bOP", "\u200eSTOP\u200f", "st\u00adop", "🛑STOP🛑", "[STOP]", "'stop'", "STÓP"),
    ],
)
def test_how_it_is_written_does_not_matter(text: str) -> None:
    """Full width, spaced letters, accents and invisible characters don't matter."""
    assert stops(text)


@pytest.mark.parametrize(
    "text",
    [
        *("STOP STOP", "stop, Stop, STOP!", "Stop stop stop stop", "opt out opt out", "STOP\nSTOP", "S T O P STOP"),
        *(
            "Stop. Thank you",
            "STOP thanks!",
            "Thanks, stop.",
            "Thank you. STOP. Thank you very much",
            "Stopp, danke",
            "Stop, merci",
        ),
        *(
            "Stop, gracias",
            "Unsubscribe, thanks a lot",
            "STOP STOP, thx",
            "Stopp. Vielen Dank!",
            "стоп, спасибо",
            "Stop, danke schön",
        ),
        *("ARRÊT merci beaucoup", "Parar, obrigado", "stop takk", "Opt-out. Thank you so much."),
    ],
)
def test_twice_or_with_thanks_is_still_one_word(text: str) -> None:
    """A repeated word or a thank-you doesn't make a stop another message."""
    assert stops(text)


@pytest.mark.parametrize(
    "below",
    [
        *("\n\nSent from my iPhone", "\nSent from my iPhone", "\n\nGet Outlook for Android", "\n\nVon meinem iPhone gesendet"),
        *("\n\nEnvoyé de mon iPad", "\n\nEnviado desde mi Samsung", "\n\nInviato da iPhone", "\n\nVerzonden vanaf mijn iPhone"),
        *(
            "\n\nLähetetty iPhonesta",
            "\n\nОтправлено с iPhone",
            "\n\n发自我的iPhone",
            "\n\niPhoneから送信",
            "\nSkickat från min iPhone",
        ),
        *("\n\nSent from Yahoo Mail on Android", "\n-- \nJohn Smith\nAcme Ltd\n555-1234", "\n--\nJ.", "\n- Bob", "\n~ Ann Lee ~"),
        *(
            "\n—\nBob",
            "\n\nThanks,\nJohn",
            "\n\nBest regards,\nJohn Smith\nDirector",
            "\nDanke\nEva",
            "\n\nViele Grüße\nEva Maier",
        ),
        *("\n\nCordialement,\nLuc", "\n\n\nSaludos\n\nAna\n\nSent from my iPhone", "\n\n- Bob\n\nSent from my iPhone", "\r\n"),
    ],
)
def test_a_signature_says_nothing(below: str) -> None:
    """A stop word above a phone's line, a closing or a name is a stop, on every channel."""
    for word in ("STOP", "Unsubscribe", "Opt out."):
        assert stops(word + below, Channel.EMAIL)
    assert not stops("Please stop by at nine" + below, Channel.EMAIL)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "STOP\nI got a new iPhone",
            "Cancel\nmy appointment",
            "End\nof story",
            "STOP\n\nI have a question",
            "Quit\n\nWhat about my iPad?",
        ),
        *(
            "Stop\nThanks, but can you call me?\nwhen?",
            "Stop\n- one\n- two\n- and some more words",
            "thanks",
            "thank you",
            "Danke",
        ),
        *("stop and go", "opt me out of it", "o", "s t", "s t o p it now", "stop end", "be end", "the fin", "no stop", "no fin"),
        *(
            "Remove the cat",
            "alto Adige",
            "Baja California",
            "parar e pensar",
            "fin de semana",
            "arrêtez",
            "full stop",
            "bus stop",
            "HELP",
            "INFO",
            "help me stop",
        ),
        *("Sent from my iPhone", "Thanks\nSTOP by"),
        "STOP\n" + "Sent from my iPhone and I have much more to say about all of that, you see",
    ],
)
def test_what_says_more_does_not_stop(text: str) -> None:
    """Other words above, below or between make it a message to answer."""
    assert not stops(text)


# Words as they are written, without those that are counted as nothing or as a letter.
WORD = st.text(st.characters(categories=["L"]), min_size=2, max_size=12)
OTHERS = st.lists(WORD.filter(lambda word: forms(f"{word} stop")[-1:] != ("stop",) and not stops(word)), min_size=3, max_size=8)


@given(
    others=OTHERS, word=st.sampled_from(STOP_WORDS), at=st.integers(0, 8), between=st.sampled_from([" ", ", ", "\n", " - ", ". "])
)
@example(others=["an", "iPhone", "please"], word="stop", at=0, between="\n")
@example(others=["by", "at", "nine"], word="stop", at=0, between=" ")
def test_a_sentence_never_stops(others: list[str], word: str, at: int, between: str) -> None:
    """A stop word with three or more other words is never a stop, on any channel, in any place."""
    sentence = between.join([*others[:at], word, *others[at:]])
    assert not any(stops(sentence, channel) for channel in Channel)


@pytest.mark.parametrize(
    ("transcript", "stop"),
    [
        *[(text, True) for text in ("Stop.", "STOP", "Unsubscribe!", "Opt out.", "opt-out", "Arrêt.")],
        *[(text, False) for text in ("Cancel.", "End", "Quit", "Fin.", "Baja", "Alto", "Parar", "Remove", "", "...", "Start")],
        *[(text, False) for text in ("Stop stop", "Stop, thank you.", "Please stop", "Stop by at nine", "stop\n-- \nBob")],
    ],
)
def test_what_was_heard_is_the_word_alone(transcript: str, *, stop: bool) -> None:
    """A transcript stops only if it equals a stop word that has no other meaning."""
    assert is_spoken_stop(transcript, STOP_WORDS) is stop


@given(
    others=st.lists(WORD, min_size=3, max_size=8),
    word=st.sampled_from(STOP_WORDS),
    at=st.integers(0, 8),
    between=st.sampled_from([" ", ", ", "\n", ". "]),
)
@example(others=["thank", "you", "thanks"], word="stop", at=0, between=" ")
@example(others=["stop", "stop", "stop"], word="stop", at=0, between=" ")
def test_a_spoken_sentence_never_stops(others: list[str], word: str, at: int, between: str) -> None:
    """A spoken stop word with three or more other words is none, including thanks and repetitions."""
    assert not is_spoken_stop(between.join([*others[:at], word, *others[at:]]), STOP_WORDS)


@pytest.mark.parametrize("text", ["STOP", "opt-out\n- Bob", "cancel", "Stop by", "Kein Interesse", ""])
@pytest.mark.parametrize("channel", Channel)
def test_one_rule_for_the_script_and_for_the_program(text: str, channel: Channel) -> None:
    """Python decides the same as the script does with the set."""
    for words in (STOP_WORDS, ("kein interesse",), ()):
        assert stop_words.stops(text, channel, words) is stops(text, channel, stopping(words))


def test_what_is_far_below_is_not_forgotten() -> None:
    """Words below many empty lines count; below a line of dashes none does, however long the rest is."""
    assert not stops("STOP" + "\n" * 3_000 + "by at nine")
    assert not stops("STOP\nThanks\n" + "and so on\n" * 3_000)
    assert stops("STOP\n-- \n" + "This message is confidential.\n" * 3_000)


@given(st.text())
def test_any_text_has_forms(text: str) -> None:
    """Any text has a form to look up, which is never empty."""
    assert all(forms(text))


@pytest.mark.parametrize("text", ["a" * 1_000_000, "a " * 500_000, "\n" * 1_000_000, "-\n" * 500_000, "STOP\nthanks\n" * 100_000])
def test_long_texts_are_looked_at_quickly(text: str) -> None:
    """A megabyte takes almost no time."""
    began = time.process_time()
    assert not stops(text)
    assert time.process_time() - began < 1


def test_a_location_has_its_own_words() -> None:
    """The words in the file count, in any case and language, instead of the default; blank entries don't."""
    words = stopping(("Kein Interesse!", "ARRÊT", "kein interesse mehr", "no thanks", " ", ""))
    assert stops("kein interesse", words=words)
    assert stops("Kein Interesse. Danke!", words=words)
    assert stops("KEIN INTERESSE MEHR\n\nVon meinem iPhone gesendet", words=words)
    assert stops("Arrêt", words=words)
    assert stops("arret", Channel.EMAIL, words)
    assert stops("No, thanks.", words=words)
    assert not stops("no", words=words)
    assert not stops("stop", words=words)
    assert not stops("", words=words)
    assert stopping(()) == frozenset()


def test_what_an_older_version_wrote_and_asks_is_found() -> None:
    """Both forms of two words are stored and looked up, because 0.1.0 stored and looked up only the one with a space."""
    assert stops("OPT-OUT", words=frozenset({"SMS|opt out"}))
    assert {"SMS|opt out", "SMS|optout"} <= stopping(("opt out",))
    assert {f"SMS|{word}" for word in FIRST} <= DEFAULT


@pytest.mark.parametrize(
    ("text", "lifts"),
    [
        *[(text, True) for text in ("START", "Unstop.", "start!", "ＳＴＡＲＴ", "S T A R T", "START START", "Start, thank you")],
        *[(text, True) for text in ("START\n\nSent from my iPhone", "UN STOP", "unstop\n- Bob")],
        *[(text, False) for text in ("yes", "start over", "", "when do you start", "Start\nwhen?", "HELP", "INFO")],
    ],
)
def test_one_word_lifts_a_stop(text: str, *, lifts: bool) -> None:
    """START and UNSTOP do, in any notation; YES is more often the answer to a question."""
    assert starts(text) is lifts
