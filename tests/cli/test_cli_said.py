"""`ghl-bridge dead-letters show ID --said`: the service's error text, on demand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.keys import key
from tests.operating.test_operating_dead_letters import write_dead_letter
from tests.stored import FERNET_KEY, keep

if TYPE_CHECKING:
    from redis import Redis

    from tests.cli.conftest import Run

SAID = "The model [bold]gpt-9[/bold] does not exist"
WITH_KEY = {"BRIDGE_SECRET_KEY": FERNET_KEY}


def test_it_is_shown_only_when_it_is_asked_for(run: Run, redis: Redis) -> None:
    """It is the original text with its source; in JSON it is beside the dead letter's fields; each request is audited."""
    keep(redis)
    id_ = write_dead_letter(redis, 1, said=SAID)

    without = run("dead-letters", "show", id_, **WITH_KEY)
    shown = run("dead-letters", "show", id_, "--said", **WITH_KEY)
    document = json.loads(run("dead-letters", "show", id_, "--said", "--json", **WITH_KEY).stdout)

    assert (without.returncode, SAID in without.stdout) == (0, False)
    assert (shown.returncode, SAID in shown.stdout, "assistable said" in shown.stdout) == (0, True, True)
    assert (document["id"], document["said"]["text"]) == (id_, SAID)
    assert str(redis.zrange(key("audit"), 0, -1)).count("excerpts.text") == 2


def test_without_a_word_of_the_service_that_is_said(run: Run, redis: Redis) -> None:
    """The exit code is 2, with a sentence."""
    keep(redis)
    done = run("dead-letters", "show", write_dead_letter(redis, 1), "--said", **WITH_KEY)
    assert (done.returncode, "no error text is stored" in done.stderr) == (2, True)


def test_it_can_be_switched_off(run: Run, redis: Redis) -> None:
    """If texts are switched off, the command line shows none, and names the setting."""
    keep(redis)
    done = run("dead-letters", "show", write_dead_letter(redis, 1, said=SAID), "--said", BRIDGE_CONSOLE_SHOW_TEXT="0", **WITH_KEY)
    assert done.returncode != 0
    assert "BRIDGE_CONSOLE_SHOW_TEXT=0" in done.stderr
    assert "gpt-9" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
