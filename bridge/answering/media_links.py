"""Current addresses of files in GHL: an address from a webhook expires."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.answering.case import READ_SECONDS
from bridge.errors import Permanent, Retryable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import InboundMessage

# Meta's addresses (Instagram, Facebook) expire with a 403, and GHL's record of the message has others then; nothing says after
# how long (seen by https://github.com/Hari487-coder/assistable-media-bridge, 2026-08-21). An ordinary turn takes the webhook's
# and reads nothing; one that waited for a retry or an opening does not rely on them.
FRESH_SECONDS = 300.0


def fresh_addresses(case: Case, message: InboundMessage, services: AnswerServices) -> tuple[str, ...]:
    """The addresses of a message's files in GHL's record, in its order; those of the webhook if GHL can't be read."""
    try:
        found = services.ghl.content(message.id, token=case.token, seconds=READ_SECONDS).attachments
    except (Permanent, Retryable):
        return message.attachments
    return found if len(found) == len(message.attachments) else message.attachments


def with_fresh_addresses(case: Case, messages: Iterable[InboundMessage], services: AnswerServices) -> tuple[InboundMessage, ...]:
    """The messages with addresses that can be downloaded now: expired ones are read from GHL."""
    oldest = case.now_ms(services) - FRESH_SECONDS * 1000
    return tuple(
        replace(one, attachments=fresh_addresses(case, one, services)) if one.attachments and one.date_added_ms < oldest else one
        for one in messages
    )
