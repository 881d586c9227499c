"""One question and its answer over HTTP, the same for every service."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.completion.faults import Unreadable, Unsendable, lost, refusal
from bridge.completion.reading import completion_of
from bridge.completion.status_words import silence_of
from bridge.errors import BridgeError, CutOff, OperatorMustFix, OutcomeUnknown, Permanent, Retryable, ServiceDown
from bridge.model import Completion
from bridge.wire.answers import json_object, shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.completion import Completer, Service
    from bridge.locations import HandoverSettings
    from bridge.model import Question
    from bridge.wire.calls import Answer, Wire

ACCEPTED = range(200, 300)
MOST_SAID_BYTES = 4096


class Anew:
    """A completer that asks again without the old session if a question with a session is refused.

    It is not documented how services treat a chat that they have deleted; this must not block a contact for ever. `clock`
    (monotonic) gives seconds.
    """

    def __init__(self, completer: Completer, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._completer = completer
        self._clock = clock

    def complete(self, question: Question, *, seconds: float) -> Completion:
        """Answer within `seconds`. Raises what the completer raises."""
        end = self._clock() + seconds
        try:
            return self._completer.complete(question, seconds=seconds)
        except Permanent as error:
            if not question.session_id or isinstance(error, OperatorMustFix):
                raise
        return self._completer.complete(replace(question, session_id=""), seconds=end - self._clock())


class Exchange:
    """A completer. `may_deliver`: the service may post the reply by itself, so a lost answer has an unknown outcome.

    `handover` are the location's settings for handovers, if it has any. `before_send`: see `Wire.call`.
    """

    def __init__(
        self,
        wire: Wire,
        service: Service,
        *,
        may_deliver: bool,
        handover: HandoverSettings | None = None,
        before_send: Callable[[], None] | None = None,
    ) -> None:
        self._wire = wire
        self._service = service
        self._may_deliver = may_deliver
        self._handover = handover
        self._before_send = before_send

    def complete(self, question: Question, *, seconds: float) -> Completion:
        """Ask once.

        Raises as the protocol says: a lost answer is OutcomeUnknown if it may have been delivered, else ServiceDown.
        """
        answer = self._ask(question, seconds)
        try:
            return self._read(answer, question)
        except BridgeError as error:
            error.said = answer.body[:MOST_SAID_BYTES]
            raise

    def _read(self, answer: Answer, question: Question) -> Completion:
        name, may_deliver = self._service.name, self._may_deliver
        if silence := silence_of(answer.status, answer.body):
            return Completion(text="", why_silent=silence)
        if answer.status not in ACCEPTED:
            raise refusal(name, answer.status, answer.headers, answer.body, may_deliver=may_deliver)
        if may_deliver and json_object(answer.body) is None:
            # Plain text, or an empty body, does not say who delivers.
            raise lost(f"{name}: HTTP {answer.status}, {shape(answer.body)}", may_deliver=True)
        try:
            read = completion_of(self._service, answer.headers, answer.body, question=question, handover=self._handover)
        except Unreadable as error:
            raise lost(f"{name}: HTTP {answer.status}, {error}", may_deliver=may_deliver) from None
        except (Unsendable, CutOff) as error:
            if may_deliver:
                raise lost(str(error), may_deliver=True) from None
            raise
        return read if may_deliver else replace(read, as_said="")

    def _ask(self, question: Question, seconds: float) -> Answer:
        service, document = self._service, self._service.build(question)
        try:
            return self._wire.call(
                "POST", service.url, headers=service.headers, json=document, seconds=seconds, before_send=self._before_send
            )
        except OutcomeUnknown as error:
            raise lost(f"{service.name}: {error}", may_deliver=self._may_deliver, answered=False) from error
        except Retryable as error:
            raise ServiceDown(f"{service.name}: {error}") from error
