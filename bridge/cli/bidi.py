"""What a terminal must not be told by strangers: marks that turn or hide what is written (Trojan Source, CVE-2021-42574)."""

from __future__ import annotations

import re
from typing import IO, Any

# Marks of direction, embeddings, overrides and isolates; controls of the second table, which old terminals obey; line separators.
_MARKS = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def escaped(text: str) -> str:
    r"""The text with each such mark as `\u202e`: readable, and the same value in JSON."""
    return _MARKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Escaping:
    """A stream for people, through which no such mark passes, whoever writes."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it without marks; answers how much of the text that was: all."""
        self._stream.write(escaped(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        """All else is the stream's."""
        return getattr(self._stream, name)
