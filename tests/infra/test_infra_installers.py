"""The wheel, installed by pip, by pipx, and run by uvx, with the newest libraries that it allows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALLERS = ("pip", "pipx", "uvx")
# Each installs everything anew.
pytestmark = pytest.mark.timeout(600)


def run(*command: str | Path, cwd: Path, **environ: str) -> str:
    """Run a command without errors; returns its output."""
    done = subprocess.run(command, cwd=cwd, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel from `python -m build --wheel`."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder, **os.environ)
    (made,) = folder.glob("*.whl")
    return made


def installer(name: str) -> str:
    """The path of a program; without it the test is skipped, or fails with REQUIRE_INSTALLERS."""
    found = shutil.which(name)
    if found is None and os.environ.get("REQUIRE_INSTALLERS"):
        pytest.fail(f"{name} is not installed, and REQUIRE_INSTALLERS says that this test must run")
    return found or pytest.skip(f"{name} is not installed")


@pytest.fixture(params=INSTALLERS)
def command(request: pytest.FixtureRequest, wheel: Path, tmp_path: Path) -> tuple[str | Path, ...]:
    """The command `ghl-bridge` after this kind of installation."""
    if request.param == "pip":
        run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path, **os.environ)
        run(tmp_path / "venv/bin/python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path, **os.environ)
        return (tmp_path / "venv/bin/ghl-bridge",)
    place = installer(request.param)
    if request.param == "pipx":
        folders = {"PIPX_HOME": "pipx", "PIPX_BIN_DIR": "bin", "PIPX_MAN_DIR": "man"}
        homes = {name: str(tmp_path / folder) for name, folder in folders.items()}
        run(place, "install", "--python", sys.executable, wheel, cwd=tmp_path, **{**os.environ, **homes})
        return (tmp_path / "bin/ghl-bridge",)
    return place, "--quiet", "--python", sys.executable, "--from", str(wheel), "ghl-bridge"


def test_the_wheel_answers_a_message_however_it_is_installed(command: tuple[str | Path, ...], tmp_path: Path) -> None:
    """In an empty folder without a server on PATH it shows its version and the commands, and a message gets its reply."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_", "HTTP", "NO_PROXY"))}
    # The scripts of uvx' environments find their interpreter by these two.
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("realpath", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or name)
    environ = {**kept, "PATH": str(tools), "HOME": str(tmp_path), "UV_CACHE_DIR": str(tmp_path / "uv"), "NO_COLOR": "1"}
    empty = tmp_path / "empty"
    empty.mkdir()

    assert run(*command, "--version", cwd=empty, **environ).startswith("ghl-bridge 0.1.0")
    secrets = run(*command, "secrets", "new", "--json", cwd=empty, **environ)
    assert "BRIDGE_SECRET_KEY" in json.loads(secrets)
    assert "replied" in run(*command, "demo", "--once", cwd=empty, **environ)
