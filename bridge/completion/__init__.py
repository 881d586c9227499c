"""Completion services: a provider is one module of plain values (`Service`) and one line in the registry (`providers`).

Whatever it is called, it is asked by the same few lines: `exchange` makes the HTTP call, `retrying` has the patience of seconds,
`faults` sorts what goes wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.model import Completion, Question


class Completer(Protocol):
    """Anything that answers a question."""

    def complete(self, question: Question, *, seconds: float) -> Completion:
        """Answer within `seconds`, everything included.

        Raises:
            Retryable: a passing fault, and the request is known not to have delivered anything; Down if the service is to blame.
            OutcomeUnknown: the request left and no readable answer came back.
            Permanent, OperatorMustFix: asking again won't help.
        """
        ...


class Service(Protocol):
    """A provider with one location's settings, as plain values: where and what it is asked, and what its answers mean."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    @property
    def url(self) -> str:
        """Where questions are posted."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """What goes along with each question; logins."""
        ...

    @property
    def takes_history(self) -> bool:
        """Whether a question brings what was said before: what remembers by itself needs none of that."""
        ...

    def build(self, question: Question) -> dict[str, Any]:
        """Write a question as the request's JSON."""
        ...

    def decipher(self, headers: Mapping[str, str], body: bytes, *, question: Question) -> Completion:
        """Read a 2xx answer. Empty text is a decision, not a fault.

        Raises Unreadable for what is no answer at all, and what `faults.reported` gives for one that reports an error. Messages
        hold the answer's form, never its words.
        """
        ...
