"""Processes that can't work refuse to start, and say what to set."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from tests.keys import key
from tests.story.machine import clean_environment

if TYPE_CHECKING:
    from tests.story.machine import Machine

WEB = (sys.executable, "-m", "bridge.receiver")
WORKER = (str(Path(sys.executable).parent / "celery"), "-A", "workers", "worker")
NOWHERE = "redis://127.0.0.1:1"


def start(command: tuple[str, ...], **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a process that is expected to end by itself."""
    given = {**clean_environment(os.environ), **environ}
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", [WEB, WORKER], ids=["web", "worker"])
def test_a_wrong_or_missing_setting_ends_the_process_with_78(command: tuple[str, ...]) -> None:
    """There is one sentence on standard error that names the setting, no traceback, and nothing on standard output."""
    key = Fernet.generate_key().decode()
    cases: dict[str, dict[str, str]] = {
        "REDIS_URL": {},
        "WORKER_CONCURRENCY": {"REDIS_URL": NOWHERE, "WORKER_CONCURRENCY": "many"},
        "BRIDGE_SECRET_KEY": {"REDIS_URL": NOWHERE, "BRIDGE_SECRET_KEY": "short"},
        "GHL_WEBHOOK_KEYS": {"REDIS_URL": NOWHERE, "BRIDGE_SECRET_KEY": key, "GHL_WEBHOOK_KEYS": "/nonexistent.pem"},
    }

    with ThreadPoolExecutor(len(cases)) as pool:
        ended = dict(zip(cases, pool.map(lambda environ: start(command, **environ), cases.values()), strict=True))

    for name, done in ended.items():
        assert (done.returncode, done.stdout) == (78, ""), name
        assert name in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_worker_names_its_own_settings() -> None:
    """Without a key it can't decrypt tokens, and an unknown kind of broker is found before it connects."""
    key = Fernet.generate_key().decode()

    no_key = start(WORKER, REDIS_URL=NOWHERE)
    no_broker = start(WORKER, REDIS_URL=NOWHERE, BRIDGE_SECRET_KEY=key, BROKER_URL="pigeon://:hidden@coop")

    assert (no_key.returncode, no_broker.returncode) == (78, 78)
    assert "BRIDGE_SECRET_KEY" in no_key.stderr
    assert "BROKER_URL" in no_broker.stderr
    assert "Traceback" not in no_key.stderr + no_broker.stderr
    assert "hidden" not in no_broker.stderr


def test_doctor_finds_nothing_wrong_where_nothing_is(machine: Machine) -> None:
    """With everything running and set, it exits 0 and has an ok line for every item."""
    done = machine.cli("doctor", "--location", "Plain")

    assert done.returncode == 0, done.stdout
    assert "PROBLEM" not in done.stdout
    assert all(name in done.stdout for name in ("Redis", "durability", "workers", "broker", "GHL", "location Plain provider"))


def test_doctor_says_when_nobody_works(machine: Machine) -> None:
    """Without a live worker there is a problem with the command to start one."""
    machine.kill("worker")
    machine.redis.delete(key("workers"))

    done = machine.cli("doctor")

    assert done.returncode == 1
    assert "celery -A workers worker" in done.stdout


def test_doctor_says_when_a_202_would_not_be_kept(machine: Machine) -> None:
    """A Redis without the append-only file synced on every write is a problem with what to set, also in readyz."""
    machine.redis.config_set("appendfsync", "everysec")
    try:
        done = machine.cli("doctor")
        ready = machine.ready()
    finally:
        machine.redis.config_set("appendfsync", "always")

    assert done.returncode == 1
    assert "appendfsync always" in done.stdout
    assert ready["durability"]["complete"] is False
    assert machine.ready()["durability"] == {"complete": True, "missing": []}


def test_explain_in_words_tells_the_story(machine: Machine) -> None:
    """It is for people: the outcome, every step with its time, and no text of the message."""
    ana = machine.person("Plain")
    said = ana.says("Nobody else should read this")
    ana.settles(said)

    done = machine.cli("explain", said["message_id"])

    assert done.returncode == 0
    steps = ("replied", "accepted", "asking", "answered", "sending", "sent", "trace")
    assert [step in done.stdout for step in steps] == [True] * len(steps)
    assert "Nobody else" not in done.stdout
