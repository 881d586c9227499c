"""Assistable's `POST /v2/ghl-chat-completion`, the older generation, under its many answers.

https://docs.assistable.ai describes the fields and no more: no error, no limit, and not whether Assistable posts the reply
into GHL by itself. Its help page says it does, and `run.message` looks like GHL's receipt: hence `claimed_message_id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.errors import OperatorMustFix, OutcomeUnknown, Permanent, Retryable, TokenRefused
from bridge.model import Completion
from bridge.wire.answers import about_money, as_text, json_object, part, retry_after, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.errors import BridgeError
    from bridge.model import Question
    from bridge.wire.calls import Wire

EMPTY = "empty answer"
# v3's word for a run that another one has overtaken.
STALE = "stale_job"


class Assistable:
    """A completer. `may_deliver` says that Assistable may post the reply by itself, which leaves lost answers unknown."""

    def __init__(self, wire: Wire, *, url: str, token: str, assistant_id: str, may_deliver: bool) -> None:
        self._wire = wire
        self._url = url
        self._token = token
        self._assistant_id = assistant_id
        self._may_deliver = may_deliver

    def complete(self, question: Question, *, seconds: float) -> Completion:
        """Ask once. Raises as the protocol says: a lost answer is OutcomeUnknown if it may deliver, else Retryable."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        document = build(question, assistant_id=self._assistant_id)
        try:
            answer = self._wire.call("POST", self._url, headers=headers, json=document, seconds=seconds)
        except OutcomeUnknown as error:
            raise _lost(f"Assistable: {error}", may_deliver=self._may_deliver) from error
        return decipher(answer.status, answer.headers, answer.body, question=question, may_deliver=self._may_deliver)


def build(question: Question, *, assistant_id: str) -> dict[str, Any]:
    """Write a question as the request's JSON."""
    return {
        "conversation_id": question.conversation_id,
        "contact_id": question.contact_id,
        "last_message_id": question.last_message_id,
        "channel": question.channel,
        "input": question.input,
        "location_id": question.location_id,
        "messages": [{"role": said.role, "content": said.content} for said in question.history],
        "assistant_id": assistant_id,
    }


def decipher(status: int, headers: Mapping[str, str], body: bytes, *, question: Question, may_deliver: bool) -> Completion:
    """Read an answer. Empty text is a decision, not a fault. Messages of errors hold status and form, never Assistable's words.

    Raises:
        Retryable: 425, 429 (with the wait asked for), credit, billing or quota in whatever status.
        OutcomeUnknown: 408, 5xx or an unreadable 2xx if it may deliver; Retryable if not.
        OperatorMustFix: 401, 403, a redirect, or no access from Assistable to the location.
        Permanent: any other refusal, a 200 that says `ok: false` included.
    """
    document = json_object(body)
    if not 200 <= status < 300:  # noqa: PLR2004 - the protocol's own numbers
        raise _refusal(status, headers, body, may_deliver=may_deliver)
    if document is None:
        raise _lost(f"Assistable: HTTP {status}, {shape(body)}", may_deliver=may_deliver)
    reply = _reply(document)
    if _failed(document, reply):
        return _silence_or_raise(document, status, body)
    claimed = as_text(part(document, "run", "message", "messageId"))
    return Completion(
        text=reply,
        why_silent="" if reply else "refusal" if _refused(document) else EMPTY,
        claimed_message_id="" if claimed == question.last_message_id else claimed,
        trace_id=as_text(part(document, "run", "message", "traceId")),
    )


def _reply(document: dict[str, Any]) -> str:
    """Find the text: `run.output`, else the run's last assistant message that holds any, else what variants call it."""
    if _refused(document):
        return ""
    said = [_content(message) for message in reversed(_assistant_messages(document))]
    variants = (part(document, "data", "response"), document.get("response"), document.get("output"))
    candidates = (as_text(part(document, "run", "output")), *said, *map(as_text, variants))
    return next((text.strip() for text in candidates if text.strip()), "")


def _refused(document: dict[str, Any]) -> bool:
    messages = _assistant_messages(document)
    return bool(messages) and bool(messages[-1].get("refusal"))


def _assistant_messages(document: dict[str, Any]) -> list[dict[str, Any]]:
    messages = part(document, "run", "response", "messages")
    return [message for message in messages if part(message, "role") == "assistant"] if isinstance(messages, list) else []


def _content(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(as_text(part(piece, "text")) for piece in content if part(piece, "type") == "text")
    return as_text(content)


def _failed(document: dict[str, Any], reply: str) -> bool:
    """HTTP 200 can carry an error (seen on v2), and `error` without a text is one too."""
    return document.get("ok") is False or document.get("success") is False or (not reply and bool(document.get("error")))


def _silence_or_raise(document: dict[str, Any], status: int, body: bytes) -> Completion:
    error = document.get("error")
    words = (
        f"{as_text(error)} {as_text(part(error, 'code'))} {as_text(part(error, 'message'))} {as_text(document.get('message'))}"
    )
    said = f"Assistable: HTTP {status} that reports an error, {shape(body)}"
    if STALE in words:
        return Completion(text="", why_silent=STALE)
    if about_money(words.encode()):
        raise Retryable(f"{said}: credit, billing or quota")
    if "no access token" in words.lower():
        raise TokenRefused(f"{said}: Assistable has no access to the location; connect GHL in Assistable again", side="provider")
    raise Permanent(said)


def _refusal(status: int, headers: Mapping[str, str], body: bytes, *, may_deliver: bool) -> BridgeError:
    said = f"Assistable: HTTP {status}, {shape(body)}"
    match status:
        case 425 | 429:
            return Retryable(said, retry_after=retry_after(headers))
        case 408:
            return _lost(said, may_deliver=may_deliver, wait=retry_after(headers))
        case 402:
            return Retryable(f"{said}: credit, billing or quota")
        case _ if 400 <= status < 500:  # noqa: PLR2004
            return _refused_request(status, body, said=said)
        case _ if 300 <= status < 400:  # noqa: PLR2004
            return OperatorMustFix(f"{said}: a redirect, which is not followed; set the url that it leads to")
        case _:
            return _lost(said, may_deliver=may_deliver, wait=retry_after(headers))


def _refused_request(status: int, body: bytes, *, said: str) -> BridgeError:
    if about_money(body):
        return Retryable(f"{said}: credit, billing or quota")
    if status in {401, 403}:
        return TokenRefused(f"{said}: token refused", side="provider")
    return Permanent(said)


def _lost(said: str, *, may_deliver: bool, wait: float | None = None) -> OutcomeUnknown | Retryable:
    """The run may have happened. Asking again costs money; if it may deliver, it can also double the reply."""
    return OutcomeUnknown(f"{said}: it may have been delivered") if may_deliver else Retryable(said, retry_after=wait)
