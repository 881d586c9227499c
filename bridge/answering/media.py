"""What a provider is told of a message's files: a line, or their addresses too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.policy import transcript
from bridge.policy.media import attachments_of, linked_line, unseen_line

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.answering.services import AnswerServices
    from bridge.model import Question


def tell(question: Question, case: Case, name: str, services: AnswerServices) -> Question:
    """The question to this provider with a line about the files, which is no word of the contact's and is kept nowhere."""
    location = case.kept.location
    if location.media == "ignore":
        return question
    messages = transcript.asked(case.messages, case.turn.carried)
    files = tuple(each for message in messages for each in attachments_of(message))
    if location.media == "links" and services.providers.takes_files(location, name) == "links":
        return replace(question, input=_with(question.input, linked_line(files)), attachments=files)
    return replace(question, input=_with(question.input, unseen_line(files)))


def _with(text: str, line: str) -> str:
    return "\n".join(part for part in (text, line) if part)
