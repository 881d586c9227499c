"""`ghl-bridge demo` and `ghl-bridge up`: one command starts everything, and everything ends with it."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.data_folder import COMMAND, Folder, data_folder
from tests.story.machine import poll

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with data_folder(tmp_path / "data") as folder:
        yield folder


def test_the_demo_shows_one_reply_and_stops(folder: Folder) -> None:
    """`demo --once` exits 0 after printing the sandbox URL, the reply and `replied`; no process is left.

    Whatever the environment names, the demo's Redis, tokens and services are its own.
    """
    real = {"REDIS_URL": "redis://127.0.0.1:1", "GHL_API_URL": "http://127.0.0.1:1", "ASSISTABLE_URL": "http://127.0.0.1:1"}
    folder.environ.update(real, BRIDGE_SECRET_KEY="wrong", BRIDGE_RETRY_DELAYS="nonsense", GHL_APP_ID="another")

    done = folder.run("demo", "--once")

    assert done.returncode == 0, done.stderr
    assert re.search(r"http://127\.0\.0\.1:\d+/", done.stdout)
    assert 'You said: "Hi! Do you have an appointment free on Friday?"' in done.stdout
    assert "replied" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert folder.processes() == []


def test_the_demo_stays_up_and_takes_its_processes_along(folder: Folder) -> None:
    """Without `--once` the page works and a second message is answered; after kill -9 of the parent no process is left.

    Slow: the whole demo starts, and its processes notice that their parent is gone.
    """
    process = folder.start("demo")
    url = re.search(r"http://127\.0\.0\.1:\d+", folder.says("Ctrl-C stops everything"))
    assert url

    said: dict[str, Any] = httpx.post(f"{url[0]}/_sim/say", json={"text": "And on Monday?"}, trust_env=False).json()
    assert "<html" in httpx.get(f"{url[0]}/", trust_env=False).text
    poll("a second reply", lambda: _replies(url[0], said["contact_id"]))
    # A command in another terminal finds the state without any setting.
    told = json.loads(folder.run("explain", said["message_id"], "--json").stdout)
    assert told["messages"][0]["message_id"] == said["message_id"]

    if sys.platform == "linux":
        assert len(folder.processes()) >= 5
        process.kill()
        process.wait(10)
        poll("an end of all processes", lambda: not folder.processes(), seconds=10, told=folder.processes)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_the_demo_kills_its_worker_when_the_page_asks(folder: Folder) -> None:
    """A worker that the sandbox page has killed is restarted, and messages from the time between are answered once."""
    folder.start("demo")
    url = re.search(r"http://127\.0\.0\.1:\d+", folder.says("Ctrl-C stops everything"))
    assert url
    before = _workers(folder)

    said: dict[str, Any] = httpx.post(f"{url[0]}/_sim/say", json={"text": "And on Monday?"}, trust_env=False).json()
    killed = httpx.post(f"{url[0]}/_sim/kills", json={"process": "worker"}, trust_env=False)
    assert killed.json() == {"kills": {"worker": 1}}

    poll("another worker", lambda: _workers(folder) and not _workers(folder) & before)
    poll("a reply", lambda: _replies(url[0], said["contact_id"]), seconds=40)
    assert len(_replies(url[0], said["contact_id"])) == 1


def _workers(folder: Folder) -> set[str]:
    """The process ids of this folder's workers."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            mine = str(folder.path).encode() in (entry / "environ").read_bytes()
            if mine and b"\0celery\0" in (entry / "cmdline").read_bytes():
                found.add(entry.name)
    return found


def test_up_runs_what_production_needs_and_keeps_what_waits(folder: Folder) -> None:
    """`up` starts Redis, receiver and worker; stopped and started again, locations and secrets are still there.

    Slow: all processes start and stop twice, and each command is a process too.
    """
    process = folder.start("up", BRIDGE_LOG_FORMAT="text")
    folder.says("webhooks/ghl")
    ready = httpx.get(f"http://127.0.0.1:{folder.environ['PORT']}/readyz", trust_env=False).json()
    assert (ready["workers"], ready["durability"]["complete"]) == (1, True)
    applied = subprocess.run(
        [COMMAND, "locations", "apply", "-"],
        env=folder.environ,
        input="[locations.Kept]\nmode = 'off'",
        text=True,
        capture_output=True,
        check=True,
    )
    assert "applied Kept" in applied.stdout

    second = folder.run("up")
    assert second.returncode == 1
    assert "another ghl-bridge runs in" in second.stderr
    assert second.stderr.count("\n") == 1

    process.send_signal(signal.SIGINT)
    assert process.wait(40) == 0
    assert folder.processes() == []
    folder.said.write_text("")
    again = folder.start("up")
    folder.says("webhooks/ghl")
    assert [each["id"] for each in json.loads(folder.run("locations", "list", "--json").stdout)] == ["Kept"]
    again.send_signal(signal.SIGTERM)
    assert again.wait(40) == 0


def test_up_does_not_start_where_its_port_is_in_use(folder: Folder) -> None:
    """It prints a sentence with what to set, exits 1 and leaves no process."""
    with socket.create_server(("0.0.0.0", int(folder.environ["PORT"]))):  # noqa: S104 - where the receiver would listen
        began = time.monotonic()
        done = folder.run("up")

    assert done.returncode == 1
    assert "is in use" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 40
    assert folder.processes() == []


def _replies(url: str, contact_id: str) -> list[str]:
    counts = httpx.get(f"{url}/_sim/counts", trust_env=False).json()
    replies: list[str] = counts["posts"]["by_contact"].get(contact_id, [])
    return replies


def test_doctor_has_nothing_to_say_beside_the_demo(folder: Folder) -> None:
    """A healthy install has no problem and no note: every line of doctor's output is ok, and it exits 0."""
    folder.start("demo")
    folder.says("Ctrl-C stops everything")

    done = folder.run("doctor")

    assert done.returncode == 0, done.stdout
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"ok"}, done.stdout
    assert done.stdout.count(" provider: ") == 5
