"""Escapes characters that reverse or hide text on a terminal, because contacts can send them (Trojan Source, CVE-2021-42574)."""

from __future__ import annotations

import re
from typing import IO, Any

# Direction marks, embeddings, overrides and isolates; C1 controls, which old terminals obey; line separators.
_MARKS = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def escaped(text: str) -> str:
    r"""The text with each such character written like `\u202e`: readable, and the same value in JSON."""
    return _MARKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Escaping:
    """A text stream that escapes such characters before it writes to `stream`."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the escaped text. Returns the length of `text`."""
        self._stream.write(escaped(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        """Everything else is delegated to the stream."""
        return getattr(self._stream, name)
