"""What every command needs: its settings, and a place to print."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import orjson
from rich.console import Console
from rich.table import Table

from bridge.settings import Settings, from_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNNING = "running.json"


def settings() -> Settings:
    """From the environment; without REDIS_URL, that of a `demo` or `up` which runs in the data folder. Raises Misconfigured."""
    mine = from_environment(os.environ)
    if mine.redis_url is not None:
        return mine
    return from_environment({**_running(mine.data_dir), **os.environ})


def _running(folder: Path) -> dict[str, str]:
    try:
        found = orjson.loads((folder / RUNNING).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table that fits the terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def console() -> Console:
    """Colours only on a terminal."""
    return Console(highlight=False, soft_wrap=False)
