"""How commands print: JSON, tables and progress."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from bridge.errors import DidNotWork

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager


T = TypeVar("T")

NARROWEST = 12
GAP = "  "


def print_json(document: Any) -> None:
    """One JSON document on standard output, dataclasses included."""
    print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table. On a terminal text is wrapped and ids aren't; elsewhere one row per line with tabs, for `cut` and `awk`."""
    screen = console()
    if not screen.is_terminal:
        for row in rows:
            print("\t".join(" ".join(cell.split()) for cell in row))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    whole = [_whole(column, [row[at] for row in rows]) for at, column in enumerate(columns)]
    for column, width in zip(columns, whole, strict=True):
        table.add_column(column, overflow="fold", no_wrap=bool(width), min_width=width or None)
    for row in rows:
        table.add_row(*map(Text, row))
    # If the terminal is too narrow, it wraps the line itself, and a copied id stays complete.
    needed = sum((width or NARROWEST) + len(GAP) for width in whole)
    console(width=max(screen.width, needed)).print(table)


def _whole(column: str, cells: Sequence[str]) -> int:
    """The width of a column of ids and single words; 0 for a column with several words, which may be wrapped."""
    return 0 if any(" " in cell for cell in cells) else max(map(len, (column, *cells)))


def plain(value: Any) -> str:
    """A value of a record as text: a list as its members, None as an empty text."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def tell_missing(sentences: Sequence[str]) -> None:
    """Print what a list lacks to standard error."""
    for one in sentences:
        print(f"ghl-bridge: {one}", file=sys.stderr)


def confirm(question: str, *, yes: bool) -> None:
    """Ask for confirmation on a terminal before a change that can't be undone. Raises DidNotWork if the answer is no."""
    if yes or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    print(f"{question} [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise DidNotWork("nothing was changed")


def progress(parts: Sequence[T], what: str, *, as_json: bool) -> Iterable[T]:
    """Iterate over the parts with a progress bar on standard error if it is a terminal. Print nothing in the meantime."""
    watched = Console(stderr=True)
    return track(parts, description=what, console=watched, disable=as_json or not watched.is_terminal, transient=True)


def working(what: str) -> AbstractContextManager[object]:
    """Show on standard error, if it is a terminal, what takes time while the block runs."""
    watched = Console(stderr=True)
    return watched.status(what) if watched.is_terminal else nullcontext()


def console(*, width: int | None = None) -> Console:
    """Colours only on a terminal."""
    return Console(highlight=False, soft_wrap=False, width=width)
