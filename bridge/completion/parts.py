"""The text of a content in any known format. Pure.

Parts are OpenAI's (`text`, `output_text`, `refusal`; a text may be an object with `value`, as in the Assistants API), plain
strings as some gateways send them, Mistral's (`thinking`, `reference`), Anthropic's (`thinking`, `redacted_thinking`) and
Gemini's, which have no type.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.wire.answers import as_text, part

if TYPE_CHECKING:
    from collections.abc import Iterable

_TEXTS = frozenset({"text", "output_text", ""})
_THOUGHTS = frozenset({"thinking", "redacted_thinking", "reasoning", "thought", "summary_text", "reasoning_text"})
_CITATIONS = frozenset({"reference", "citation"})
_REFUSAL = "refusal"
_NAME = re.compile(r"[A-Za-z_.-]{1,32}")
_MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Found:
    """The text of a content, with the names of unknown parts and the kinds of removed parts."""

    text: str
    unknown: tuple[str, ...] = ()
    thoughts: bool = False
    citations: bool = False
    refused: bool = False


def text_of(content: object, *, lists_of_strings: bool = True) -> Found | None:
    """The text of a content; None if it is an object, a flag or a list without parts. A number is converted to text.

    `lists_of_strings`: a list of plain strings counts as parts.
    """
    match content:
        case None | str():
            return Found(as_text(content))
        case int() | float() if not isinstance(content, bool):
            return Found(str(content))
        case dict() if "type" in content:
            return _of_parts([content])
        case list() if _is_parts(content, lists_of_strings=lists_of_strings):
            return _of_parts(content)
        case _:
            return None


def _is_parts(content: list[object], *, lists_of_strings: bool) -> bool:
    typed = all(isinstance(piece, str) or _type(piece) or part(piece, "text") is not None for piece in content)
    return typed and (lists_of_strings or not any(isinstance(piece, str) for piece in content))


def _of_parts(pieces: Iterable[object]) -> Found:
    texts: list[str] = []
    kinds: list[str] = []
    for piece in pieces:
        kind, text = _type(piece), _text(piece)
        if part(piece, "thought") is True:
            kinds.append("thought")
        elif kind in _TEXTS and text is not None:
            texts.append(text)
        else:
            kinds.append(kind)
    known = {*_THOUGHTS, *_CITATIONS, _REFUSAL}
    unknown = dict.fromkeys(kind if _NAME.fullmatch(kind) else "(no name)" for kind in kinds if kind not in known)
    return Found(
        "".join(texts),
        tuple(unknown)[:_MOST_NAMES],
        thoughts=not _THOUGHTS.isdisjoint(kinds),
        citations=not _CITATIONS.isdisjoint(kinds),
        refused=_REFUSAL in kinds,
    )


def _type(piece: object) -> str:
    return as_text(part(piece, "type"))


def _text(piece: object) -> str | None:
    if isinstance(piece, str):
        return as_text(piece)
    text = part(piece, "text")
    if isinstance(text, dict):
        text = text.get("value")
    return as_text(text) if isinstance(text, str) else None
