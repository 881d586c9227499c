"""Assistable's older API in both formats, with its many kinds of answers. Pure.

https://docs.assistable.ai describes the fields of `/v2/ghl-chat-completion` and no more: no error, no limit, and does not say
whether Assistable posts the reply into GHL by itself. The help page of `/v2/ghl/chat-completion` says that it does (`status:
"sent"`), and `run.message` looks like GHL's receipt: hence the claims. Answers of either format, and v3's envelope, are accepted
from both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bridge.completion.envelope import Envelope
from bridge.completion.evidence import OTHER_CONVERSATION, is_other, names_of, tokens_of
from bridge.completion.faults import words_of
from bridge.completion.logins import bearer, given, token
from bridge.completion.parts import text_of
from bridge.completion.text import turns_of
from bridge.errors import TokenRefused
from bridge.model import Reason
from bridge.wire.answers import as_text, part

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.completion import TakesFiles
    from bridge.locations import Location
    from bridge.model import Question
    from bridge.settings import Settings

HELP_PAGE_PATH = "/ghl/chat-completion"
# v3's status of a run that a newer one replaced.
STALE = "stale_job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assistable:
    """An assistant at Assistable. The path of `url` decides the format."""

    url: str
    token: str
    assistant_id: str
    name: str = "Assistable"
    is_flow: bool = False
    takes_files: TakesFiles = "no"

    @property
    def headers(self) -> Mapping[str, str]:
        """The login."""
        return bearer(self.token)

    @property
    def takes_history(self) -> bool:
        """Only the first format has a field for the history."""
        return not urlsplit(self.url).path.rstrip("/").endswith(HELP_PAGE_PATH)

    def build(self, question: Question) -> dict[str, Any]:
        """The JSON of the question, in the format of the URL."""
        ids = {"location_id": question.location_id, "assistant_id": self.assistant_id, "contact_id": question.contact_id}
        if not self.takes_history:
            return {**ids, "message": question.input}
        return {
            **ids,
            "conversation_id": question.conversation_id,
            "last_message_id": question.last_message_id,
            "channel": question.channel,
            "input": question.input,
            "messages": turns_of(question),
        }

    def unwrap(self, document: dict[str, Any], *, question: Question) -> Envelope:
        """Convert an answer of any format. Raises TokenRefused if Assistable has no access to the location."""
        reply = _reply(document)
        if _failed(document, reply):
            return _silence_or_error(self.name, document)
        claimed = as_text(_found(document, "run", "message", "messageId"))
        return Envelope(
            content=reply,
            ended=as_text(_found(document, "run", "finishReason")) or as_text(_found(document, "finishReason")),
            silence=Reason.REFUSAL if _refused(document) else None,
            claimed_message_id="" if claimed == question.last_message_id else claimed,
            says_sent=_outcome(document) == "sent",
            trace_id=as_text(_found(document, "run", "message", "traceId")),
            evidence=_evidence(document, question),
            ran=_ran(document),
        )


def of(location: Location, settings: Settings) -> Assistable:
    """Assistable with this location's settings. Raises OperatorMustFix."""
    table = location.assistable
    return Assistable(
        url=table.url or settings.assistable_url,
        token=token(table.token or settings.assistable_token, location, "assistable.token", "ASSISTABLE_TOKEN"),
        assistant_id=given(table.assistant_id, location, "assistable.assistant_id"),
    )


def _found(document: dict[str, Any], *path: str) -> Any:
    """The fields of the root and, for v3's envelope, of `data`."""
    return part(document, *path) or part(document, "data", *path)


def _evidence(document: dict[str, Any], question: Question) -> dict[str, Any]:
    echoed, knowledge = _found(document, "run", "message", "conversationId"), _found(document, "run", "knowledge_base")
    annotated = (message.get("annotations") for message in _assistant_messages(document))
    return {
        "warnings": [OTHER_CONVERSATION] if is_other(echoed, question.conversation_id) else [],
        "model": _found(document, "model"),
        "tokens": tokens_of(_found(document, "tokens")),
        "tools": names_of(_found(document, "run", "response", "toolCalls")),
        "knowledge": part(knowledge, "matches"),
        "namespace": part(knowledge, "namespace"),
        "read_units": part(knowledge, "usage", "readUnits"),
        "annotations": sum(len(one) for one in annotated if isinstance(one, list)) or None,
        "completed_at": _found(document, "run", "response", "completionTimestamp"),
        "run": _found(document, "runId"),
    }


def _outcome(document: dict[str, Any]) -> str:
    return as_text(_found(document, "status"))


def _reply(document: dict[str, Any]) -> object:
    """The reply: `run.output`, else the run's last assistant message with a text, else the fields of other variants."""
    texts = [message.get("content") for message in reversed(_assistant_messages(document))]
    candidates = (_found(document, "run", "output"), *texts, _found(document, "response"), _found(document, "output"))
    return next((one for one in candidates if _says(one)), None)


def _says(content: object) -> bool:
    found = text_of(content)
    return found is None or bool(found.text.strip())


def _refused(document: dict[str, Any]) -> bool:
    messages = _assistant_messages(document)
    return bool(messages) and bool(messages[-1].get("refusal"))


def _assistant_messages(document: dict[str, Any]) -> list[dict[str, Any]]:
    messages = _found(document, "run", "response", "messages")
    return [message for message in messages if part(message, "role") == "assistant"] if isinstance(messages, list) else []


def _ran(document: dict[str, Any]) -> tuple[str, ...]:
    """The names of tools that the assistant called; their format is not documented."""
    calls = _found(document, "run", "response", "toolCalls")
    names = [as_text(part(call, "function", "name") or part(call, "name")) for call in calls] if isinstance(calls, list) else []
    return tuple(name for name in names if name)


def _failed(document: dict[str, Any], reply: object) -> bool:
    """Whether an HTTP 200 reports an error (seen on v2): `error`, or a replaced run without a text."""
    if document.get("ok") is False or document.get("success") is False:
        return True
    return reply is None and (bool(document.get("error")) or _outcome(document) in {STALE, "error"})


def _silence_or_error(name: str, document: dict[str, Any]) -> Envelope:
    words = f"{words_of(document)} {_outcome(document)}"
    if STALE in words:
        return Envelope(silence=Reason.STALE_JOB)
    if "no access token" in words.lower():
        sentence = f"{name}: HTTP 200 that reports an error"
        raise TokenRefused(
            f"{sentence}: Assistable has no access to the location; connect GHL in Assistable again", side="provider"
        )
    return Envelope(error=document)
