"""Agencii's `POST /get_completion`, documented as `/get_response` since 2026-01-19: same host, body and answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bridge.completion.faults import Unreadable, readable, reported
from bridge.completion.logins import bearer, given, token
from bridge.completion.words import content_of, fill, name_of, spoken
from bridge.wire.answers import as_text, is_plain_text, plain_text, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.locations import Location
    from bridge.model import Completion, Question
    from bridge.settings import Settings


LONGEST_CHAT_ID = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Agencii:
    """An integration at Agencii, which keeps a memory for each chat and never posts into GHL."""

    url: str
    token: str
    api_integration_id: str
    additional_instructions: str = ""
    name: str = "Agencii"
    takes_history: bool = False

    @property
    def headers(self) -> Mapping[str, str]:
        """The login, and that both forms of an answer are welcome."""
        return {**bearer(self.token), "Accept": "application/json, text/plain"}

    def build(self, question: Question) -> dict[str, Any]:
        """Write the question. What the contact wrote stands in `message` and nowhere else."""
        return {
            "message": question.input,
            "apiIntegrationId": self.api_integration_id,
            "chatId": self._chat(question) or None,
            "aliasChatId": name_of(question),
            "attachments": None,
            "additionalInstructions": fill(self.additional_instructions, question.contact) or None,
        }

    def decipher(self, headers: Mapping[str, str], body: bytes, *, question: Question) -> Completion:
        """Read an answer: text if the integration is `textOnly`, else JSON with the chat's id. Raises as the protocol says."""
        del question
        if is_plain_text(headers, body):
            return spoken(plain_text(body))
        document = readable(body)
        if "message" not in document and any(document.get(sign) for sign in ("detail", "error")):
            raise reported(self.name, document, body)
        if not isinstance(document.get("message"), dict):
            raise Unreadable(shape(body))
        chat = as_text(document.get("chatId"))
        session = f"{self.api_integration_id}:{chat}" if 0 < len(chat) <= LONGEST_CHAT_ID else ""
        return replace(spoken(content_of(document["message"])), session_id=session)

    def _chat(self, question: Question) -> str:
        """The chat that this integration opened; another one's is none of its own."""
        integration, _, chat = question.session_id.rpartition(":")
        return chat if integration == self.api_integration_id else ""


def of(location: Location, settings: Settings) -> Agencii:
    """Agencii as this location wants it. Raises OperatorMustFix."""
    table = location.agencii
    return Agencii(
        url=table.url or settings.agencii_url,
        token=token(table.token or settings.agencii_token, location, "agencii.token", "AGENCII_TOKEN"),
        api_integration_id=given(table.api_integration_id, location, "agencii.api_integration_id"),
        additional_instructions=table.additional_instructions,
    )
