"""The packages stay separate, and importing one does nothing."""

from __future__ import annotations

import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
    """import-linter finds no broken contract in pyproject.toml."""
    done = _run(f"{sys.prefix}/bin/lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "imports", "contract"),
    [
        ("bridge/stray.py", "", "Imports run downhill"),
        ("bridge/ghl/stray.py", "", "Imports run downhill within GHL's room"),
        ("bridge/completion/acme.py", "import httpx", "httpx and tenacity stay in the wire"),
        ("bridge/completion/acme.py", "from bridge.wire.calls import Wire", "Decisions and wire formats do no I/O"),
        ("bridge/completion/acme.py", "from bridge.completion.exchange import Exchange", "What makes requests is used"),
        ("bridge/policy/acme.py", "import redis", "Redis stays in the store"),
        ("bridge/answering/acme.py", "import bridge.simulator", "Nobody imports the simulator"),
        ("workers/acme.py", "import uvicorn", "Starlette has two rooms: receiver and simulator"),
    ],
)
def test_a_new_module_is_held_to_the_contracts(tmp_path: Path, module: str, imports: str, contract: str) -> None:
    """A module that no layer names, or that imports what its package may not, breaks a contract."""
    for room in ("bridge", "workers"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / module).write_text(imports, encoding="utf-8")
    done = _run(f"{sys.prefix}/bin/lint-imports", "--no-cache", cwd=tmp_path)
    assert done.returncode != 0
    assert any(line.startswith(contract) for line in _broken(done.stdout)), done.stdout


def _broken(told: str) -> list[str]:
    """The names of broken contracts: the headings below the one that announces them."""
    return told.partition("Broken contracts")[2].splitlines()


def _run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, env={}, capture_output=True, text=True, cwd=cwd)
