"""Signatures below a short message: a phone's line, a closing, a name after dashes."""

from __future__ import annotations

import re

from bridge.policy.device_lines import is_device_line
from bridge.policy.normalise import plain

# A stop word is at the top: lines further down are not checked.
_MOST_CHARACTERS = 2_000
_MOST_LINE = 80
_MOST_LINES_OF_A_SIGNATURE = 6

_DELIMITER = re.compile(r"\s*(?:--|—|__+|~~+|-{3,}|={3,}|\*{3,})\s*")
_NAME = re.compile(r"\s*(?:--?|–|—|~|\^)\s*[^\W\d_][\w.'’-]*(?:\s+[\w.'’-]+){0,2}\s*~?\s*")
_CLOSINGS = frozenset(
    plain(closing)
    for closing in (
        *("regards", "best", "best regards", "kind regards", "warm regards", "many thanks", "thanks", "thank you"),
        *("cheers", "sincerely", "yours sincerely", "best wishes", "all the best", "thx", "danke", "grüße", "viele grüße"),
        *("beste grüße", "lg", "vg", "mfg", "mit freundlichen grüßen", "freundliche grüße", "liebe grüße", "cordialement"),
        *("bien à vous", "merci", "salutations", "saludos", "un saludo", "saludos cordiales", "atentamente", "gracias"),
        *("atenciosamente", "obrigado", "obrigada", "abraços", "cordiali saluti", "saluti", "grazie"),
        *("met vriendelijke groet", "groeten", "mvg", "hälsningar", "med vänliga hälsningar", "med venlig hilsen", "mvh"),
        *("hilsen", "vennlig hilsen", "terveisin", "pozdrawiam", "s pozdravem", "с уважением", "з повагою"),
    )
)


def without_signature(text: str) -> str:
    """The text without a signature below its first line. In a long text only the part after a line of dashes is removed."""
    text = text.strip()
    whole = len(text) <= _MOST_CHARACTERS
    lines = text[:_MOST_CHARACTERS].split("\n")
    message_lines = lines[:1]
    for index, line in enumerate(lines[1:], start=1):
        if _DELIMITER.fullmatch(line) or (whole and _closes(line, lines[index + 1 :])):
            return "\n".join(message_lines)
        if line.strip() and not is_device_line(line) and not _NAME.fullmatch(line):
            message_lines.append(line)
    return "\n".join(message_lines) if whole else text


def _closes(line: str, below: list[str]) -> bool:
    """Whether a line is a closing such as "Best regards", with only a few short lines without a question below it."""
    if len(line) > _MOST_LINE or plain(line) not in _CLOSINGS:
        return False
    named = [each for each in below if each.strip()]
    return len(named) <= _MOST_LINES_OF_A_SIGNATURE and not any("?" in each or len(each) > _MOST_LINE for each in named)
