"""Completion services: one module a provider, each with a pure `build` and `decipher` and a thin completer around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.model import Completion, Question


class Completer(Protocol):
    """Anything that answers a question."""

    def complete(self, question: Question, *, seconds: float) -> Completion:
        """Answer within `seconds`, everything included.

        Raises:
            Retryable: a passing fault, and the request is known not to have delivered anything.
            OutcomeUnknown: the request left and no readable answer came back.
            Permanent, OperatorMustFix: asking again won't help.
        """
        ...
