"""The new text of an e-mail, without the quoted history."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from bridge.ghl.email.history import QUOTED, find_headers
from bridge.ghl.email.html_to_text import Document
from bridge.policy.device_lines import is_device_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_TEXT = 40_000

_LAYOUT = re.compile(r"<(?:!doctype|html|body|br|div|p|table|tr|ul|ol|li|pre|blockquote|h[1-6])[\s>/]", re.IGNORECASE)
_INLINE = re.compile(r"<(?:a|b|i|u|em|strong|span|font|img|small|sup|sub|code)[\s>/]", re.IGNORECASE)

# Zero-width space, word joiner, byte order mark, soft hyphen, grapheme joiner: padding of newsletters and of copied text.
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad\u034f]")
# Joiners connect emojis and Persian words, and have no meaning next to a space.
_LONE_JOINERS = re.compile("(?<!\\S)[\u200c\u200d]+|[\u200c\u200d]+(?!\\S)")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")

# What remains above removed history: lines, dashes around a title, and Apple Mail's text above a forward.
_LEFTOVER = re.compile(
    r"[\s_=-]*|-{5}.*-{5}"
    r"|(?:Begin forwarded message|Anfang der weitergeleiteten (?:Nachricht|E-Mail)|Inicio del mensaje reenviado"
    r"|Início da mensagem (?:encaminhada|reenviada)|Début du message (?:réexpédié|transféré)|Inizio messaggio inoltrato"
    r"|Begin doorgestuurd bericht)\s?:"
)
# A program that wraps quoted lines makes them at least this long, and wraps only inside a sentence.
_WRAPPED_FROM = 76
_GOES_ON = re.compile(r"[\w,]$")

_REPLY_SUBJECT = re.compile(r"\s*(?:re|aw|sv|antw|res|rif|odp|回复|答复)\s?(?:\[\d+\])?[:：]", re.IGNORECASE)


def own_text(body: str, *, subject: str = "") -> str:
    """Return the new text of an e-mail as plain text; `body` is HTML (as GHL delivers it) or text. A signature may remain.

    An e-mail with only quoted or forwarded text is returned whole: a forward is a new message by itself. Only if the subject
    marks it as a reply, the result is empty: the quoted text is known already, most of it is the bridge's own, and answering it
    would be answering the bridge.

    A phone's line at the end ("Sent from my iPhone") is removed, because an opt-out word above it is recognised only alone.
    """
    document = _document(body)
    own = _without_history(_tidy(document.text(with_quotes=False) if document else unescape(body)))
    if own:
        return own
    if _REPLY_SUBJECT.match(subject):
        return ""
    return _tidy(document.text(with_quotes=True) if document else unescape(body))


def _document(body: str) -> Document | None:
    # Addresses in angle brackets look like tags: only names of real tags make it HTML.
    if _LAYOUT.search(body):
        return Document(body)
    return Document(body, keep_line_breaks=True) if _INLINE.search(body) else None


def _tidy(text: str) -> str:
    text = _LONE_JOINERS.sub("", _INVISIBLE.sub("", text[:_MAX_TEXT]))
    lines = (line.strip() for line in _SPACES.sub(" ", text).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _without_history(text: str) -> str:
    lines = text.split("\n")
    own_lines: list[str] = []
    at = 0
    for header in find_headers(lines):
        own_lines += _trimmed(lines[at : header.start])
        at = header.end
        # Text after quoted lines is new; after a header without quoted lines, everything is history.
        if not header.quoted:
            at = len(lines)
            break
    rest = lines[at:]
    own_lines += rest if not any(own_lines) else _without_wrapped_quotes(rest)
    return _tidy("\n".join(_trimmed([line for line in own_lines if not QUOTED.match(line)])))


def _trimmed(lines: list[str]) -> list[str]:
    """The lines without those that a program added at the end."""
    end = len(lines)
    while end and (_LEFTOVER.fullmatch(lines[end - 1]) or is_device_line(lines[end - 1])):
        end -= 1
    return lines[:end] + ([] if all(lines[end:]) else [""])


def _without_wrapped_quotes(rest: list[str]) -> list[str]:
    """Remove the remainders of wrapped quoted lines, if there is no other text below the quotes."""
    unquoted = [number for number, line in enumerate(rest) if line and not QUOTED.match(line)]
    return [] if unquoted and all(_is_wrapped_quote(rest, number) for number in unquoted) else rest


def _is_wrapped_quote(lines: Sequence[str], at: int) -> bool:
    if not 0 < at < len(lines) - 1 or not (QUOTED.match(lines[at - 1]) and QUOTED.match(lines[at + 1])):
        return False
    return len(lines[at - 1]) >= _WRAPPED_FROM and bool(_GOES_ON.search(lines[at - 1])) and lines[at][:1].islower()
