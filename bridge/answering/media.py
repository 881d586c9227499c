"""What becomes of a message's files: the provider is told of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.policy import transcript
from bridge.policy.media import attachments_of, unseen_line

if TYPE_CHECKING:
    from bridge.answering.case import Case
    from bridge.model import Question


def tell(question: Question, case: Case) -> Question:
    """The question with a line about the files, which is no word of the contact's and is kept nowhere."""
    if case.kept.location.media == "ignore":
        return question
    files = [each for message in transcript.asked(case.messages, case.turn.carried) for each in attachments_of(message)]
    line = unseen_line(files)
    return replace(question, input="\n".join(part for part in (question.input, line) if part)) if line else question
