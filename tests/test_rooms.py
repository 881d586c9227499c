"""The rooms stay apart, and importing one does nothing."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import bridge
import workers

ROOT = Path(__file__).parent.parent

QUIET_IMPORT = """
import importlib, socket, sys

def refuse(*_):
    raise AssertionError("a socket was opened on import")

socket.socket.connect = refuse
socket.socket.bind = refuse
for name in sys.argv[1:]:
    importlib.import_module(name)
"""
DOORS = {"bridge.__main__", "bridge.receiver.__main__", "bridge.simulator.__main__"}


def test_importing_any_module_opens_nothing_and_needs_no_environment() -> None:
    """Importing every module works with an empty environment and without touching the network."""
    names = [
        found.name
        for package in (bridge, workers)
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
        if found.name not in DOORS
    ]
    assert len(names) > 50
    done = _run(sys.executable, "-W", "error", "-c", QUIET_IMPORT, *names)
    assert done.returncode == 0, done.stderr


def test_the_receiver_never_imports_celery() -> None:
    """The web process starts without Celery."""
    code = "import bridge.receiver.app, sys; sys.exit('celery' in sys.modules or 'kombu' in sys.modules)"
    assert _run(sys.executable, "-c", code).returncode == 0


def test_imports_run_downhill() -> None:
    """import-linter finds every contract of pyproject.toml kept."""
    done = _run(f"{sys.prefix}/bin/lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, env={}, capture_output=True, text=True, cwd=ROOT)
