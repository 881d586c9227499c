"""What a model writes into its text for itself and not for the reader. Pure.

A placeholder of the same form: it knows `<think>` only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.model import Reason

_CLOSED = re.compile(r"\A(?:(?!<think>).)*?</think>|<think>.*?</think>", re.DOTALL)
_OPEN = re.compile(r"<think>.*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Visible:
    """What is left to be read, and what was taken away. `unclosed`: a thought was cut off before its end."""

    text: str
    reason: Reason | None = None
    removed: tuple[str, ...] = ()
    unclosed: bool = False


def visible(text: str) -> Visible:
    """Take away a model's thoughts."""
    without = _CLOSED.sub("", text)
    left = _OPEN.sub("", without)
    if left == text:
        return Visible(text)
    said = left.strip()
    return Visible(said, None if said else Reason.THOUGHTS_ONLY, ("thoughts",), unclosed=left != without)
