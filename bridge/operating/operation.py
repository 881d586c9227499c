"""The type of operations: something that an operator does, with the types of its input and its result."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, get_type_hints

if TYPE_CHECKING:
    from bridge.model import Role
    from bridge.operating.reach import Reach
    from bridge.operating.services import AdminServices

A = TypeVar("A")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

Run = Callable[["AdminServices", A], R]
About = Callable[[Any], Sequence[str]]

WITH_BODY = frozenset({"POST", "PUT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation(Generic[A, R_co]):
    """An operation. Its input is a frozen dataclass, and so is its result, which can be converted to JSON.

    `method` and `path` are its route in the admin API, below `/api/v1`. `about` returns the ids that a change is about, for the
    audit log. An operation without `about`, or one that returns no id, changes nothing. `role` is the lowest role that may run
    it, and `reach` returns the locations that it is about; without them only an admin of all locations may run it.
    """

    name: str
    method: str
    path: str
    run: Run[A, R_co]
    about: About | None
    role: Role | None = None
    reach: Reach | None = None

    @property
    def asks(self) -> type[A]:
        """The dataclass of its input."""
        asked: type[A] = get_type_hints(self.run)["asked"]
        return asked

    @property
    def answers(self) -> Any:
        """The type of its result."""
        return get_type_hints(self.run)["return"]

    @property
    def in_path(self) -> tuple[str, ...]:
        """The input fields that are in the path."""
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def in_query(self) -> tuple[str, ...]:
        """The other input fields, if its method has no body."""
        return () if self.method in WITH_BODY else self._others()

    @property
    def in_body(self) -> tuple[str, ...]:
        """The other input fields, if its method has a body."""
        return self._others() if self.method in WITH_BODY else ()

    @property
    def summary(self) -> str:
        """What it does, in one sentence: the first line of the docstring."""
        return (self.run.__doc__ or "").partition("\n")[0]

    def _others(self) -> tuple[str, ...]:
        asks: Any = self.asks
        return tuple(field.name for field in fields(asks) if field.name not in self.in_path)


class Operations(Protocol):
    """Runs operations: on this machine's Redis, or through another server's admin API."""

    def __call__(self, operation: Operation[A, R], asked: A) -> R:
        """Run an operation and return its result.

        Raises:
            WrongInput: the input is not allowed; NotKnown if an id is not known.
            DidNotWork, Unavailable: it failed.
            Misconfigured: a setting is missing or wrong.
        """
        ...


def operation(
    name: str, method: str, path: str, *, about: About | None = None, role: Role | None = None, reach: Reach | None = None
) -> Callable[[Run[A, R]], Operation[A, R]]:
    """Turn a function `(services, asked) -> result` into an operation; its docstring's first line is the summary."""

    def wrap(run: Run[A, R]) -> Operation[A, R]:
        return Operation(name=name, method=method, path=path, run=run, about=about, role=role, reach=reach)

    return wrap


@dataclass(frozen=True, slots=True)
class Nothing:
    """The input of an operation without parameters."""
