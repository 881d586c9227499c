"""The command line's manners: help that teaches, tables that fit, colours for terminals, documents for programs."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.operating.test_operating_dead_letters import write_dead_letter
from tests.stored import FERNET_KEY, accept, keep, message

if TYPE_CHECKING:
    from redis import Redis

    from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
HEAVY = ("redis", "httpx", "celery", "starlette", "cryptography", "orjson")
FILE = "[locations.One]\nname = '[bold]Acme Dental of Springfield and Surroundings[/bold]'\n[locations.Two]"


@pytest.mark.parametrize(
    "words",
    [[], ["doctor"], ["explain"], ["locations", "apply"], ["dead-letters", "replay"], ["contacts", "erase"]],
    ids=" ".join,
)
def test_help_teaches_by_examples(bare: Run, words: list[str]) -> None:
    """What one wants to do most stands there to be copied, within 80 columns."""
    said = bare(*words, "--help").stdout

    assert "Examples:" in said
    assert "ghl-bridge" in said.partition("Examples:")[2]
    assert max(map(len, said.splitlines())) <= 80


def test_help_is_quick() -> None:
    """It imports none of the libraries that the commands need."""
    code = (
        "import sys; from bridge.cli.commands import build; build()(['locations', '--help'], standalone_mode=False); "
        f"sys.exit(bool(set({HEAVY!r}) & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, cwd=ROOT).returncode == 0


@pytest.mark.parametrize(("typed", "offered"), [("lo", "locations"), ("locations re", "remove"), ("dead-letters ", "replay")])
def test_the_shell_completes(bare: Run, typed: str, offered: str) -> None:
    """Commands and their subcommands, as bash asks for them."""
    words = f"ghl-bridge {typed}"
    asked = {"_GHL_BRIDGE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}

    assert offered in bare(**asked).stdout.split()


def test_every_change_tells_a_document_too(run: Run, redis: Redis) -> None:
    """One JSON document on standard output, and nothing else there."""
    run("locations", "apply", "-", stdin=FILE)
    for words in (
        ["locations", "apply", "-"],
        ["locations", "pause", "One"],
        ["locations", "resume", "One"],
        ["locations", "remove", "Two"],
        ["locations", "template"],
        ["conversations", "pause", "c1"],
        ["conversations", "resume", "c1"],
        ["contacts", "allow", "One", "c1"],
        ["dead-letters", "list"],
        ["secrets", "new"],
    ):
        done = run(*words, "--json", stdin=FILE)
        assert done.returncode == 0, done.stderr
        json.loads(done.stdout)
    accept(redis, message("m1", "c2", "One"))
    assert json.loads(run("contacts", "erase", "One", "c2", "--json").stdout)["records"]


def test_tables_fit_eighty_columns(bare: Run, redis: Redis, redis_url: str) -> None:
    """Whatever stands in them; what is too long goes on below, and nothing is read as markup."""
    environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}
    keep(redis)
    write_dead_letter(redis, 1)
    bare("locations", "apply", "-", stdin=FILE, **environ)
    for words in (["locations", "list"], ["locations", "show", "One"], ["dead-letters", "list"], ["conversations", "show", "c1"]):
        said = bare(*words, **environ).stdout
        assert said
        assert max(map(len, said.splitlines())) <= 80, said
    assert "[bold]" in bare("locations", "show", "One", **environ).stdout


def on_a_terminal(*words: str, **environ: str) -> str:
    """What a command says to somebody who sits at a terminal."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "bridge", *words]
    given = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", **environ}
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=given, cwd=ROOT) as process:
        os.close(slave)
        said = b""
        try:
            while chunk := os.read(master, 4096):
                said += chunk
        except OSError:  # how a terminal says that nobody is there any more
            pass
        process.wait()
    os.close(master)
    return said.decode()


def test_colours_are_for_terminals(bare: Run, tmp_path: Path) -> None:
    """There they are, elsewhere not, and not for somebody who wants none."""
    asked = {"GHL_API_URL": "http://127.0.0.1:1", "BRIDGE_DATA_DIR": str(tmp_path)}

    assert "\x1b[1;31mPROBLEM" in on_a_terminal("doctor", **asked)
    assert "\x1b[" not in bare("doctor", **asked).stdout
    plain = on_a_terminal("doctor", NO_COLOR="1", **asked)
    assert "PROBLEM" in plain
    assert "\x1b[1;31m" not in plain
    assert "\x1b[32m" not in plain


def test_who_looks_on_sees_progress(bare: Run, redis: Redis, redis_url: str) -> None:
    """A bar, or what is being done, on a terminal; elsewhere nothing but the outcome."""
    environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}
    bare("locations", "apply", "-", **environ, stdin="[defaults]\ndebounce_seconds = 0\n[locations.here]\n[locations.there]")
    for number in range(3):
        write_dead_letter(redis, number)
    watched = on_a_terminal("dead-letters", "replay", "--all", "--dry-run", **environ)
    assert "replaying" in watched
    assert "100%" in watched
    assert "3 dead letter(s)" in watched
    assert "sweeping" in on_a_terminal("reconcile", **environ)
    assert "erasing c1" in on_a_terminal("contacts", "erase", "here", "c1", **environ)
    assert "replaying" not in bare("dead-letters", "replay", "--all", "--dry-run", **environ).stderr
    swept = bare("reconcile", **environ)
    assert "sweeping" not in swept.stdout + swept.stderr
    assert (swept.returncode, swept.stderr.count("message(s) found")) == (1, 2)
