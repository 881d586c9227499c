"""The Lua scripts are linted as Redis gets them, or the output says that they were not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
needs_luacheck = pytest.mark.skipif(not shutil.which("luacheck"), reason="luacheck is not on PATH; .ci/run installs it")


def lint(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run the lint as `make check` does."""
    command = [sys.executable, str(ROOT / "infra/dev/lint_lua.py")]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def test_without_a_linter_it_says_that_it_looked_at_nothing() -> None:
    """A missing linter is reported, and is an error where it is required."""
    done = lint(PATH="", REQUIRE_LUACHECK="")
    assert done.returncode == 0
    assert "NOT LINTED" in done.stderr
    assert lint(PATH="", REQUIRE_LUACHECK="1").returncode == 1


@needs_luacheck
def test_the_scripts_are_without_a_warning() -> None:
    """Each script uses only what its parts define, hides no name, and has no unused one."""
    done = lint()
    assert (done.returncode, done.stderr) == (0, "")


@needs_luacheck
def test_a_warning_names_the_file_and_its_line(tmp_path: Path) -> None:
    """An error is reported once, at its place: a misspelt name in a shared part, and a function that is never called."""
    shutil.copytree(ROOT / "bridge/store", tmp_path / "bridge/store", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "bridge/__init__.py").touch()
    (part,) = (tmp_path / "bridge/store").rglob("budget.lua")
    lines = part.read_text(encoding="utf-8").splitlines()
    part.write_text("\n".join([*lines, "local function nobody() return misspelt end", ""]), encoding="utf-8")
    done = lint(PYTHONPATH=str(tmp_path))
    at = f"parts/budget.lua:{len(lines) + 1}:"
    assert done.returncode == 1
    assert [line.startswith(at) for line in done.stdout.splitlines()] == [True, True, False]
    assert "unused function 'nobody'" in done.stdout
    assert "undefined variable 'misspelt'" in done.stdout
