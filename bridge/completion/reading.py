"""What a service's 2xx means, whichever service it is: speech, silence with a reason, or a fault with its cure. Pure.

Every answer goes the same way. Here the form of its body is told: nothing, an object, objects, words, a page, a stream. The
provider's module takes an object apart into an `Envelope`, and `judging` says what becomes of it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bridge.completion.envelope import Envelope
from bridge.completion.faults import Unreadable, Unsendable
from bridge.completion.inner_words import visible
from bridge.completion.judging import judge
from bridge.completion.status_words import cure_of_object
from bridge.completion.streams import Stream, stream_in
from bridge.completion.text import bounded
from bridge.wire.answers import json_value, shape, words_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.completion import Service
    from bridge.locations import HandoverSettings
    from bridge.model import Completion, Question

A_PAGE = "an HTML page came where a reply should be; set the url of the API itself, and look who stands before it"
A_FLOWS_PAGE = "markup came where a reply should be; let the flow return plain words, or JSON with the reply in it"
IT_STREAMS = (
    "it streams, and no end of the answer came; switch streaming off (n8n: the trigger's response mode, the agent's option)"
)
# Under this name Portkey's gateway hands on a page that came from behind it.
PAGE_INSIDE = "html-message"

_MARKUP = re.compile(r"<[!?/a-zA-Z]")
_TORN_JSON = re.compile(r"""\{\s*["'}]|\[\s*[\[{"']|[{\[]\s*\Z""")


def completion_of(
    service: Service,
    headers: Mapping[str, str],
    body: bytes,
    *,
    question: Question,
    handover: HandoverSettings | None = None,
) -> Completion:
    """Read the body of a 2xx. `handover` says by what the service asks for a person, if the location has it.

    Raises Unreadable for what is no answer at all; Unsendable for what a setting makes one; CutOff; and what `faults` gives for
    an answer that reports an error. Messages hold the answer's form, never its words.
    """
    envelopes = _envelopes(service, headers, body, question)
    return _joined([judge(one, service, form=shape(body), handover=handover) for one in envelopes])


def _envelopes(service: Service, headers: Mapping[str, str], body: bytes, question: Question) -> list[Envelope]:
    text = words_in(headers, body)
    if text is None:
        raise Unreadable("a body that is no text")
    if not text.strip():
        return [Envelope()]
    if stream := stream_in(headers, text):
        return _of_stream(service, stream, question)
    match json_value(text):
        case dict() as document:
            return [_of_object(service, document, question)]
        case list() as documents if all(isinstance(one, dict) for one in documents):
            return [_of_object(service, one, question) for one in documents] or [Envelope()]
        case str() as words:
            return [_of_words(service, words)]
        case list():
            raise Unreadable("a list of other things than objects")
        case None | bool() if not service.is_flow:
            raise Unreadable("a flag, or null")
    return [_of_words(service, text)]


def _of_words(service: Service, text: str) -> Envelope:
    """A body that is the words themselves, whatever its label: real tools send them as `text/html` or without a type."""
    if _TORN_JSON.match(text.lstrip()):
        raise Unreadable("JSON that is cut off or broken")
    if _MARKUP.match(visible(text).text.lstrip()):
        raise Unsendable(f"{service.name}: {A_FLOWS_PAGE}") if service.is_flow else Unreadable(A_PAGE)
    return Envelope(content=text, bare=True)


def _of_object(service: Service, document: dict[str, Any], question: Question) -> Envelope:
    if PAGE_INSIDE in document:
        raise Unreadable(A_PAGE)
    if service.is_flow and (cure := cure_of_object(document)):
        raise Unsendable(f"{service.name}: an object that says only what became of the flow: {cure}")
    return service.unwrap(document, question=question)


def _of_stream(service: Service, stream: Stream, question: Question) -> list[Envelope]:
    if stream.error:
        return [Envelope(broken_off=stream.error)]
    if not stream.finished:
        raise Unsendable(f"{service.name}: {IT_STREAMS}")
    documents = [json_value(text) for text in stream.texts]
    if service.is_flow and documents and all(isinstance(one, dict) for one in documents):
        # n8n's node that responds with JSON streams that JSON as if it were words.
        return [_of_object(service, one, question) for one in documents]
    return [Envelope(content=text, ended=stream.ended, tools=stream.tools) for text in stream.texts or ("",)]


def _joined(said: Sequence[Completion]) -> Completion:
    """Several items of one answer are one reply, a line each; if none says anything, the first one's silence is the answer's."""
    spoken = [one for one in said if one.text]
    asking = next((one for one in said if one.handover), said[0])
    if len(said) == 1 or not spoken:
        return asking
    notes = dict.fromkeys(note for one in said for note in one.notes)
    if len(spoken) > 1:
        notes[f"joined: {len(spoken)} items"] = None
    text = bounded("\n".join(one.text for one in spoken))
    return replace(spoken[0], text=text, notes=tuple(notes), as_said="", handover=asking.handover, note=asking.note)
