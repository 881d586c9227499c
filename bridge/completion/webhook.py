"""Your own JSON endpoint, by default in the format of n8n's chat trigger. Pure.

https://docs.n8n.io/integrations/builtin/core-nodes/n8n-nodes-langchain.chattrigger: `action`, `chatInput` and `sessionId` go in,
`output` comes out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bridge.completion.envelope import Envelope
from bridge.completion.faults import Unsendable
from bridge.completion.handover import NOTE
from bridge.completion.logins import JSON, bearer, given, token_if_any
from bridge.completion.text import name_of, turns_of
from bridge.wire.answers import as_text, form_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.completion import TakesFiles
    from bridge.locations import Location
    from bridge.model import Question
    from bridge.settings import Settings

USUAL = "output"
# Other usual places of the reply, if no path is configured.
ELSEWHERE = ("answer", "text", "response", "message")
# ... of which this one may also contain a tool's status text.
ALSO_A_STATUS = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An endpoint. `reply_path` is dotted, with numbers for list indexes; a `token` is sent in the header `header`."""

    url: str
    token: str
    header: str
    reply_path: str
    input_name: str = "chatInput"
    name: str = "webhook"
    takes_history: bool = True
    is_flow: bool = True
    takes_files: TakesFiles = "links"

    @property
    def headers(self) -> Mapping[str, str]:
        """The login: `Authorization: Bearer ...`, or only the token in another header."""
        if self.header.lower() == "authorization":
            return bearer(self.token)
        return {**JSON, self.header: self.token} if self.token else JSON

    def build(self, question: Question) -> dict[str, Any]:
        """The JSON of the question in n8n's format, with GHL's ids and the earlier messages."""
        return {
            "action": "sendMessage",
            "sessionId": name_of(question),
            "locationId": question.location_id,
            "contactId": question.contact_id,
            "conversationId": question.conversation_id,
            "messageId": question.last_message_id,
            "channel": question.channel,
            "messages": turns_of(question),
            self.input_name: question.input,
            **({"attachments": [asdict(each) for each in question.attachments]} if question.attachments else {}),
        }

    def unwrap(self, document: dict[str, Any], *, question: Question) -> Envelope:
        """Find the value at `reply_path`, or in the usual places; an empty object means no reply. Raises Unsendable.

        `{"handover": true, "note": ...}` asks for a person, with or without a reply beside it.
        """
        del question
        if document.get("ok") is False or document.get("success") is False or document.get("error"):
            return Envelope(error=document)
        paths = (self.reply_path, *ELSEWHERE) if self.reply_path == USUAL else (self.reply_path,)
        handover = document.get("handover") in (True, "true")
        found = [(path, content) for path in paths if (content := _walk(document, path)) is not _NOTHING]
        if document and not found and not handover:
            raise Unsendable(
                f"{self.name}: nothing is at reply_path {self.reply_path}, {form_of(document)}; set webhook.reply_path"
            )
        place, content = found[0] if found else (self.reply_path, None)
        return Envelope(
            content=content,
            ended=as_text(document.get("finish_reason")),
            setting="webhook.reply_path",
            place=place,
            evidence=given_evidence(document.get("evidence")),
            bare=place == ALSO_A_STATUS and place != self.reply_path,
            handover=handover,
            note=as_text(document.get(NOTE)) if handover else "",
        )


def of(location: Location, settings: Settings) -> Webhook:
    """The endpoint with this location's settings. Raises OperatorMustFix."""
    del settings
    table = location.webhook
    return Webhook(
        url=given(table.url, location, "webhook.url"),
        token=token_if_any(table.token),
        header=table.header,
        reply_path=table.reply_path,
        input_name=table.input_name,
    )


def given_evidence(evidence: object) -> dict[str, Any]:
    """The endpoint's own `evidence`, reduced to the known names."""
    return evidence if isinstance(evidence, dict) else {}


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
