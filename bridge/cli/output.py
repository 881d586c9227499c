"""How commands print: JSON, tables and progress."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager


T = TypeVar("T")


def print_json(document: Any) -> None:
    """One JSON document on standard output, dataclasses included."""
    print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table that fits the terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console().print(table)


def progress(parts: Sequence[T], what: str, *, as_json: bool) -> Iterable[T]:
    """The parts, with a bar on standard error while a person looks on; nothing may be printed meanwhile."""
    watched = Console(stderr=True)
    return track(parts, description=what, console=watched, disable=as_json or not watched.is_terminal, transient=True)


def working(what: str) -> AbstractContextManager[object]:
    """Say on standard error what takes its time, while a person looks on."""
    watched = Console(stderr=True)
    return watched.status(what) if watched.is_terminal else nullcontext()


def console() -> Console:
    """Colours only on a terminal."""
    return Console(highlight=False, soft_wrap=False)
