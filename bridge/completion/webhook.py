"""A JSON endpoint of one's own: what n8n's chat trigger takes, and where it answers. Pure.

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
# Where other endpoints put it, if no path was chosen.
ELSEWHERE = ("answer", "text", "response", "message")
# ... of which this one also holds what tools say about themselves.
ALSO_A_STATUS = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An endpoint. `reply_path` is dotted, with numbers for places in lists; a `token` goes into the header of that name."""

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
        """The login: `Authorization: Bearer ...`, or the bare token in a header of another name."""
        if self.header.lower() == "authorization":
            return bearer(self.token)
        return {**JSON, self.header: self.token} if self.token else JSON

    def build(self, question: Question) -> dict[str, Any]:
        """Write the question in n8n's form, with GHL's ids and the earlier turns beside it."""
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
        """Find what stands at `reply_path`, or in the usual places; an empty object is silence. Raises Unsendable.

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
                f"{self.name}: nothing stands at reply_path {self.reply_path}, {form_of(document)}; set webhook.reply_path"
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
    """The endpoint that this location wants. Raises OperatorMustFix."""
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
    """The endpoint's own `evidence`: an object with any of the names that evidence has."""
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
