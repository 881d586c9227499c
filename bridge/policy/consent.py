"""Opt-out and opt-in words: STOP, START and their like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model import Channel
from bridge.policy.normalise import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

# What carriers take for an opt-in again; "yes" is one of theirs too, and an answer to a question far more often.
START_WORDS = frozenset({"start", "unstop"})
# Opt-outs by the rules of the phone companies, ordinary words elsewhere.
_BY_PHONE_ONLY = frozenset({"cancel", "end", "quit"})
# Said aloud they may mean anything.
_MEANS_MORE = _BY_PHONE_ONLY | {"remove", "alto", "parar", "para", "fin", "baja"}
_PHONE = frozenset({Channel.SMS, Channel.WHATSAPP})
_MOST_CHARACTERS = 60


def word_of(text: str) -> str:
    """The whole message as a stop word would stand in the list: any case, punctuation ignored; empty if too long for one."""
    return plain(text) if len(text) <= _MOST_CHARACTERS else ""


def is_spoken_stop(transcript: str, words: Iterable[str]) -> bool:
    """Whether a whole transcript is one of these stop words that mean nothing else: an engine may hear a word in silence."""
    return word_of(transcript) in {plain(word) for word in words} - {"", *_MEANS_MORE}


def stopping(words: Iterable[str]) -> frozenset[str]:
    """What stops which channel, as `Channel|word`: a location's `stop_words` made ready to be looked up."""
    plains = {plain(word) for word in words} - {""}
    return frozenset(
        f"{channel}|{word}" for channel in Channel for word in plains if channel in _PHONE or word not in _BY_PHONE_ONLY
    )
