"""Another commit of this project with its own environment, kept in `build/` for the next time."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

from infra.bench.bridges import Bridge

PROJECT = Path(__file__).parents[2]
KEPT = PROJECT / "build" / "bench"


def check_out(rev: str) -> Path:
    """The folder of a commit, with its run-time environment installed. Raises CalledProcessError for an unknown commit."""
    commit = _said("git", "rev-parse", "--verify", f"{rev}^{{commit}}")
    folder = KEPT / commit[:12]
    if not folder.exists():
        folder.mkdir(parents=True)
        _said("git", "archive", "--output", str(folder / "tree.tar"), commit)
        with tarfile.open(folder / "tree.tar") as archive:
            archive.extractall(folder, filter="data")
    _said("make", "--silent", f"PYTHON={sys.executable}", ".venv/.run", within=folder)
    return folder


def bridge_of(folder: Path, name: str) -> Bridge:
    """The bridge of a folder as its own Procfile starts it; it stores its locations itself."""
    programs = folder / ".venv" / "bin"
    python = str(programs / "python")
    return Bridge(
        name,
        (python, "-m", "bridge.receiver"),
        (python, "-m", "celery", "-A", "workers", "worker"),
        cli=str(programs / "ghl-bridge"),
    )


def memory_of(folder: Path) -> str:
    """The output of a folder's own memory measurement."""
    return _said(str(folder / ".venv" / "bin" / "python"), "-m", "infra.bench.memory", within=folder)


def _said(*command: str, within: Path = PROJECT) -> str:
    done = subprocess.run(command, cwd=within, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this project's own
    return done.stdout.strip()
