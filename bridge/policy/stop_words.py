"""Opt-out and opt-in words such as STOP and START, in all their spellings."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from bridge.model import Channel
from bridge.policy.normalise import letters, plain
from bridge.policy.sign_offs import without_signature
from bridge.stop_word_list import PHONE_STOP_WORDS, START_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PHONE = frozenset({Channel.SMS, Channel.WHATSAPP})
_MOST_CHARACTERS = 60
# Two words may be joined or separated: OPTOUT, STOP ALL. More words are a sentence.
_MOST_JOINED = 2
_THANKS = tuple(
    tuple(thanks.split())
    for thanks in (
        *(
            "thank you very much",
            "thank you so much",
            "thank you",
            "many thanks",
            "thanks a lot",
            "thanks",
            "thx",
            "thankyou",
            "ty",
        ),
        *("vielen dank", "danke schon", "danke", "merci beaucoup", "merci", "muchas gracias", "gracias", "muito obrigado"),
        *("muito obrigada", "obrigado", "obrigada", "grazie mille", "grazie", "dank u wel", "dank u", "dank je", "bedankt"),
        *("tack sa mycket", "tack", "tusen takk", "takk", "mange tak", "tak", "kiitos", "dziekuje", "dzieki", "dekuji", "diky"),
        *("koszonom", "multumesc", "hvala", "спасибо", "дякую", "благодаря", "tesekkurler", "tesekkur ederim", "ευχαριστω"),
        *("谢谢", "謝謝", "ありがとう", "ありがとうございます", "감사합니다", "شكرا", "תודה", "terima kasih", "cam on"),
    )
)


def forms(text: str) -> tuple[str, ...]:
    """The normalised forms of a whole message to look up in the stop words; empty if it is too long to be one.

    Normalisation removes case, accents, full width and punctuation, joins single letters, removes repetition, thanks and a
    signature.
    """
    message = without_signature(text)
    if len(message) > _MOST_CHARACTERS:
        return ()
    words = _words(message)
    # As in `stopping:LOCATION` of older versions, and as a location may list it, including thanks.
    every = (plain(message), *_written(words), *_written(_once(_without_thanks(words))))
    return tuple(dict.fromkeys(form for form in every if form))


def stopping(words: Iterable[str]) -> frozenset[str]:
    """A location's `stop_words` for the look-up: `Channel|form` for each channel that a word stops."""
    listed = [(word, _written(_words(word))) for word in words]
    return frozenset(
        f"{channel}|{form}"
        for word, written in listed
        for channel in Channel
        if channel in _PHONE or PHONE_STOP_WORDS.isdisjoint(written)
        for form in (plain(word), *written)
        if form
    )


def stops(text: str, channel: Channel, words: Iterable[str]) -> bool:
    """Whether a whole message is one of these stop words on its channel, like in the accept script."""
    return not stopping(words).isdisjoint(f"{channel}|{form}" for form in forms(text))


def is_spoken_stop(transcript: str, words: Iterable[str]) -> bool:
    """Whether a whole transcript is one of the unambiguous stop words, because an engine may find a word in silence.

    A text may repeat the word or add thanks; a transcript counts only if it is exactly the word.
    """
    listed = {form for word in words for form in _written(_words(word))} - {""}
    heard = set(_written(_words(transcript)))
    return not heard.isdisjoint(listed) and heard.isdisjoint(PHONE_STOP_WORDS)


def starts(text: str) -> bool:
    """Whether the whole message is an opt-in word."""
    return not START_WORDS.isdisjoint(forms(text))


def _words(text: str) -> list[str]:
    """The words in plain letters; single letters in a row are joined to a word."""
    words: list[str] = []
    for alone, some in groupby(plain(letters(text)).split(), key=lambda word: len(word) == 1 and word.isalpha()):
        spelled = list(some)
        words += ["".join(spelled)] if alone else spelled
    return words


def _written(words: Sequence[str]) -> tuple[str, ...]:
    apart, together = " ".join(words), "".join(words)
    return (apart, together) if len(words) <= _MOST_JOINED else (apart,)


def _without_thanks(words: list[str]) -> list[str]:
    """The words without thanks before and after them; thanks alone are kept."""
    for thanks in _THANKS:
        size = len(thanks)
        if size < len(words) and tuple(words[-size:]) == thanks:
            return _without_thanks(words[:-size])
        if size < len(words) and tuple(words[:size]) == thanks:
            return _without_thanks(words[size:])
    return words


def _once(words: list[str]) -> list[str]:
    """The words without repetition: STOP STOP is STOP, and "opt out, opt out" is "opt out"."""
    for size in range(1, _MOST_JOINED + 1):
        if words and words == words[:size] * (len(words) // size):
            return words[:size]
    return words
