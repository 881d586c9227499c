"""Reactions ("Liked ...") that phones send as texts to recipients that can't show them."""

from __future__ import annotations

import re

# The words of iMessage and of Google Messages in English. The quote must be the whole rest and hold no other, so that
# `Loved "Up", hated "Cars"` is what it is: a message. Google puts invisible characters around the emoji.
_SOMETHING = (
    r"(?:[“\"„][^“”\"„]*[”\"]|an? (?:image|photo|picture|movie|video|attachment|audio message|voice message|sticker|link"
    r"|location|contact|message))"
)
_EMOJI = "[^\x00-\x7f\\w\\s“”„‘’…–—]{1,16}"
_GIVEN = rf"(?:Loved|Liked|Disliked|Laughed at|Emphasi[sz]ed|Questioned|Reacted (?:{_EMOJI}|with a sticker) to|{_EMOJI} to)"
_TAKEN_BACK = rf"Removed (?:a heart|a like|a dislike|a laugh|an exclamation(?: mark)?|a question mark|a sticker|{_EMOJI}) from"
_REACTION = re.compile(f"(?:{_GIVEN}|{_TAKEN_BACK}) {_SOMETHING}")
_INVISIBLE = re.compile("[\u200a-\u200c\u2060\ufeff]")


def is_reaction(text: str) -> bool:
    """Whether the whole text is a reaction in words, like `Liked "See you at 5"` or `Reacted 👍 to an image`.

    An emoji by itself is a message: people answer with one.
    """
    return bool(_REACTION.fullmatch(_INVISIBLE.sub("", text).strip()))
