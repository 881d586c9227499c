"""The admin API follows its own OpenAPI document for any request."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.operating.test_operating_dead_letters import write_dead_letter
from tests.served import ADMIN_TOKEN, served
from tests.stored import accept, keep, message

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

# 422: of the right form, and yet refused (a time zone that is none). Wrong tokens have a test of their own, and a limit.
CONFIG = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", 404, 422]
ignored_auth.enabled = false
"""


@pytest.mark.timeout(600)
def test_every_answer_is_as_the_document_says(redis_url: str, redis: Redis, tmp_path: Path) -> None:
    """Schemathesis finds no answer of another format, no server error, and nothing accepted or refused wrongly."""
    keep(redis)
    accept(redis, message("m1"))
    write_dead_letter(redis, 2)
    (tmp_path / "schemathesis.toml").write_text(CONFIG, encoding="utf-8")
    with served(redis_url) as url:
        options = ["--max-examples", "15", "--seed", "1", "--phases", "examples,coverage,fuzzing", "--no-color"]
        command = [*("-m", "schemathesis.cli", "run", f"{url}/api/v1/openapi.json"), "-H", f"Authorization: Bearer {ADMIN_TOKEN}"]
        done = subprocess.run(
            [sys.executable, *command, *options, "--generation-database", "none"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
