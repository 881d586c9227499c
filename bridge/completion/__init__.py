"""Completion services: a provider is one module of plain values (`Service`) and one line in the registry (`providers`).

All providers share the other modules: `exchange` makes the HTTP call, `retrying` retries within seconds, `reading` and `judging`
interpret the answer, `faults` sorts errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.completion.envelope import Envelope
    from bridge.model import Completion, Question


# Which files a provider accepts: none, addresses to download, or pictures.
TakesFiles: TypeAlias = Literal["no", "links", "images"]


class Completer(Protocol):
    """Anything that answers a question."""

    def complete(self, question: Question, *, seconds: float) -> Completion:
        """Answer within `seconds` in total.

        Raises:
            Retryable: a temporary error, and it is certain that nothing was delivered; ServiceDown if the service is down.
            OutcomeUnknown: the request was sent, but no readable answer came back.
            Permanent, OperatorMustFix: asking again won't help.
        """
        ...


class Service(Protocol):
    """A provider with one location's settings, as plain values: its requests, and the meaning of its answers."""

    @property
    def name(self) -> str:
        """Its name in messages."""
        ...

    @property
    def url(self) -> str:
        """The URL to post questions to."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of each request, including the login."""
        ...

    @property
    def takes_history(self) -> bool:
        """Whether each question includes earlier messages, which a service with its own memory doesn't need."""
        ...

    @property
    def takes_files(self) -> TakesFiles:
        """Which files a question may include."""
        ...

    def build(self, question: Question) -> dict[str, Any]:
        """The JSON document of the request for a question."""
        ...

    @property
    def is_flow(self) -> bool:
        """Whether it is an operator's own flow, whose automation tool may answer with a status text instead of a reply."""
        ...

    def unwrap(self, document: dict[str, Any], *, question: Question) -> Envelope:
        """Convert the JSON object of a 2xx to an `Envelope`, which `judging` interprets.

        Raises Unreadable if the object has an unknown form. Plain text, lists of objects, streams, HTML pages and empty
        bodies are handled by `reading` before.
        """
        ...
