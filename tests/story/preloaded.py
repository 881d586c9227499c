"""C libraries that are compiled here and loaded before libc; each changes one result of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(
    COMPILER is None or sys.platform != "linux", reason="changing what a process' libc says takes Linux and a C compiler"
)


def shifted_clock(folder: Path, *, seconds: int) -> dict[str, str]:
    """The environment of a process whose wall clock is this far ahead."""
    return {"LD_PRELOAD": _compiled(folder, "shifted_clock"), "SHIFTED_SECONDS": str(seconds)}


def failing_names(folder: Path, *, file: Path) -> dict[str, str]:
    """The environment of a process that resolves no name while this file exists."""
    return {"LD_PRELOAD": _compiled(folder, "failing_names"), "NAMES_FAIL_WHILE": str(file)}


def held_syncs(folder: Path, *, file: Path) -> dict[str, str]:
    """The environment of a process whose `fdatasync` waits while this file exists."""
    return {"LD_PRELOAD": _compiled(folder, "held_syncs"), "SYNCS_WAIT_WHILE": str(file)}


def _compiled(folder: Path, name: str) -> str:
    library, source = folder / f"{name}.so", Path(__file__).with_name(f"{name}.c")
    if not library.exists():
        subprocess.run([str(COMPILER), "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return str(library)
