"""A new session begins if the service has lost the old one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.completion.exchange import Anew
from bridge.errors import BridgeError, OperatorMustFix, Permanent, Retryable
from bridge.model import Completion, Question
from tests.completion.asked import QUESTION

HELLO = Completion(text="hello")


class Forgetful:
    """A completer that refuses every question with a session."""

    def __init__(self, refusal: BridgeError) -> None:
        self.refusal = refusal
        self.asked: list[tuple[str, float]] = []
        self.now = 0.0

    def complete(self, question: Question, *, seconds: float) -> Completion:
        self.asked.append((question.session_id, seconds))
        self.now += 3.0
        if question.session_id:
            raise self.refusal
        return HELLO


def test_a_refused_session_is_left_out_once() -> None:
    """The second question names none, and gets the remaining time."""
    completer = Forgetful(Permanent("unknown chat"))
    anew = Anew(completer, clock=lambda: completer.now)
    assert anew.complete(replace(QUESTION, session_id="s"), seconds=10) == HELLO
    assert completer.asked == [("s", 10), ("", 7.0)]


@pytest.mark.parametrize("refusal", [OperatorMustFix("token"), Retryable("busy")])
def test_other_refusals_have_other_reasons(refusal: BridgeError) -> None:
    """A refused login or a temporary fault does not end the session."""
    completer = Forgetful(refusal)
    with pytest.raises(type(refusal)):
        Anew(completer).complete(replace(QUESTION, session_id="s"), seconds=10)
    assert len(completer.asked) == 1


def test_a_refusal_without_a_session_comes_out() -> None:
    """Without a session there is nothing to leave out."""

    class Refusing:
        def complete(self, question: Question, *, seconds: float) -> Completion:
            del question, seconds
            raise Permanent("no")

    with pytest.raises(Permanent):
        Anew(Refusing()).complete(QUESTION, seconds=10)
