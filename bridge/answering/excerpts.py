"""Excerpts of a provider's error text: secrets and personal data are removed, then it is encrypted and stored."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, SecretStr

from bridge.policy.excerpt import Known, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.errors import BridgeError
    from bridge.model import Question
    from bridge.store.lanes.excerpts import SealedExcerpt


def excerpt_of(
    case: Case, error: BridgeError, question: Question, provider: str, services: AnswerServices
) -> SealedExcerpt | None:
    """The excerpt of an error's body; None if there is no body, or nothing of it may be stored."""
    text = excerpt(error.said, _known(case, question, services)) if error.said else ""
    return services.excerpts.seal(text, provider=provider) if text else None


def _known(case: Case, question: Question, services: AnswerServices) -> Known:
    """All values of the question that a service may echo in its error."""
    messages = (*case.turn.carried, *case.messages)
    earlier = (one.content for one in (*question.history, *case.turn.said))
    return Known(
        secrets=(
            *services.secrets,
            *secrets_in(case.kept.location),
            *(address for message in messages for address in (message.sender, *message.attachments)),
        ),
        texts=(question.input, *(message.subject for message in messages), *earlier),
        contact=question.contact,
    )


def secrets_in(settings: BaseModel) -> Iterator[str]:
    """Every token of a location, including passwords and query values in its URLs."""
    for name, value in settings:
        if isinstance(value, BaseModel):
            yield from secrets_in(value)
        elif isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif name in {"url", "base_url"}:
            parts = urlsplit(value)
            yield from (parts.password or "", *(each for _, each in parse_qsl(parts.query)))
