"""Status texts that automation tools send instead of a reply, and how to make each tool reply. Pure.

Such a text counts only without a configured path: as the whole body of an operator's own endpoint, or under `message`, which is
read if there is nothing else. A value at `reply_path` is always a reply.

Sources, looked at in November 2026: n8n's webhook helpers (`Workflow was started`, `Workflow got started.` in its documents, the
sentences about data; run with n8n 2.40.7) and its chat trigger with response nodes (`executionStarted`, `resumeToken`; run with
2.40.7); Make, a scenario without a Webhook response module (`Accepted`); Zapier, "Trigger Zaps from webhooks" (an object with
`attempt`, `id`, `request_id`, `status`); Pipedream's documents, "Triggers" (`success` and `info`: "To customize this response
..."); IFTTT's Webhooks service ("Congratulations! You've fired the ... event"); the first examples of AWS Lambda, Azure Functions
and Supabase; Express' `sendStatus` (`OK`, `Created`, `Accepted`, `No Content`); what a serialised nothing or flag looks like
(`null`, `undefined`, `true`, `[object Object]`); the acknowledgements that webhook receivers are taught to give (`ok`,
`received`, `success`, `done`).
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from bridge.model import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

N8N_TOO_EARLY = "the workflow answers before it has run; let n8n respond when the last node finishes"
N8N_NO_DATA = "the workflow ended without data; let its last node, or a Respond to Webhook node, return the reply"
MAKE = "the scenario has no Webhook response module; add one that returns the reply"
ZAPIER = "Zapier's catch hook answers before the Zap has run, and never with a reply; ask an endpoint that waits for one"
PIPEDREAM = "the workflow returns no response; set the trigger to a custom response, and call $.respond with the reply"
EXAMPLE = "the endpoint is a tool's first example; deploy one that returns the reply"
STATUS = "the endpoint only confirms the request; let it return the reply"

_SENTENCES = {
    "workflow was started": N8N_TOO_EARLY,
    "workflow got started": N8N_TOO_EARLY,
    "workflow executed successfully": N8N_NO_DATA,
    "workflow executed successfully but the last node did not return any data": N8N_NO_DATA,
    "workflow executed successfully but no data was returned": N8N_NO_DATA,
    "accepted": MAKE,
    "success": STATUS,
    "ok": STATUS,
    "okay": STATUS,
    "200 ok": STATUS,
    "created": STATUS,
    "no content": STATUS,
    "true": STATUS,
    "false": STATUS,
    "null": STATUS,
    "none": STATUS,
    "undefined": STATUS,
    "[object object]": STATUS,
    "received": STATUS,
    "done": STATUS,
    "queued": STATUS,
    "event received": STATUS,
    "webhook received": STATUS,
    "request received": STATUS,
    "hello world": EXAMPLE,
    "hello from lambda": EXAMPLE,
    "hello from functions": EXAMPLE,
}
_BEGINNINGS = {
    "to customize this response, check out our docs": PIPEDREAM,
    "congratulations! you've fired the": STATUS,
    "this http triggered function executed successfully": EXAMPLE,
    "this url has no default content configured": EXAMPLE,
}
# Objects with the same meaning: all their field names.
_OBJECTS = {
    frozenset({"executionStarted", "executionId", "resumeToken"}): N8N_TOO_EARLY,
    frozenset({"executionStarted", "executionId"}): N8N_TOO_EARLY,
    frozenset({"attempt", "id", "request_id", "status"}): ZAPIER,
    frozenset({"success", "info"}): PIPEDREAM,
}

# Texts of answers other than 2xx that the operator must fix, whatever the status is.
_ERRORS = (
    (
        re.compile(rb"No Respond to Webhook node found"),
        "the flow has no Respond to Webhook node; add one, or let n8n respond when the last node finishes",
    ),
    (
        re.compile(rb"Unused Respond to Webhook node found"),
        "set the trigger's Respond to Using 'Respond to Webhook' Node, or remove that node",
    ),
    (re.compile(rb"requested webhook .{0,200} is not registered"), "activate the workflow, and use its production URL"),
    (re.compile(rb"There is no scenario listening for this webhook"), "switch the scenario on"),
)
# n8n's 500 for a flow whose last node has no item, in its newer and its older wording.
_NO_ITEM = re.compile(rb"No item to return (?:was|got) found")
# A content filter's refusal of the question: Portkey's guardrails (446), and Azure OpenAI's error code in a 400.
_GUARDRAIL = 446
_FILTERED = re.compile(rb'"code"\s*:\s*"(?:content_filter|content_policy_violation)"|ResponsibleAIPolicyViolation')


def silence_of(status: int, body: bytes) -> Reason | None:
    """The reason for no reply in an answer other than 2xx; None if it is an error."""
    if status == _GUARDRAIL or (status == HTTPStatus.BAD_REQUEST and _FILTERED.search(body)):
        return Reason.FILTERED
    return Reason.EMPTY if status == HTTPStatus.INTERNAL_SERVER_ERROR and _NO_ITEM.search(body) else None


def cure_of_error(status: int, body: bytes) -> str:
    """What to do about an answer other than 2xx with a known status text; "" if it is unknown."""
    return next((cure for sentence, cure in _ERRORS if sentence.search(body)), "") if status >= HTTPStatus.BAD_REQUEST else ""


def cure_of_words(text: str) -> str:
    """What to do about a text that is a tool's status text; "" if it may be a reply."""
    plain = re.sub(r"\s+", " ", text).strip(" .!\"'").lower().replace("\u2019", "'")
    begun = (cure for beginning, cure in _BEGINNINGS.items() if plain.startswith(beginning))
    return _SENTENCES.get(plain) or next(begun, "")


def cure_of_object(document: Mapping[str, Any]) -> str:
    """What to do about an object that is a tool's status; "" if it may contain a reply."""
    return _OBJECTS.get(frozenset(document), "")
