"""Automatic e-mails: out-of-office replies, receipts, meeting responses, delivery reports, tickets.

Answering them may start a loop.

Only sender and subject are available: neither GHL's webhooks nor its `GET /conversations/messages/email/{id}` contain
`Auto-Submitted` or any other header of an e-mail (GHL's OpenAPI documents, 2026-11).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from bridge.model import Channel, Reason, Skip
from bridge.policy import machine_subjects

if TYPE_CHECKING:
    from bridge.model import InboundMessage

# The phrase is the whole subject, or the original's subject or a date follows: "Out of office chairs?" is a question.
_FOLLOWED = (
    r"(?=\s*(?:$|[:：\-\u2013\u2014|(\[,.!;])|\s(?:re|fw|fwd|aw|wg|tr|rv|enc|until|till|from|bis|vom|jusqu|hasta|ate|fino|tot)\b)"
)

# "Ticket received, but it is the wrong one" is a person's.
_NUMBER_OR_SUBJECT = r"(?=\s*(?:$|[:：\-\u2013\u2014|(\[#]))"
# "[#123] ", "Ticket #123: ", "Case 0042 - ": formats of a ticket number before the phrase.
_TICKET = r"(?:(?:\[?#\w+\]?|(?:ticket|case|request) ?(?:id )?[#:]? ?\w*\d\w*)\s*[:\-\u2013]?\s*)"
_HYPHENS = re.compile(r"(?<=\w)-(?=\w)")
_LISTS_AND_WARNINGS = re.compile(r"(?:\[[^\]]{1,40}\]\s*)+")

# In the part before the @, at its ends or as a separate word: no-reply, billing_noreply, no.reply+123.
_NO_REPLY_SENDER = re.compile(
    r"(?:^|[.+_=-])(?:no[._-]?reply|do[._-]?not[._-]?reply|dont[._-]?reply|auto[._-]?(?:reply|responder|response)"
    r"|no[._-]?(?:responder|contestar)|nao[._-]?respond[ae]r?|ne[._-]?pas[._-]?repondre|(?:bitte[._-]?)?nicht[._-]?antworten"
    r"|keine[._-]?antwort|non[._-]?rispondere|niet[._-]?(?:be)?antwoorden)(?:$|[.+_=@\d-])"
)
_BOUNCE_SENDER = re.compile(r"(?:mailer-?daemon|mail-?daemon|postmaster|microsoftexchange[0-9a-f]{8,}|bounces?)(?:$|[.+_=@-])")


def judge_auto_reply(message: InboundMessage) -> Skip | None:
    """Judge an e-mail by its sender and its subject. The facts name the rule, never the address or the subject."""
    if message.channel is not Channel.EMAIL:
        return None
    rule = _of_sender(message.sender) or _of_subject(message.subject)
    return Skip(Reason.AUTO_REPLY, f"by the rule {rule}") if rule else None


def _of_sender(sender: str) -> str:
    local, _, domain = sender.casefold().partition("@")
    if _BOUNCE_SENDER.match(local) or domain.startswith(("bounce.", "bounces.")):
        return "bounce sender"
    return "no-reply sender" if _NO_REPLY_SENDER.search(local) else ""


def _of_subject(subject: str) -> str:
    plain = _plain(subject)
    bare = _LISTS_AND_WARNINGS.sub("", plain)
    return next((rule for rule, pattern in _subject_rules() if pattern.match(bare) or pattern.match(plain)), "")


@cache
def _subject_rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    received = _any_of(machine_subjects.RECEIVED)
    return (
        ("absence subject", re.compile(_any_of(machine_subjects.ABSENCE) + _FOLLOWED)),
        ("bounce subject", re.compile(_any_of(machine_subjects.DELIVERY) + _FOLLOWED)),
        ("answer to a meeting or receipt", re.compile(_any_of(machine_subjects.PREFIXES) + r"\s?[:：]")),
        ("answer to a meeting or receipt", re.compile(_any_of(machine_subjects.REPORTS) + _FOLLOWED)),
        ("ticket subject", re.compile(rf"\[{received}[^\]]{{0,30}}\]|{_TICKET}?{received}{_NUMBER_OR_SUBJECT}")),
    )


def _any_of(languages: tuple[str, ...]) -> str:
    return f"(?:{_plain('|'.join(languages))})"


def _plain(subject: str) -> str:
    """The subject without accents and case, its apostrophes straight and its hyphens between words spaces."""
    letters = unicodedata.normalize("NFKD", subject.casefold().replace("’", "'").replace("ı", "i"))
    return _HYPHENS.sub(" ", "".join(letter for letter in letters if not unicodedata.combining(letter))).strip()
