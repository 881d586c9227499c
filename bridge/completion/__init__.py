"""Completion services: a provider is one module of plain values (`Service`) and one line in the registry (`providers`).

Whatever it is called, it is asked and read by the same few lines: `exchange` makes the HTTP call, `retrying` has the patience of
seconds, `reading` and `judging` say what an answer means, `faults` sorts what goes wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.completion.envelope import Envelope
    from bridge.model import Completion, Question


# Nothing, the addresses for the service to download, or pictures as they are.
TakesFiles: TypeAlias = Literal["no", "links", "images"]


class Completer(Protocol):
    """Anything that answers a question."""

    def complete(self, question: Question, *, seconds: float) -> Completion:
        """Answer within `seconds`, everything included.

        Raises:
            Retryable: a passing fault, and the request is known not to have delivered anything; ServiceDown if the service is to
            blame.
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

    @property
    def takes_files(self) -> TakesFiles:
        """What a question may bring of files."""
        ...

    def build(self, question: Question) -> dict[str, Any]:
        """Write a question as the request's JSON."""
        ...

    @property
    def is_flow(self) -> bool:
        """Whether it is an operator's own flow, whose tool may say something about itself in the reply's place."""
        ...

    def unwrap(self, document: dict[str, Any], *, question: Question) -> Envelope:
        """Take the JSON object of a 2xx apart: what was said, and what was said about it. `judging` says what becomes of it.

        Raises Unreadable if it holds nothing that this service answers with. Words, lists of objects, streams, pages and empty
        bodies never come here: `reading` has dealt with them.
        """
        ...
