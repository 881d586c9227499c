"""Agencii's `POST /get_completion`, documented as `/get_response` since 2026-01-19: same host, body and answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.completion.envelope import Envelope
from bridge.completion.evidence import OTHER_CONVERSATION, SESSION_LOST, is_other
from bridge.completion.faults import Unreadable
from bridge.completion.logins import bearer, given, token
from bridge.completion.text import fill, name_of
from bridge.wire.answers import as_text, part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.completion import TakesFiles
    from bridge.locations import Location
    from bridge.model import Question
    from bridge.settings import Settings


LONGEST_CHAT_ID = 100
# A chat that continues has more messages than this question and its answer.
FIRST_MESSAGES = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Agencii:
    """An integration at Agencii, which keeps the history of each chat and never posts into GHL."""

    url: str
    token: str
    api_integration_id: str
    additional_instructions: str = ""
    attachments: tuple[Mapping[str, Any], ...] = ()
    name: str = "Agencii"
    takes_history: bool = False
    is_flow: bool = False
    takes_files: TakesFiles = "no"

    @property
    def headers(self) -> Mapping[str, str]:
        """The login, and the two accepted content types."""
        return {**bearer(self.token), "Accept": "application/json, text/plain"}

    def build(self, question: Question) -> dict[str, Any]:
        """The JSON of the question. The contact's text is only in `message`."""
        return {
            "message": question.input,
            "apiIntegrationId": self.api_integration_id,
            "chatId": self._chat(question) or None,
            "aliasChatId": name_of(question),
            "attachments": list(self.attachments) or None,
            "additionalInstructions": fill(self.additional_instructions, question.contact) or None,
        }

    def unwrap(self, document: dict[str, Any], *, question: Question) -> Envelope:
        """Convert an answer, an object with the chat's id. An integration with `textOnly` answers with plain text instead."""
        message = document.get("message")
        if isinstance(message, dict):
            chat = as_text(document.get("chatId"))
            session = f"{self.api_integration_id}:{chat}" if 0 < len(chat) <= LONGEST_CHAT_ID else ""
            evidence = self._evidence(document, question)
            return Envelope(content=message.get("content"), session_id=session, evidence=evidence, ran=_ran(message))
        if "message" not in document and any(document.get(sign) for sign in ("detail", "error")):
            return Envelope(error=document)
        raise Unreadable("an object without a message")

    def _evidence(self, document: dict[str, Any], question: Question) -> dict[str, Any]:
        """The evidence, in both documented spellings: `assistantId` and `numMessages`, later `agentId` and `messagesCount`."""
        count = document.get("messagesCount", document.get("numMessages"))
        asked = self._chat(question)
        lost = bool(asked) and (is_other(document.get("chatId"), asked) or (isinstance(count, int) and count <= FIRST_MESSAGES))
        other = is_other(document.get("aliasChatId"), name_of(question))
        return {
            "warnings": [*([SESSION_LOST] if lost else []), *([OTHER_CONVERSATION] if other else [])],
            "agent": document.get("agentId") or document.get("assistantId"),
            "integration": document.get("apiIntegrationName") or document.get("name"),
            "thread": document.get("threadId"),
            "messages": count,
            "references": part(document, "message", "references"),
            "completed_at": part(document, "message", "createdAt"),
        }

    def _chat(self, question: Question) -> str:
        """The id of the chat, if this integration opened it."""
        integration, _, chat = question.session_id.rpartition(":")
        return chat if integration == self.api_integration_id else ""


def _ran(message: dict[str, Any]) -> tuple[str, ...]:
    """The names of functions that the agent called; their format is not documented."""
    calls = message.get("functions")
    names = [as_text(part(call, "function", "name") or part(call, "name")) for call in calls] if isinstance(calls, list) else []
    return tuple(name for name in names if name)


def of(location: Location, settings: Settings) -> Agencii:
    """Agencii with this location's settings. Raises OperatorMustFix."""
    table = location.agencii
    return Agencii(
        url=table.url or settings.agencii_url,
        token=token(table.token or settings.agencii_token, location, "agencii.token", "AGENCII_TOKEN"),
        api_integration_id=given(table.api_integration_id, location, "agencii.api_integration_id"),
        additional_instructions=table.additional_instructions,
        attachments=tuple(each.model_dump() for each in table.attachments),
    )
