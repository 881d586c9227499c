"""Celery's consumer as the bridge runs it."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.cli import redis_server
from tests.stored import FERNET_KEY, eventually
from workers.consumer import tell_lost_connections_briefly

ROOT = Path(__file__).parents[2]
LOST = (
    ("celery.worker.request", "Couldn't ack 1, reason: gone"),
    ("celery.worker.loops", "Error cleaning up after event loop: gone"),
)


@pytest.mark.parametrize(("name", "said"), LOST)
def test_a_lost_connection_to_the_broker_is_a_warning_without_a_traceback(
    name: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Celery logs a lost connection as an error with its traceback; here it is one line."""
    tell_lost_connections_briefly()
    logging.getLogger(name).error(said, exc_info=ConnectionError("gone"))
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)


def test_any_other_error_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """An error that isn't known to be harmless is logged completely."""
    tell_lost_connections_briefly()
    logging.getLogger("celery.worker.loops").error("something else", exc_info=ValueError("new"))
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info


def test_pauses_before_a_broker_is_tried_again_stay_short(redis_url: str, tmp_path: Path) -> None:
    """Celery would wait up to half a minute; a broker that returns after long is used within five seconds."""
    log = tmp_path / "worker.log"
    nobody = f"redis://127.0.0.1:{redis_server.free_port()}/0"
    given = {"PATH": os.environ["PATH"], "REDIS_URL": redis_url, "BROKER_URL": nobody, "BRIDGE_SECRET_KEY": FERNET_KEY}
    command = [str(Path(sys.executable).parent / "celery"), "-A", "workers", "worker"]
    with log.open("wb") as file, subprocess.Popen(command, env=given, cwd=ROOT, stdout=file, stderr=file) as process:
        try:
            eventually(lambda: len(_pauses(log)) >= 5, seconds=60)
        finally:
            process.kill()
    assert max(_pauses(log)) <= 5


def _pauses(log: Path) -> list[float]:
    return [float(seconds) for seconds in re.findall(r"Trying again in ([\d.]+) second", log.read_text(encoding="utf-8"))]
