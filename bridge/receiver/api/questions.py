"""Requests as inputs of operations, read from path, query and body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from bridge.errors import Malformed
from bridge.operating.input_faults import faults_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bridge.operating.operation import Operation

A = TypeVar("A")


def question(operation: Operation[A, object]) -> Callable[[Mapping[str, str], Sequence[tuple[str, str]], bytes], A]:
    """Build a function that reads an operation's input from path, query and body, and raises Malformed with the reason."""
    adapter: TypeAdapter[A] = TypeAdapter(operation.asks)
    in_body, in_query = frozenset(operation.in_body), frozenset(operation.in_query)

    def ask(path: Mapping[str, str], query: Sequence[tuple[str, str]], body: bytes) -> A:
        document = _document(body)
        _refuse_strangers("the query", {name for name, _ in query}, in_query)
        _refuse_strangers("the body", set(document), in_body)
        try:
            if in_body:
                return adapter.validate_json(orjson.dumps({**document, **path}), strict=True)
            return adapter.validate_strings({**dict(query), **path})
        except ValidationError as error:
            raise Malformed("; ".join(f"{place}: {says}" for place, says in faults_of(error))) from None

    return ask


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body or b"{}")
    except ValueError:
        raise Malformed("the body is not JSON") from None
    if not isinstance(document, dict):
        raise Malformed("the body is not a JSON object")
    return document


def _refuse_strangers(place: str, given: set[str], known: frozenset[str]) -> None:
    if given - known:
        raise Malformed(f"{place} may contain only {', '.join(sorted(known)) or 'nothing'} here")
