"""A process whose wall clock is wrong, and nothing else: a library that is compiled here and loaded before all others."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(
    COMPILER is None or sys.platform != "linux", reason="shifting a process' clock takes Linux and a C compiler"
)


def shifted(folder: Path, *, seconds: int) -> dict[str, str]:
    """What to put into the environment of a process that is to be so far ahead."""
    library, source = folder / "shifted_clock.so", Path(__file__).with_name("shifted_clock.c")
    if not library.exists():
        subprocess.run([str(COMPILER), "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library), "SHIFTED_SECONDS": str(seconds)}
