"""Files in questions to a provider: transcripts, pictures, addresses, or a line that mentions them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.answering.media_links import with_fresh_addresses
from bridge.policy import transcript
from bridge.policy.media import attachments_of, linked_line, unread_line, unseen_line

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Attachment, InboundMessage, Question


def tell(question: Question, case: Case, name: str, services: AnswerServices) -> Question:
    """Add files, and lines about files, to the question for this provider. The lines are never stored."""
    location = case.kept.location
    if location.media == "ignore":
        return question
    messages = transcript.asked(case.messages, case.turn.carried)
    takes = services.providers.takes_files(location, name)
    if location.media == "links" and takes == "links":
        fresh = with_fresh_addresses(case, messages, services)
        files = tuple(each for message in fresh for each in attachments_of(message))
        return replace(question, input=_with(question.input, linked_line(files)), attachments=files)
    images = tuple(reading.image for reading in case.readings.values() if reading.image) if takes == "images" else ()
    lines = _lines(case, messages, shown=bool(images))
    return replace(question, input=_with(question.input, *lines), images=images)


def _lines(case: Case, messages: tuple[InboundMessage, ...], *, shown: bool) -> tuple[str, str]:
    """The lines about files that were not read, or could not be read."""
    unseen: list[Attachment] = []
    unread = []
    for message in messages:
        for place, file in enumerate(attachments_of(message)):
            reading = case.readings.get((message.id, place))
            if any(message.transcripts[place : place + 1]) or (reading and reading.image and shown):
                continue
            if reading and reading.why:
                unread.append(reading.kind)
            else:
                unseen.append(file)
    return unseen_line(unseen), unread_line(unread)


def _with(text: str, *lines: str) -> str:
    return "\n".join(part for part in (text, *lines) if part)
