"""Reactions ("Liked ...") that phones send as texts to recipients that can't show them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.model import Reason, Skip
from bridge.policy.normalise import bare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.model import InboundMessage, PastMessage

# The words of iMessage and of Google Messages in English. The quote must be the whole rest and hold no other, so
# `Loved "Up", hated "Cars"` is a message. Google puts invisible characters around the emoji.
_SOMETHING = (
    r"(?:[“\"„][^“”\"„]*[”\"]|an? (?:image|photo|picture|movie|video|attachment|audio message|voice message|sticker|link"
    r"|location|contact|message))"
)
_EMOJI = "[^\x00-\x7f\\w\\s“”„‘’…–—]{1,16}"
_GIVEN = rf"(?:Loved|Liked|Disliked|Laughed at|Emphasi[sz]ed|Questioned|Reacted (?:{_EMOJI}|with a sticker) to|{_EMOJI} to)"
_TAKEN_BACK = rf"Removed (?:a heart|a like|a dislike|a laugh|an exclamation(?: mark)?|a question mark|a sticker|{_EMOJI}) from"
_REACTION = re.compile(f"(?:{_GIVEN}|{_TAKEN_BACK}) {_SOMETHING}")
_INVISIBLE = re.compile("[\u200a-\u200c\u2060\ufeff]")

# In every language a reaction is a few words around a quote. "Hat mit 👍 auf „...“ reagiert" has some on both sides.
_MOST_CHARACTERS_AROUND = 40
_MOST_WORDS_AROUND, _MOST_WORDS_BEHIND = 4, 1
_MOST_REPLIES = 10
# "Yes" in quotes is an answer; from this many letters and digits of our reply on, it is a quote.
_LEAST_QUOTED, _LEAST_PART = 6, 60
_OPENING, _CLOSING = '“„"«‹「『《”', '”“"»›」』》'
_CUT = ("…", "...")
_QUESTION = re.compile("[?？؟;]")


def is_reaction(text: str) -> bool:
    """Whether the whole text is a reaction, like `Liked "See you at 5"` or `Reacted 👍 to an image`.

    A single emoji is a message, because people answer with one.
    """
    return bool(_REACTION.fullmatch(_INVISIBLE.sub("", text).strip()))


def judge_reaction(message: InboundMessage, said: Sequence[PastMessage]) -> Skip | None:
    """Compare one message with the earlier ones, oldest first: whether it only quotes one of our last replies."""
    quote = _quoted(message.text)
    if quote is None:
        return None
    cut = quote.endswith(_CUT)
    own = bare(quote)
    for reply in [one for one in said if one.role == "assistant"][-_MOST_REPLIES:]:
        if len(own) >= _LEAST_QUOTED and _is_of(bare(reply.content), own, cut=cut):
            return Skip(Reason.BLANK, f"nothing but a reaction to our reply {reply.id}")
    return None


def _is_of(reply: str, own: str, *, cut: bool) -> bool:
    return reply == own or (cut and reply.startswith(own)) or (len(own) >= _LEAST_PART and own in reply)


def _quoted(text: str) -> str | None:
    """The quote in a text, if there are only a few words around it and no question."""
    visible = _INVISIBLE.sub("", text).strip()
    begin = next((at for at, character in enumerate(visible[: _MOST_CHARACTERS_AROUND + 1]) if character in _OPENING), -1)
    tail = visible[-_MOST_CHARACTERS_AROUND - 1 :]
    back = next((at for at, character in enumerate(reversed(tail)) if character in _CLOSING), -1)
    # A phone that cuts a quote may cut its closing mark, too.
    end = len(visible) - 1 - back if back >= 0 else len(visible) if visible.endswith(_CUT) else -1
    if begin < 0 or end <= begin:
        return None
    before, behind = visible[:begin], visible[end + 1 :]
    words, last = len(re.findall(r"\w+", before)), len(re.findall(r"\w+", behind))
    few = words + last <= _MOST_WORDS_AROUND and (not words or last <= _MOST_WORDS_BEHIND)
    around = before + behind
    return visible[begin + 1 : end].strip() if few and around.strip() and not _QUESTION.search(around) else None
