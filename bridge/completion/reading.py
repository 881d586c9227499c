"""Interprets a 2xx of any service: a reply, no reply with a reason, or a fault with its fix. Pure.

This module detects the format of the body: empty, an object, a list, plain text, an HTML page, a stream. The provider's module
converts an object to an `Envelope`, and `judging` decides what it means.
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

A_PAGE = "an HTML page instead of a reply; set url to the API's address, and check for a proxy in front of it"
A_FLOWS_PAGE = "HTML instead of a reply; let the flow return plain text, or JSON that contains the reply"
IT_STREAMS = "it streams, but the stream had no end; switch streaming off (n8n: the trigger's response mode, the agent's option)"
# Under this name Portkey's gateway passes on an HTML page of its upstream.
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
    """Read the body of a 2xx. `handover` are the location's settings for handovers, if it has any.

    Raises Unreadable if there is no answer; Unsendable if a setting must be changed; CutOff; and the errors of `faults` for an
    answer that reports an error. Messages contain the answer's structure, never its text.
    """
    envelopes = _envelopes(service, headers, body, question)
    return _joined([judge(one, service, form=shape(body), handover=handover) for one in envelopes])


def _envelopes(service: Service, headers: Mapping[str, str], body: bytes, question: Question) -> list[Envelope]:
    text = words_in(headers, body)
    if text is None:
        raise Unreadable("a body that is not text")
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
            raise Unreadable("a list that contains other values than objects")
        case None | bool() if not service.is_flow:
            raise Unreadable("a flag, or null")
    return [_of_words(service, text)]


def _of_words(service: Service, text: str) -> Envelope:
    """A body that is plain text with any content type: some tools send it as `text/html` or without a type."""
    if _TORN_JSON.match(text.lstrip()):
        raise Unreadable("JSON that is cut off or broken")
    if _MARKUP.match(visible(text).text.lstrip()):
        raise Unsendable(f"{service.name}: {A_FLOWS_PAGE}") if service.is_flow else Unreadable(A_PAGE)
    return Envelope(content=text, bare=True)


def _of_object(service: Service, document: dict[str, Any], question: Question) -> Envelope:
    if PAGE_INSIDE in document:
        raise Unreadable(A_PAGE)
    if service.is_flow and (cure := cure_of_object(document)):
        raise Unsendable(f"{service.name}: an object with only a status of the flow: {cure}")
    return service.unwrap(document, question=question)


def _of_stream(service: Service, stream: Stream, question: Question) -> list[Envelope]:
    if stream.error:
        return [Envelope(broken_off=stream.error)]
    if not stream.finished:
        raise Unsendable(f"{service.name}: {IT_STREAMS}")
    documents = [json_value(text) for text in stream.texts]
    if service.is_flow and documents and all(isinstance(one, dict) for one in documents):
        # n8n's node that responds with JSON streams that JSON as text.
        return [_of_object(service, one, question) for one in documents]
    return [Envelope(content=text, ended=stream.ended, tools=stream.tools) for text in stream.texts or ("",)]


def _joined(said: Sequence[Completion]) -> Completion:
    """Join several items of an answer, one per line; if none has a text, the first one's reason counts."""
    spoken = [one for one in said if one.text]
    asking = next((one for one in said if one.handover), said[0])
    if len(said) == 1 or not spoken:
        return asking
    notes = dict.fromkeys(note for one in said for note in one.notes)
    if len(spoken) > 1:
        notes[f"joined: {len(spoken)} items"] = None
    text = bounded("\n".join(one.text for one in spoken))
    return replace(spoken[0], text=text, notes=tuple(notes), as_said="", handover=asking.handover, note=asking.note)
