"""What the sender of an e-mail wrote this time, without the quoted history below it."""

from __future__ import annotations

import re
from functools import cache
from html import unescape

from mailparser_reply.constants import MAIL_LANGUAGES  # type: ignore[import-untyped]  # it ships no types
from mailparser_reply.parser import EmailMessage  # type: ignore[import-untyped]  # likewise

from bridge.ghl.email.html_to_text import Document

_MAX_TEXT = 40_000
# The header patterns cost quadratic time in the length of a line; no header line is longer than this.
_MAX_HEADER_LINE = 250

_LAYOUT = re.compile(r"<(?:!doctype|html|body|br|div|p|table|tr|ul|ol|li|pre|blockquote|h[1-6])[\s>/]", re.IGNORECASE)
_INLINE = re.compile(r"<(?:a|b|i|u|em|strong|span|font|img|small|sup|sub|code)[\s>/]", re.IGNORECASE)

# Zero-width space, word joiner, byte order mark, soft hyphen, grapheme joiner: the padding of newsletters and of copied text.
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad\u034f]")
# Joiners hold emojis and Persian words together, and mean nothing beside a space.
_LONE_JOINERS = re.compile("(?<!\\S)[\u200c\u200d]+|[\u200c\u200d]+(?!\\S)")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")

# Left out: Polish, whose pattern takes any single line that begins with "Data:" or "Do:", and the headers of a mail server.
_LANGUAGES = tuple(language for language in MAIL_LANGUAGES if language not in {"pl", "david"})
# Gmail's line above a quote in Spanish, Portuguese, Dutch and Polish, which the library does not know or knows otherwise.
_WROTE_ELSEWHERE = (
    r"^(?:El|Em|Op|Dnia|W dniu|[a-z]{2,4}\.,)\s.{1,250}?(?:\n.{1,120}?)?"
    r"(?:escribió|escreveu|schreef|schreef .{1,120}|napisał\(a\)|napisał)\s?:$"
)
# A header tells when or from which address; "From: Berlin, To: Munich" and "on the phone Bob wrote:" do not.
_WHEN_OR_WHO = re.compile(r"\d[:.h]\d\d|@|-----")
_LABEL = re.compile(r"^[>\s*]*\w[^\n:]{0,30}:", re.MULTILINE)
_QUOTED = re.compile(r">(?!\d)")
# What is left above history that has gone: lines, dashes around a title, and Apple Mail's words above a forward.
_LEFTOVER = re.compile(
    r"[\s_-]*|-{5}.*-{5}|(?:Begin forwarded message|Anfang der weitergeleiteten (?:Nachricht|E-Mail)|Inicio del mensaje reenviado"
    r"|Início da mensagem (?:encaminhada|reenviada)|Début du message (?:réexpédié|transféré)|Inizio messaggio inoltrato"
    r"|Begin doorgestuurd bericht)\s?:"
)
_REPLY_SUBJECT = re.compile(r"\s*(?:re|aw|sv|antw|res|rif|odp|回复|答复)\s?(?:\[\d+\])?[:：]", re.IGNORECASE)


def own_text(body: str, *, subject: str = "") -> str:
    """Return the newest words of an e-mail as plain text; `body` is HTML (as GHL delivers it) or text. A signature may stay.

    A mail that holds nothing but quoted or forwarded text is given whole: a forward says something new by being sent, and losing
    it would lose a message. Only if the subject says that it is a reply is the result empty, for then the quoted words are
    known already, most of them our own, and to answer them would be to answer ourselves.
    """
    document = _document(body)
    own = _without_history(_tidy(document.text(with_quotes=False) if document else unescape(body)))
    if _says_something(own):
        return own
    if _REPLY_SUBJECT.match(subject):
        return ""
    return _tidy(document.text(with_quotes=True) if document else unescape(body))


def _document(body: str) -> Document | None:
    # Addresses in angle brackets look like tags: only names of real ones make it HTML.
    if _LAYOUT.search(body):
        return Document(body)
    return Document(body, keep_line_breaks=True) if _INLINE.search(body) else None


def _tidy(text: str) -> str:
    text = _LONE_JOINERS.sub("", _INVISIBLE.sub("", text[:_MAX_TEXT]))
    lines = (line.strip() for line in _SPACES.sub(" ", text).split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _without_history(text: str) -> str:
    lines = text.split("\n")
    first, after = _find_header(lines)
    rest = lines[after:]
    # What follows quoted lines was written under them; what follows a header without quoted lines is history to the end.
    if first < len(lines) and not _QUOTED.match(next(filter(None, rest), "")):
        rest = []
    kept = [line for line in lines[:first] + rest if not _QUOTED.match(line)]
    while kept and _LEFTOVER.fullmatch(kept[-1]):
        kept.pop()
    return _tidy("\n".join(kept))


def _says_something(text: str) -> bool:
    # A telephone puts its own line above what it forwards and under a picture sent without words.
    return not all(_sent_from_pattern().fullmatch(line) for line in filter(None, text.split("\n")))


def _find_header(lines: list[str]) -> tuple[int, int]:
    """Return the numbers of the first line of the header above the history and of the line after it; len(lines) if none."""
    text = "\n".join(line[:_MAX_HEADER_LINE] for line in lines)
    for match in _header_pattern().finditer(text):
        header = match[0].strip("\n")
        if _is_header(header):
            first = text.count("\n", 0, text.index(header, match.start()))
            return first, first + header.count("\n") + 1
    return len(lines), len(lines)


def _is_header(header: str) -> bool:
    if not _WHEN_OR_WHO.search(header):
        return False
    return header.endswith((":", "：", "-")) or len(_LABEL.findall(header)) >= 3  # noqa: PLR2004 (From, Sent and To at the least)


@cache
def _header_pattern() -> re.Pattern[str]:
    known = EmailMessage("", languages=list(_LANGUAGES)).HEADER_REGEX
    return re.compile(f"{known.pattern}|{_WROTE_ELSEWHERE}", known.flags)


@cache
def _sent_from_pattern() -> re.Pattern[str]:
    known = "|".join(filter(None, (MAIL_LANGUAGES[language].get("sent_from") for language in _LANGUAGES)))
    return re.compile(f"(?:Sent from|{known}).*", re.IGNORECASE)
