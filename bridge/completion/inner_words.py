"""What a model writes into its text for itself and not for the reader. Pure.

A stand-in of the same form: it knows `<think>`, `<tool_call>`, control tokens and file-search marks in their plainest form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.model import Reason

_KINDS = (
    ("thoughts", re.compile(r"\A(?:(?!<think>).)*?</think>|<think>.*?</think>", re.DOTALL)),
    ("tool call", re.compile(r"<tool_call>.*?(?:</tool_call>|\Z)", re.DOTALL)),
    ("control tokens", re.compile(r"<\|\w+\|>")),
    ("citation marks", re.compile(r"【\d+:\d+†[^】]*】")),
)
_OPEN = re.compile(r"<think>.*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Visible:
    """What is left to be read, and what was taken away. `unclosed`: a thought was cut off before its end."""

    text: str
    reason: Reason | None
    removed: tuple[str, ...]
    unclosed: bool


def visible(text: str) -> Visible:
    """Take away what a model wrote for itself."""
    removed, left = [], text
    for kind, mark in _KINDS:
        without = mark.sub("", left)
        if without != left:
            removed.append(kind)
        left = without
    if _OPEN.search(left):
        return Visible("", Reason.THOUGHTS_ONLY, ("thoughts",), unclosed=True)
    if not removed:
        return Visible(text, None if text.strip() else Reason.EMPTY, (), unclosed=False)
    said = left.strip()
    why = Reason.TOOL_CALL if "tool call" in removed else Reason.THOUGHTS_ONLY
    return Visible(said, None if said else why, tuple(removed), unclosed=False)
