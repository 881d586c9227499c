"""E-mails that no person wrote: absence notes, bounces, no-reply senders. Answering one may start a loop.

Sender and subject are all there is to go by: GHL's webhooks bring no `Auto-Submitted` or other header.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from bridge.model import Channel, Reason, Skip

if TYPE_CHECKING:
    from bridge.model import InboundMessage

# Subjects as mail programs write them by themselves, without accents and hyphens; a language a line.
_ABSENCE = (
    "auto(?:mat(?:ic|ed))? (?:reply|response)|autoreply|autoresponse|out of (?:the )?office|ooo|away from (?:the|my) office"
    "|automatische (?:antwort|nachricht|abwesenheitsnotiz)|abwesenheits(?:notiz|nachricht|meldung|assistent)|nicht im buro"
    "|(?:reponse|message) automatique|(?:message|notification|avis) d'absence|absen(?:ce|te?) du bureau"
    "|respuesta automatica|fuera de (?:la )?oficina|ausente de la oficina|mensaje de ausencia"
    "|resposta automatica|(?:fora|ausente) do escritorio|ausencia temporaria|mensagem de ausencia"
    "|risposta automatica|fuori (?:sede|ufficio)|assen(?:te|za) dall'ufficio|messaggio di assenza"
    "|automatisch antwoord|automatische beantwoording|afwezigheids(?:bericht|melding|assistent)|niet op kantoor"
)
_BOUNCE = (
    "undeliverable|undelivered mail returned to sender|delivery status notification|mail delivery (?:failed|failure|system)"
    "|delivery failure|failure notice|returned mail|unzustellbar|non remis|no se puede entregar|nao entregue"
    "|recapito non riuscito|onbestelbaar"
)
# The phrase is the whole subject, or the original's subject or a date follows: "Out of office chairs?" is a question.
_FOLLOWED = (
    r"(?=\s*(?:$|[:\-\u2013\u2014|(\[,.!;])|\s(?:re|fw|fwd|aw|wg|tr|rv|enc|until|till|from|bis|vom|jusqu|hasta|ate|fino|tot)\b)"
)

_ABSENCE_SUBJECT = re.compile(f"(?:{_ABSENCE}){_FOLLOWED}")
_BOUNCE_SUBJECT = re.compile(f"(?:{_BOUNCE}){_FOLLOWED}")
_LISTS_AND_WARNINGS = re.compile(r"(?:\[[^\]]{1,40}\]\s*)+")

# In the part before the @, at its ends or apart from other words: no-reply, billing_noreply, no.reply+123.
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
    plain = _LISTS_AND_WARNINGS.sub("", _plain(subject))
    if _ABSENCE_SUBJECT.match(plain):
        return "absence subject"
    return "bounce subject" if _BOUNCE_SUBJECT.match(plain) else ""


def _plain(subject: str) -> str:
    """The subject without accents and case, its apostrophes straight and its hyphens between words spaces."""
    letters = unicodedata.normalize("NFKD", subject.casefold().replace("’", "'"))
    return re.sub(r"(?<=\w)-(?=\w)", " ", "".join(letter for letter in letters if not unicodedata.combining(letter))).strip()
