"""The table, and the machine on which it was measured."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HEAD = ("#", "what", "measured", "beside it", "ratio", "aim", "")
LIBRARIES = ("celery", "kombu", "redis", "starlette", "uvicorn", "uvloop", "httpx", "cryptography", "orjson")


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `met` says whether the aim was reached; None where there is none, or the ratio means nothing here."""

    figure: int
    what: str
    measured: str
    beside: str = ""
    ratio: float | None = None
    aim: str = ""
    met: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells as text."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        verdict = {None: "", True: "met", False: "missed"}[self.met]
        return (str(self.figure), self.what, self.measured, self.beside, ratio, self.aim, verdict)


def middle_ratio(ours: Iterable[float], theirs: Iterable[float]) -> float:
    """The median of the rounds' ratios: the machine's speed changes, so only figures of one round are compared."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with aligned columns."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    shown = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines]
    return "\n".join([shown[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *shown[1:]])


def machine(server: Any) -> str:
    """The machine and the versions; `server` is Redis' INFO."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB · "
        f"{platform.system()} {platform.release()} · Python {platform.python_version()} · Redis {server['redis_version']} "
        f"(append-only file, appendfsync always) · {libraries}"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
