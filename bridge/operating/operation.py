"""What an operation is: one thing that an operator does, with the types of its question and its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, get_type_hints

if TYPE_CHECKING:
    from bridge.operating.services import AdminServices

A = TypeVar("A")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Run = Callable[["AdminServices", A], R]
About = Callable[[Any], Sequence[str]]

WITH_BODY = frozenset({"POST", "PUT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[A, R_co]):
    """One operation. What it asks for is a frozen dataclass; what it answers is one too, ready to be JSON.

    `method` and `path` are its place in the admin API, below `/api/v1`. `about` names the ids that a change is about, for the
    audit record; an operation without it changes nothing, nor does one that names none.
    """

    name: str
    method: str
    path: str
    run: Run[A, R_co]
    about: About | None

    @property
    def asks(self) -> type[A]:
        """The dataclass of its question."""
        asked: type[A] = get_type_hints(self.run)["asked"]
        return asked

    @property
    def answers(self) -> Any:
        """The type of its answer."""
        return get_type_hints(self.run)["return"]

    @property
    def in_path(self) -> tuple[str, ...]:
        """The fields of its question that stand in the path."""
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def in_query(self) -> tuple[str, ...]:
        """The others, of what has no body."""
        return () if self.method in WITH_BODY else self._others()

    @property
    def in_body(self) -> tuple[str, ...]:
        """The others, of what has one."""
        return self._others() if self.method in WITH_BODY else ()

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return (self.run.__doc__ or "").partition("\n")[0]

    def _others(self) -> tuple[str, ...]:
        asks: Any = self.asks
        return tuple(field.name for field in fields(asks) if field.name not in self.in_path)


class Operations(Protocol):
    """Where operations are carried out: on this machine's Redis, or through another server's admin API."""

    def __call__(self, operation: Operation[A, R], asked: A) -> R:
        """Carry one out.

        Raises:
            WrongInput: what was asked for is not there or not allowed; NotKnown for ids.
            DidNotWork, Unavailable: it could not be carried out.
            Misconfigured: a setting is missing or wrong.
        """
        ...


def operation(name: str, method: str, path: str, *, about: About | None = None) -> Callable[[Run[A, R]], Operation[A, R]]:
    """Make a function `(services, asked) -> answer` an operation; its docstring's first line is the summary."""

    def wrap(run: Run[A, R]) -> Operation[A, R]:
        return Operation(name=name, method=method, path=path, run=run, about=about)

    return wrap


@dataclass(frozen=True, slots=True)
class Nothing:
    """The question of an operation that needs to know nothing."""
