"""What every command needs: its settings, and a place to print."""

from __future__ import annotations

import os
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from bridge.errors import Misconfigured, Unavailable
from bridge.settings import Settings, from_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bridge.operating.operation import Operations

T = TypeVar("T")

RUNNING = "running.json"


def settings() -> Settings:
    """From the environment; without REDIS_URL, that of a `demo` or `up` which runs in the data folder. Raises Misconfigured."""
    mine = from_environment(os.environ)
    if mine.redis_url is not None:
        return mine
    return from_environment({**_running(mine.data_dir), **os.environ})


def operations() -> Operations:
    """Where commands act: on the server that BRIDGE_URL names, else on this machine's Redis. Raises Misconfigured."""
    here = settings()
    if here.bridge_url:
        return _elsewhere(here)
    from bridge.operating.office import Here, Office
    from bridge.store.schema import look

    office = Office(here)
    if here.redis_url is not None:
        with suppress(Unavailable):  # the command itself says what it could not do
            look(office.redis)
    return Here(office, who="cli")


def _elsewhere(here: Settings) -> Operations:
    from bridge.operating.elsewhere import Elsewhere
    from bridge.wire.calls import Wire

    if here.admin_token is None:
        raise Misconfigured("BRIDGE_URL is set and BRIDGE_ADMIN_TOKEN is not: set the admin token of that server")
    return Elsewhere(Wire(), url=here.bridge_url, token=here.admin_token.get_secret_value())


def _running(folder: Path) -> dict[str, str]:
    try:
        found = orjson.loads((folder / RUNNING).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


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
