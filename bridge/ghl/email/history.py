"""Finds where an e-mail's quoted history begins, by the form of the lines above it, in any language.

An attribution ("On 3 Mar 2026 at 10:00, Ann <ann@example.com> wrote:") has an address, a date and a time with few other words,
and ends with a colon. A header block is some lines `Label: value`, one with the sender's address, one with a time. A filled-in
form has such lines too, so a block needs the labels of a header, or a sender `Name <address>` above a date and a second address.

Every check reads a limited number of lines of limited length, so the cost is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bridge.ghl.email import header_labels
from bridge.ghl.email.header_labels import FROM, SENT, SUBJECT, TO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# The most characters and lines of an attribution, and the most lines of a header block.
_MAX_ATTRIBUTION = 350
_MAX_WRAPPED = 3
_MAX_BLOCK = 12
_FEW_LABELS, _MANY_LABELS = 3, 4

# "> 3 people" at the start of a line is the sender's text; ">:" is the end of a wrapped address.
QUOTED = re.compile(r">(?![\d:])")

_DIRECTION_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ANGLED = re.compile(r"[<(\[](?:mailto:)?[^\s<>()\[\]@]{1,80}@[^\s<>()\[\]]{1,120}[>)\]]")
_ADDRESS = re.compile(r"[^\s<>@,;:\"'()\[\]]{1,80}@[\w-]{1,60}(?:\.[\w-]{1,60})+")
_DATE = re.compile(r"(?<!\d)\d{1,4}[./-] ?\d{1,2}[./-] ?\d{2,4}(?!\d)|(?<![\d+])(?<!\s-)\d{4}(?!\d)")
_TIME = re.compile(r"(?<![\d.])\d{1,2}[:.h]\d{2}(?!\.?\d)|\d{1,2}\s?[時时點点시]")
_LABEL = re.compile(r"[\W_]{0,3}([^\W\d_][^:：<>@\d]{0,29}?)[ *]{0,3}[:：][ *]{0,3}(.*)")
_ENDS = re.compile(r"[:：]$|-{2,}$")
_PREFIX_END = re.compile(r"[\d<(\[\"“]|\S+@")
_TITLE = re.compile(r"[-_=*—]{2,40}\s?([^-_=*—].{0,60}?)\s?[-_=*—]{2,40}")
_REPLY_ABOVE = re.compile(r"#{2}-.{5,150}-#{2}|[-=_*#]{2,}.{0,60}\babove this line\b.{0,60}", re.IGNORECASE)
_ARROWS = re.compile(r">>> [^>]{1,150} >>>")
_SENTENCE_END = (".", "!", "?", "…", "。")


@dataclass(frozen=True, slots=True)
class Header:
    """The lines above a piece of history: from `start` up to, not including, `end`. `quoted`: quoted lines follow."""

    start: int
    end: int
    quoted: bool = False


def find_headers(lines: Sequence[str]) -> Iterator[Header]:
    """Find the headers above history, from first to last and without overlaps. The lines are stripped."""
    plain = [_DIRECTION_MARKS.sub("", line[: _MAX_ATTRIBUTION + 1]).strip(" *") for line in lines]
    labels = [_LABEL.fullmatch(line) for line in plain]
    quoted_below = _quoted_below(plain)
    end = 0
    for at, line in enumerate(plain):
        if at < end or not line:
            continue
        header = (
            _title(plain, labels, at, quoted=quoted_below[at])
            or _block(plain, labels, at)
            or _attribution(plain, at, not_before=end, quoted=quoted_below[at])
        )
        if header:
            end = header.end
            yield replace(header, quoted=quoted_below[end - 1])


def _quoted_below(plain: Sequence[str]) -> list[bool]:
    """For each line, whether the next one that isn't empty is quoted."""
    below, answers = False, []
    for line in reversed(plain):
        answers.append(below)
        below = bool(QUOTED.match(line)) if line else below
    return answers[::-1]


def _title(plain: Sequence[str], labels: Sequence[re.Match[str] | None], at: int, *, quoted: bool) -> Header | None:
    """`----- Original Message -----`, any title above a header, "reply above this line", GroupWise's arrows."""
    if _REPLY_ABOVE.fullmatch(plain[at]) or _is_between_arrows(plain[at]):
        return Header(at, at + 1)
    title = _TITLE.fullmatch(plain[at])
    if not title:
        return None
    if header_labels.TITLE.search(title[1]) or _is_attribution(title[1], quoted=False) or (quoted and _ends_with_verb(title[1])):
        return Header(at, at + 1)
    below = next((number for number in range(at + 1, min(at + 3, len(plain))) if plain[number]), at)
    return Header(at, block.end) if below > at and (block := _block(plain, labels, below)) else None


def _is_between_arrows(line: str) -> bool:
    """GroupWise's line: `>>> Ann Lee 11/30/2026 9:15 AM >>>`."""
    return bool(_ARROWS.fullmatch(line) and _DATE.search(line) and _TIME.search(line))


def _block(plain: Sequence[str], labels: Sequence[re.Match[str] | None], at: int) -> Header | None:
    values: list[tuple[str, str]] = []
    end = at
    for number in range(at, min(at + _MAX_BLOCK, len(plain))):
        match = labels[number]
        if match:
            values.append((match[1].strip().casefold(), match[2]))
        elif values and plain[number] and number + 1 < len(plain) and labels[number + 1] and _continues(plain[number]):
            values[-1] = (values[-1][0], f"{values[-1][1]} {plain[number]}")
        else:
            break
        end = number + 1
    goes_on = any(plain[end : end + 3])
    return Header(at, end) if _is_header(_known(values)) or (goes_on and _looks_like_header(values)) else None


def _known(values: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The values of known labels, up to a repeated label, which belongs to the history or to a header below the sender's text."""
    known: dict[str, str] = {}
    for label, value in values:
        kind = header_labels.KIND_OF_LABEL.get(label)
        if kind in known and kind != TO:
            return known if next(iter(known)) == FROM else {}
        if not known and not (kind == FROM or (kind == SENT and _DATE.search(value))):
            # A line of the sender's may be directly above the header.
            return known
        if kind:
            known[kind] = value
    return known


def _continues(line: str) -> bool:
    return bool(_ANGLED.match(line) or _ADDRESS.match(line))


def _is_header(known: Mapping[str, str]) -> bool:
    """Whether known labels make a header: From, and enough others that it is not the itinerary of a trip."""
    if FROM not in known:
        return False
    addressed = bool(_ADDRESS.search(known[FROM]))
    sent = known.get(SENT, "")
    dated, timed = bool(_DATE.search(sent)), bool(_TIME.search(sent))
    if addressed:
        return len(known) >= _FEW_LABELS or (dated and timed)
    return SUBJECT in known and (len(known) >= _MANY_LABELS or (len(known) >= _FEW_LABELS and (dated or timed)))


def _looks_like_header(values: Sequence[tuple[str, str]]) -> bool:
    """Whether the form alone makes a header: `Name <address>`, a date with a time, a second address (forms have one)."""
    texts = [value for _, value in values]
    angled = texts and _ANGLED.search(texts[0])
    return (
        len(texts) >= _MANY_LABELS
        and bool(angled and angled.start() > 0)
        and sum(bool(_ADDRESS.search(text)) for text in texts) > 1
        and any(_DATE.search(text) and _TIME.search(text) for text in texts[1:])
    )


def _attribution(plain: Sequence[str], at: int, *, not_before: int, quoted: bool) -> Header | None:
    """An attribution that ends at this line; it may have begun up to two lines above."""
    line = plain[at]
    if not _ENDS.search(line) and not _ends_with_verb(line):
        return None
    windows = list(_windows(plain, at, not_before))
    for certain in (False, True) if quoted else (False,):
        for start, text in windows:
            if _is_attribution(text, quoted=certain):
                return Header(start, at + 1)
    return None


def _windows(plain: Sequence[str], at: int, not_before: int) -> Iterator[tuple[int, str]]:
    text = plain[at]
    for start in range(at, max(not_before, at - _MAX_WRAPPED + 1) - 1, -1):
        if start < at:
            # A wrapped line ends inside a sentence; a line that ends like a sentence is the sender's.
            if not plain[start] or plain[start].endswith((*_SENTENCE_END, ":")) or QUOTED.match(plain[start]):
                return
            text = f"{plain[start]} {text}"
        if len(text) > _MAX_ATTRIBUTION:
            return
        yield start, text.replace("< ", "<").replace(" >", ">")


def _ends_with_verb(line: str) -> bool:
    return bool(re.search(rf"(?:{header_labels.WROTE.pattern})\W*$", line[-40:], re.IGNORECASE))


def _is_attribution(text: str, *, quoted: bool) -> bool:
    """Whether the text is an attribution; if quoted lines follow (`quoted`), less evidence is needed."""
    text = text.strip("- ").removeprefix("In a message dated ")
    angled, address = _ANGLED.search(text), _ADDRESS.search(text)
    date, time = _DATE.search(text), _TIME.search(text)
    verb = header_labels.WROTE.search(text)
    if not _has_few_other_words(text, [match for match in (angled, address, date, time) if match], verb):
        return False
    if quoted:
        return sum(map(bool, (address or angled, date, time, verb))) > 1
    return bool(date and ((time and (angled or verb)) or (angled and verb)))


def _has_few_other_words(text: str, found: Sequence[re.Match[str]], verb: re.Match[str] | None) -> bool:
    """Whether there are few words before the first and after the last of date, time and address."""
    if not found:
        return False
    first = _PREFIX_END.search(text)
    before = text[: first.start() if first else 0].split()
    after = text[max(match.end() for match in found) :].split()
    named_first = bool(first and first[0] in "<([")
    return len(before) <= (6 if named_first else 3) and len(after) <= (8 if verb else 4)
