"""The commands in the documents exist with their options, and those that can run here are run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import typer

from bridge.cli import redis_server
from bridge.cli.commands import build
from bridge.settings import Settings
from bridge.simulator.options import GHL_TOKEN, LOCATION_ID
from tests.infra.told import DOCUMENTS, ROOT, Block, blocks, commands, named, ours
from tests.served import ADMIN_TOKEN
from tests.stored import eventually
from tests.story.machine import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# By the first word of a line: what is not run here, and why. Whatever begins with another word is run.
NOT_RUN = {
    "make": "this very test is started by it, and .ci/run runs check, demo, bench and test",
    "git": "fetches from, or sends to, places that aren't here",
    "cp": "fills in the file that docker compose reads: test_compose_reads_its_file does that elsewhere",
    "docker": "there is no Docker daemon: the image's steps run in test_infra_image, the compose file is read by docker-compose",
    "$EDITOR": "a person writes there",
    "apt-get": "as root, on a machine of its own",
    "cd": "as root; test_infra_image runs both scripts",
    "install": "as root; test_infra_hosts looks at the units, test_infra_compose starts Redis and Caddy with these files",
    "printf": "needs a running systemd",
    "systemctl": "needs a running systemd",
    "heroku": "needs an account there",
    ".venv/bin/python": "writes into the sources; test_this_version_can_leave_its_state_to_the_next does the same elsewhere",
    "dmesg": "reads what this machine's kernel said",
    "redis-cli": "changes the Redis of the machine; test_the_redis_keeps_what_it_acknowledges starts one with these settings",
}
# Stay until Ctrl-C: the fixture starts them as the README does.
STAY = {"simulator", "up"}
COMMAND_LINE: Any = typer.main.get_command(build())
BLOCKS = tuple(blocks())
# What the documents name and nobody finds in a clone, since it is made when it is needed.
MADE = {"infra/docker/.env", "infra/bench/results.md", "bridge/completion/acme.py", "tests/completion/test_acme.py"}


def runnable() -> dict[str, str]:
    """Each script to run, and its first place; a script in several places runs once."""
    found: dict[str, str] = {}
    for block in BLOCKS:
        lines = [line for line in block.lines if commands(line)[0][0] not in NOT_RUN]
        if lines and not stays(block):
            found.setdefault("\n".join(lines), block.where)
    return found


def stays(block: Block) -> bool:
    """Whether the processes of a block keep running."""
    return any(STAY & set(ours(words) or ()) for line in block.lines for words in commands(line))


def starts(line: str, name: str) -> bool:
    """Whether a line runs this command of the project."""
    return any((ours(words) or [""])[0] == name for words in commands(line))


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command for these words, and the remaining words. An unknown command fails."""
    command, rest = COMMAND_LINE, list(words)
    while rest and hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    return command, rest


def leaves(command: Any, *names: str) -> Iterator[tuple[str, ...]]:
    """The names of every command of the command line."""
    for name, each in command.commands.items():
        if hasattr(each, "commands"):
            yield from leaves(each, *names, name)
        else:
            yield (*names, name)


IN_FENCES = sorted(
    {" ".join(words) for block in BLOCKS for line in block.lines for each in commands(line) if (words := ours(each)) is not None}
)
IN_SENTENCES = sorted({text for text in named() if re.match(r"(\.venv/bin/)?ghl-bridge [a-z]", text)})


@pytest.mark.parametrize("told", IN_FENCES)
def test_a_command_to_be_typed_is_one_of_the_command_line(told: str) -> None:
    """It exists and has these options, and no required argument is missing."""
    command, rest = command_of(told.split())
    with command.make_context(told, rest):
        pass


@pytest.mark.parametrize("told", IN_SENTENCES)
def test_a_command_that_a_sentence_names_exists_with_its_options(told: str) -> None:
    """Arguments may be missing there, but all names must exist."""
    command, rest = command_of(ours(told.split()) or [])
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in rest if word.startswith("-") and len(word) > 1} <= options


def test_every_command_stands_in_the_readme() -> None:
    """README's table of commands names each one."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Commands\n")[2].partition("\n##")[0]
    told = " ".join(re.findall(r"^\| `.*?\|(?= [^|]*\|$)", section.replace(r"\|", "or"), re.MULTILINE))
    missing = [
        names for names in leaves(COMMAND_LINE) if not re.search(rf"\b{names[0]}\b[^·]*?\b{names[-1]}\b|`{names[-1]}\b", told)
    ]
    assert missing == []


def test_what_is_to_be_made_or_started_is_there() -> None:
    """Targets of `make`, files in the project's folders, and our modules in the documents exist."""
    everything = "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    typed = [*named(), *(line for block in BLOCKS for line in block.lines)]
    made = [words for text in typed if text.startswith("make ") for words in commands(text) if words[0] == "make"]
    targets = {word for words in made for word in words[1:] if "=" not in word}
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert targets <= known
    paths = {
        path for text in typed for path in re.findall(r"(?:^|[ =])((?:bridge|workers|tests|infra)/[\w./*-]*)(?!:|[\w./*-])", text)
    }
    assert [path for path in sorted(paths - MADE) if not list(ROOT.glob(path.replace("VERSION", "*")))] == []
    modules = set(re.findall(r"python -m ((?:infra|bridge|tests)[\w.]*)", everything))
    assert [module for module in sorted(modules) if find_spec(module) is None] == []


def test_every_setting_that_a_document_names_is_one() -> None:
    """It is a setting of the bridge, or of what is deployed beside it."""
    beside = "".join((ROOT / "infra/docker" / name).read_text(encoding="utf-8") for name in ("compose.yaml", "Caddyfile"))
    known = {str(field.alias) for field in Settings.model_fields.values()} | set(re.findall(r"\{\$?([A-Z_]+)", beside))
    told = {name for document in DOCUMENTS for name in re.findall(r"\bBRIDGE_[A-Z_]+\b", document.read_text(encoding="utf-8"))}
    assert told <= known


def test_every_reason_not_to_run_is_needed() -> None:
    """Each command in the table of exceptions is in a document."""
    assert {commands(line)[0][0] for block in BLOCKS for line in block.lines} >= set(NOT_RUN)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which the README's steps were done, with the simulator as GHL and Assistable."""

    folder: Path
    environ: dict[str, str]
    instead: dict[str, str]

    def type(self, line: str) -> str:
        """A line with its placeholders filled in."""
        for word, value in self.instead.items():
            line = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", value, line)
        return line

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run lines as a shell does."""
        command = ["sh", "-ec", self.type(script)]
        return subprocess.run(command, cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=60, check=False)

    @contextmanager
    def stay(self, line: str) -> Iterator[None]:
        """Run a line that keeps running, and stop it like Ctrl-C."""
        with (
            (self.folder / "said.txt").open("ab") as said,
            subprocess.Popen(
                ["sh", "-c", self.type(line)],  # noqa: S607
                cwd=self.folder,
                env=self.environ,
                stdout=said,
                stderr=said,
                start_new_session=True,
            ) as process,
        ):
            try:
                yield
            finally:
                os.killpg(process.pid, signal.SIGINT)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """README's five steps without GHL: simulator and bridge started, its file applied."""
    folder = tmp_path_factory.mktemp("place")
    install(folder / ".venv/bin")
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    (folder / "locations.toml").write_text(text.replace("ve9EPM428h8vShlRW1KT", LOCATION_ID), encoding="utf-8")
    sim, web = redis_server.free_port(), redis_server.free_port()
    environ = {
        **clean_environment(os.environ),
        "PATH": f"{folder / '.venv/bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PORT": str(web),
        "ACME_GHL_TOKEN": GHL_TOKEN,
        "ACME_ASSISTABLE": "anything",
        "BRIDGE_ADMIN_TOKEN": ADMIN_TOKEN,
        "WORKER_CONCURRENCY": "2",
    }
    instead = {
        "--port 9000": f"--port {sim} --webhook-url http://127.0.0.1:{web}/webhooks/ghl",
        "127.0.0.1:9000": f"127.0.0.1:{sim}",
        "https://YOUR-HOST": f"http://127.0.0.1:{web}",
        "/backups": str(folder / "backups"),
        "RECEIVER": f"127.0.0.1:{web}",
        "BRIDGE_ADMIN_TOKEN=...": f"BRIDGE_ADMIN_TOKEN={ADMIN_TOKEN}",
        "ACME_GHL_TOKEN=pit-...": f"ACME_GHL_TOKEN={GHL_TOKEN}",
        "ID": LOCATION_ID,
        "LOCATION_ID": LOCATION_ID,
        "CONTACT_ID": "contact-1",
        "MESSAGE_OR_CONTACT_ID": "contact-1",
    }
    here = Place(folder, environ, instead)
    lines = iter([line for block in BLOCKS if block.where.startswith("README.md") for line in block.lines])
    # In this order: an `up` before the simulator's line would be the one that talks to the real GHL.
    simulator, up = (next(line for line in lines if starts(line, name)) for name in ("simulator", "up"))
    with here.stay(simulator):
        eventually(lambda: answers(f"http://127.0.0.1:{sim}/_sim/counts"), seconds=30)
        with here.stay(up):
            eventually(lambda: answers(f"http://127.0.0.1:{web}/readyz").get("workers"), seconds=40)
            applied = here.run("ghl-bridge locations apply locations.toml")
            assert applied.returncode == 0, applied.stderr
            # Before the first message: whoever takes the steps reads this then, and sees nothing to worry about.
            healthy = here.run("ghl-bridge doctor")
            assert {line.split()[0] for line in healthy.stdout.splitlines()} == {"ok"}, healthy.stdout
            write(f"http://127.0.0.1:{sim}", "contact-1")
            eventually(lambda: here.run("ghl-bridge explain contact-1").stdout.count("replied"), seconds=60)
            yield here


def install(folder: Path) -> None:
    """Install a `ghl-bridge` that runs these sources."""
    folder.mkdir(parents=True)
    (folder / "ghl-bridge").write_text(f'#!/bin/sh\nexec {sys.executable} -m bridge "$@"\n', encoding="utf-8")
    (folder / "ghl-bridge").chmod(0o755)


def answers(url: str) -> dict[str, Any]:
    """The answer at an address; nothing if nobody answers."""
    try:
        found: dict[str, Any] = httpx.get(url, trust_env=False).json()
    except (httpx.TransportError, ValueError):
        return {}
    return found


def write(simulator: str, contact: str) -> None:
    """Let a contact with the tag of the README's file write."""
    told = {"contact_id": contact, "location_id": LOCATION_ID}
    httpx.post(f"{simulator}/_sim/contacts", json={**told, "tags": ["ai_test"]}, trust_env=False).raise_for_status()
    httpx.post(f"{simulator}/_sim/say", json={**told, "text": "Hello?"}, trust_env=False).raise_for_status()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("script", [pytest.param(script, id=where) for script, where in runnable().items()])
def test_what_is_to_be_typed_works(place: Place, script: str) -> None:
    """After the README's steps, the commands in the documents succeed."""
    programs = {words[0] for line in script.splitlines() for words in commands(line)} - {"export"}
    if missing := [name for name in sorted(programs) if not shutil.which(name, path=place.environ["PATH"]) and "/" not in name]:
        pytest.skip(f"{missing[0]} is not installed")
    done = place.run(script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
