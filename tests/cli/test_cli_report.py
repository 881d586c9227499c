"""`ghl-bridge report`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.keys import key
from tests.operating.test_operating_reports import THURSDAY, minute
from tests.stored import FERNET_KEY, keep

if TYPE_CHECKING:
    from redis import Redis

    from tests.cli.conftest import Run

WITH_KEY = {"BRIDGE_SECRET_KEY": FERNET_KEY}


def test_a_report_is_printed(run: Run, redis: Redis) -> None:
    """It is printed as text, CSV or JSON; an impossible period is refused with a sentence."""
    keep(redis, name="Acme")
    at = minute(f"{THURSDAY}T10:00")
    redis.rpush(key("reported"), f"here a {at}", f"here r {at} 9", f"here t {at} gpt|10|20")
    asked = ("report", "--location", "here", "--day", THURSDAY)
    text = run(*asked, **WITH_KEY).stdout
    assert "Acme, 2026-11-23 to 2026-11-29 (UTC)" in text
    assert "1 messages, 1 answered" in text
    assert f"{THURSDAY}\t1\t1" in text
    assert run(*asked, "--csv", **WITH_KEY).stdout.startswith("day,received,answered")
    document = json.loads(run("report", "--day", THURSDAY, "--json", **WITH_KEY).stdout)
    assert (document["total"]["input_tokens"], document["locations"][0]["location_id"]) == (10, "here")
    wrong = run("report", "--period", "year", **WITH_KEY)
    assert (wrong.returncode, "--period: must be" in wrong.stderr) == (2, True)
