"""The command line's output: help with examples, tables that fit, colours for terminals, documents for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from bridge.cli.commands import build
from tests import forks
from tests.cli.terminal import on_a_terminal
from tests.operating.test_operating_dead_letters import write_dead_letter
from tests.stored import FERNET_KEY, PROVIDED_TOML, accept, keep, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
GROUPS = {"locations", "operators", "conversations", "contacts", "messages", "dead-letters", "secrets"}
HEAVY = ("redis", "httpx", "celery", "starlette", "cryptography", "orjson")
FILE = f"{PROVIDED_TOML}[locations.One]\nname = '[bold]Acme Dental of Springfield and Surroundings[/bold]'\n[locations.Two]"


def commands(group: Any, *before: str) -> Iterator[list[str]]:
    """Every command of the command line, as it is typed."""
    yield list(before)
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, *before, name)


def test_help_teaches_by_examples() -> None:
    """Every command's help has an example to copy within 80 columns; a group lists its commands."""
    app = build()
    for words in commands(typer.main.get_command(app)):
        said = CliRunner().invoke(app, [*words, "--help"], prog_name="ghl-bridge", terminal_width=80).output
        assert max(map(len, said.splitlines())) <= 80, words
        if len(words) != 1 or words[0] not in GROUPS:
            assert f"ghl-bridge {' '.join(words)}".strip() in said.partition("Examples:")[2], words


def test_the_version_is_told(bare: Run) -> None:
    """`--version` prints only the name and the installed version."""
    done = bare("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ghl-bridge {version('ghl-bridge')}\n", "")


@pytest.mark.usefixtures("redis")
def test_a_file_of_settings_gives_what_the_environment_lacks(tmp_path: Path, redis_url: str) -> None:
    """`.env` in the current folder counts; the environment has priority, and an unreadable file is one sentence."""
    (tmp_path / ".env").write_text("REDIS_URL=redis://127.0.0.1:1\nBRIDGE_SECRET_KEY=short\n")

    def run(**environ: str) -> subprocess.CompletedProcess[str]:
        return forks.run("locations", "list", environ={"PATH": os.environ["PATH"], **environ}, cwd=tmp_path)

    taken, won = run(), run(REDIS_URL=redis_url, BRIDGE_SECRET_KEY=FERNET_KEY)
    (tmp_path / ".env").write_bytes(b"REDIS_URL=\xff\xfe")
    unreadable = run()

    assert (taken.returncode, "BRIDGE_SECRET_KEY" in taken.stderr) == (78, True)
    assert (won.returncode, won.stderr) == (0, "")
    assert (unreadable.returncode, unreadable.stderr) == (
        78,
        "ghl-bridge: .env in this folder can't be read: it is not UTF-8 text\n",
    )


def test_help_is_quick() -> None:
    """It imports none of the libraries that the commands need."""
    code = (
        "import sys; from bridge.cli.commands import build; build()(['locations', '--help'], standalone_mode=False); "
        f"sys.exit(bool(set({HEAVY!r}) & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, cwd=ROOT).returncode == 0


@pytest.mark.parametrize(("typed", "offered"), [("lo", "locations"), ("locations re", "remove"), ("dead-letters ", "replay")])
def test_the_shell_completes(bare: Run, typed: str, offered: str) -> None:
    """The completion contains commands and their subcommands, as bash requests them."""
    words = f"ghl-bridge {typed}"
    asked = {"_GHL_BRIDGE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}

    assert offered in bare(**asked).stdout.split()


def test_every_change_tells_a_document_too(run: Run, redis: Redis) -> None:
    """Standard output is one JSON document and nothing else."""
    run("locations", "apply", "-", stdin=FILE)
    for words in (
        ["locations", "apply", "-"],
        ["locations", "pause", "One"],
        ["locations", "resume", "One"],
        ["locations", "remove", "Two"],
        ["locations", "template"],
        ["conversations", "pause", "c1", "--new"],
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


def test_elsewhere_a_table_is_one_row_a_line_with_tabs(bare: Run, redis: Redis, redis_url: str) -> None:
    """It has no heading, for `cut` and `awk`; every id is complete, no value is in Python's notation, and nothing is markup."""
    environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}
    keep(redis)
    dead = write_dead_letter(redis, 1)
    bare("locations", "apply", "-", stdin=FILE, **environ)

    locations = [line.split("\t") for line in bare("locations", "list", **environ).stdout.splitlines() if "\t" in line]
    (listed,) = bare("dead-letters", "list", **environ).stdout.splitlines()
    shown = dict(line.split("\t") for line in bare("dead-letters", "show", dead, **environ).stdout.splitlines() if "\t" in line)

    assert {row[0] for row in locations} == {"One", "Two", "here"}
    assert {len(row) for row in locations} == {7}
    assert "[bold]Acme Dental of Springfield and Surroundings[/bold]" in {row[1] for row in locations}
    assert listed.split("\t")[0] == dead
    assert shown["id"] == dead
    assert not any(value.startswith(("(", "[")) for value in shown.values())


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_on_a_terminal_ids_do_not_fold(bare: Run, redis: Redis, redis_url: str, columns: str) -> None:
    """However narrow the terminal, an id is in one piece for copying; words wrap instead."""
    environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}
    keep(redis)
    dead = write_dead_letter(redis, 1)
    name = "A name of so many words that they cannot stand in one line of eighty"
    bare("locations", "apply", "-", stdin=f"{PROVIDED_TOML}[locations.ve9EPM428h8vShlRW1KT]\nname = '{name}'", **environ)

    assert "ve9EPM428h8vShlRW1KT" in (said := on_a_terminal("locations", "list", columns=columns, **environ))
    assert (name in said) is (columns == "200")
    assert dead in on_a_terminal("dead-letters", "list", columns=columns, **environ)


@pytest.mark.parametrize(
    "words",
    [["locations", "remove", "One"], ["contacts", "erase", "One", "c2"]],
    ids=" ".join,
)
def test_what_cannot_be_undone_asks_on_a_terminal(run: Run, redis: Redis, redis_url: str, words: list[str]) -> None:
    """Only y or --yes does it; a script is not asked (its other tests show that)."""
    environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}
    run("locations", "apply", "-", stdin=FILE, **environ)
    accept(redis, message("m1", "c2", "One"))

    refused = on_a_terminal(*words, typed="\n", **environ)
    assert "? [y/N]" in refused
    assert "nothing was changed" in refused
    assert run("conversations", "show", "c2", **environ).returncode == 0
    assert run("locations", "show", "One", **environ).returncode == 0
    assert "[y/N]" in (done := on_a_terminal(*words, typed="y\n", **environ))
    assert "nothing was changed" not in done
    assert run(*words, **environ).returncode == 2


def test_a_pause_of_an_id_that_was_never_seen_needs_new(run: Run) -> None:
    """A typing error is refused and pauses nobody; `--new` is for a contact that has not written yet."""
    refused = run("conversations", "pause", "TYPO")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "TYPO is not known here yet" in refused.stderr
    assert "--new" in refused.stderr
    assert run("conversations", "resume", "TYPO").returncode == 2
    assert run("conversations", "pause", "TYPO", "--new").returncode == 0
    assert run("conversations", "resume", "TYPO").returncode == 0


def test_colours_are_for_terminals(bare: Run, tmp_path: Path) -> None:
    """Terminals get colours, unless they are switched off; pipes get none."""
    asked = {"GHL_API_URL": "http://127.0.0.1:1", "BRIDGE_DATA_DIR": str(tmp_path)}

    assert "\x1b[1;31mPROBLEM" in on_a_terminal("doctor", **asked)
    assert "\x1b[" not in bare("doctor", **asked).stdout
    plain = on_a_terminal("doctor", NO_COLOR="1", **asked)
    assert "PROBLEM" in plain
    assert "\x1b[1;31m" not in plain
    assert "\x1b[32m" not in plain


def test_who_looks_on_sees_progress(bare: Run, redis: Redis, redis_url: str) -> None:
    """A terminal shows a bar or the current step; a pipe gets only the result."""
    environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY}
    text = f"{PROVIDED_TOML}[locations.here]\ndebounce_seconds = 0\n[locations.there]\ndebounce_seconds = 0"
    bare("locations", "apply", "-", **environ, stdin=text)
    for number in range(3):
        write_dead_letter(redis, number)
    watched = on_a_terminal("dead-letters", "replay", "--all", "--dry-run", **environ)
    assert "replaying" in watched
    assert "100%" in watched
    assert "3 dead letter(s)" in watched
    assert "sweeping" in on_a_terminal("reconcile", **environ)
    assert "erasing c1" in on_a_terminal("contacts", "erase", "here", "c1", "--yes", **environ)
    assert "replaying" not in bare("dead-letters", "replay", "--all", "--dry-run", **environ).stderr
    swept = bare("reconcile", **environ)
    assert "sweeping" not in swept.stdout + swept.stderr
    assert (swept.returncode, swept.stderr.count("message(s) found")) == (1, 2)
