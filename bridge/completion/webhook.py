"""A JSON endpoint of one's own: what n8n's chat trigger takes, and where it answers. Pure.

https://docs.n8n.io/integrations/builtin/core-nodes/n8n-nodes-langchain.chattrigger: `action`, `chatInput` and `sessionId` go in,
`output` comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.completion.faults import Unreadable, readable, reported
from bridge.completion.logins import JSON, bearer, given, token_if_any
from bridge.completion.words import name_of, spoken, turns_of
from bridge.errors import OperatorMustFix
from bridge.wire.answers import as_text, is_plain_text, json_list, plain_text, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.locations import Location
    from bridge.model import Completion, Question
    from bridge.settings import Settings

USUAL = "output"
# Where other endpoints put it, if no path was chosen.
ELSEWHERE = ("answer", "text", "response", "message")
# n8n's word when the workflow is told to answer before it has run.
TOO_EARLY = "Workflow was started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An endpoint. `reply_path` is dotted, with numbers for places in lists; a `token` goes into the header of that name."""

    url: str
    token: str
    header: str
    reply_path: str
    name: str = "webhook"
    takes_history: bool = True

    @property
    def headers(self) -> Mapping[str, str]:
        """The login: `Authorization: Bearer ...`, or the bare token in a header of another name."""
        if self.header.lower() == "authorization":
            return bearer(self.token)
        return {**JSON, self.header: self.token} if self.token else JSON

    def build(self, question: Question) -> dict[str, Any]:
        """Write the question in n8n's form, with GHL's ids and the earlier turns beside it."""
        return {
            "action": "sendMessage",
            "chatInput": question.input,
            "sessionId": name_of(question),
            "locationId": question.location_id,
            "contactId": question.contact_id,
            "conversationId": question.conversation_id,
            "messageId": question.last_message_id,
            "channel": question.channel,
            "messages": turns_of(question),
        }

    def decipher(self, headers: Mapping[str, str], body: bytes, *, question: Question) -> Completion:
        """Read the reply: plain text, or JSON (the first item of a list) at `reply_path`. Raises as the protocol says.

        An object in which nothing stands there is the operator's to mend; an empty one is silence.
        """
        del question
        if is_plain_text(headers, body):
            return spoken(plain_text(body))
        items = json_list(body)
        document = readable(body) if items is None else (items[0] if items else {})
        if not isinstance(document, dict):
            raise Unreadable(shape(body))
        if document.get("ok") is False or document.get("success") is False or document.get("error"):
            raise reported(self.name, document, body)
        return spoken(self._reply(document, body))

    def _reply(self, document: dict[str, Any], body: bytes) -> str:
        paths = (self.reply_path, *ELSEWHERE) if self.reply_path == USUAL else (self.reply_path,)
        found = [step for step in (_walk(document, path) for path in paths) if step is not _NOTHING]
        if document and not found:
            raise OperatorMustFix(
                f"{self.name}: nothing stands at reply_path {self.reply_path}, {shape(body)}; set webhook.reply_path"
            )
        reply = as_text(found[0]) if found else ""
        if reply == TOO_EARLY:
            raise OperatorMustFix(
                f"{self.name}: the workflow answers before it has run; let n8n respond when the last node finishes"
            )
        return reply


def of(location: Location, settings: Settings) -> Webhook:
    """The endpoint that this location wants. Raises OperatorMustFix."""
    del settings
    table = location.webhook
    return Webhook(
        url=given(table.url, location, "webhook.url"),
        token=token_if_any(table.token),
        header=table.header,
        reply_path=table.reply_path,
    )


_NOTHING = object()


def _walk(document: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return _NOTHING
    return document
