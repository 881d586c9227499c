"""The command line with a remote server: what `BRIDGE_URL` and `BRIDGE_ADMIN_TOKEN` change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bridge.cli import redis_server
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.operating.test_operating_dead_letters import write_dead_letter
from tests.other_side import OtherSide, http
from tests.served import ADMIN_TOKEN, served
from tests.stored import FERNET_KEY, accept, message

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from redis import Redis

    from tests.cli.conftest import Run
    from tests.other_side import Visit

FILE = """
[defaults]
mode = "draft"
assistable = { assistant_id = "a", token = "t" }
[locations.here]
name = "Acme Dental"
ghl_token = { env = "ACME" }
debounce_seconds = 0
[locations.here.assistable]
assistant_id = "assistant-1"
[locations.there]
"""


@pytest.fixture(scope="module")
def url(redis_url: str) -> Iterator[str]:
    """A server with an admin API."""
    with served(redis_url) as url:
        yield url


@pytest.fixture
def elsewhere(bare: Run, url: str, redis: Redis) -> Run:
    """The command line with that server, without its own Redis."""
    del redis

    def run(*arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        return bare(*arguments, stdin=stdin, **{"BRIDGE_URL": url, "BRIDGE_ADMIN_TOKEN": ADMIN_TOKEN, **environ})

    return run


@pytest.fixture
def here(bare: Run, redis_url: str) -> Run:
    """The command line with the Redis of that server."""

    def run(*arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        return bare(*arguments, stdin=stdin, **{"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, **environ})

    return run


READING = (
    ["locations", "list"],
    ["locations", "list", "--json"],
    ["locations", "show", "here"],
    ["locations", "show", "here", "--json"],
    ["locations", "show", "Nobody"],
    ["dead-letters", "list"],
    ["dead-letters", "list", "--json"],
    ["dead-letters", "list", "--location", "there"],
    ["dead-letters", "show", "Nobody"],
    ["dead-letters", "replay", "--all", "--dry-run"],
    ["explain", "m1"],
    ["explain", "m1", "--json"],
    ["conversations", "show", "contact"],
    ["conversations", "show", "contact", "--json"],
    ["conversations", "show", "Nobody"],
    ["conversations", "handovers"],
    ["conversations", "handovers", "--json"],
    ["contacts", "show", "here", "contact"],
    ["contacts", "show", "here", "contact", "--json"],
    ["contacts", "show", "here", "Nobody"],
)


def test_reading_says_the_same_on_both_ways(here: Run, elsewhere: Run, redis: Redis) -> None:
    """Output and exit codes are the same, as text and as JSON."""
    assert elsewhere("locations", "apply", "-", stdin=FILE, ACME="pit-very-secret").returncode == 0
    accept(redis, message("m1"))
    dead_letter = write_dead_letter(redis, 2)
    # "2 days ago" stays so while the commands run.
    redis.hset(key("location", "here"), "last_event_at", now_ms(redis) - 50 * 3600 * 1000)
    for words in (*READING, ["dead-letters", "show", dead_letter], ["dead-letters", "show", dead_letter, "--json"]):
        one, other = here(*words), elsewhere(*words)
        assert (one.returncode, one.stdout, one.stderr) == (other.returncode, other.stdout, other.stderr), words


CHANGING = (
    ["locations", "apply", "-"],
    ["locations", "pause", "here"],
    ["locations", "pause", "Nobody"],
    ["locations", "resume", "here"],
    ["locations", "remove", "there"],
    ["locations", "remove", "there"],
    ["locations", "apply", "-", "--prune"],
    ["dead-letters", "drop", "Nobody"],
    ["dead-letters", "replay"],
    ["conversations", "pause", "contact"],
    ["conversations", "pause", "contact", "--new"],
    ["conversations", "pause", "contact", "--new", "--json"],
    ["conversations", "resume", "contact"],
    ["conversations", "resume", "Nobody"],
    ["contacts", "allow", "here", "contact"],
    ["contacts", "allow", "nowhere", "contact"],
)


def test_changing_says_the_same_on_both_ways(here: Run, elsewhere: Run, redis: Redis) -> None:
    """A change has the same effect and output."""
    said = []
    for run in (here, elsewhere):
        redis.flushall()
        done = [run(*words, stdin=FILE, ACME="pit") for words in CHANGING]
        said.append([(each.returncode, each.stdout, each.stderr) for each in done])
    assert said[0] == said[1]
    assert [code for code, _, _ in said[0]] == [0, 0, 2, 0, 0, 2, 0, 2, 2, 2, 0, 0, 0, 2, 0, 2]


def test_variables_are_those_of_the_command_line(elsewhere: Run) -> None:
    """`{ env = }` is resolved on the machine of the file, and an unset variable is named; nothing was changed then."""
    unset = elsewhere("locations", "apply", "-", stdin=FILE)

    assert (unset.returncode, unset.stdout) == (2, "")
    assert "ACME" in unset.stderr
    assert json.loads(elsewhere("locations", "list", "--json").stdout) == []


def test_a_changed_token_ends_a_hold_elsewhere_too(elsewhere: Run, redis: Redis) -> None:
    """The server's result is printed here."""
    elsewhere("locations", "apply", "-", stdin=FILE, ACME="pit-1")
    redis.hset(key("location", "here"), mapping={"hold": 1, "hold_why": "ghl"})

    assert "no longer on hold" in elsewhere("locations", "apply", "-", stdin=FILE, ACME="pit-2").stdout


def test_without_a_token_nothing_is_asked(elsewhere: Run) -> None:
    """The exit code is 78, and the error names the setting."""
    done = elsewhere("locations", "list", BRIDGE_ADMIN_TOKEN="")

    assert (done.returncode, done.stdout) == (78, "")
    assert "BRIDGE_ADMIN_TOKEN" in done.stderr


def test_a_wrong_token_is_a_wrong_setting(elsewhere: Run) -> None:
    """The exit code is 78; neither token is printed."""
    done = elsewhere("locations", "list", BRIDGE_ADMIN_TOKEN="wrong-one")

    assert (done.returncode, done.stdout) == (78, "")
    assert "BRIDGE_ADMIN_TOKEN" in done.stderr
    assert "wrong-one" not in done.stderr


def test_a_server_without_admin_api_is_a_wrong_setting(elsewhere: Run, redis_url: str) -> None:
    """The exit code is 78: the server has no admin token."""
    with served(redis_url, BRIDGE_ADMIN_TOKEN="") as closed:
        done = elsewhere("locations", "list", BRIDGE_URL=closed)

    assert done.returncode == 78
    assert "disabled" in done.stderr


def test_a_server_that_is_not_there_is_said_in_a_sentence(elsewhere: Run) -> None:
    """The exit code is 1, with one line and no traceback."""
    done = elsewhere("locations", "list", "--json", BRIDGE_URL=f"http://127.0.0.1:{redis_server.free_port()}")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "BRIDGE_URL" in done.stderr


ANSWERS = {
    "a page of somebody else": http(200, {"hello": "world"}),
    "no JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "an error of a proxy": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\n<p/>",
    "a redirect": b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
    "a cut answer": b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_of_another_form_is_said_in_a_sentence(elsewhere: Run, answer: bytes) -> None:
    """The exit code is 1, with one line and no traceback, because BRIDGE_URL may be any server."""

    def serve(visit: Visit) -> None:
        while visit.request():
            visit.send(answer)
            if answer == ANSWERS["a cut answer"]:
                return

    with OtherSide(serve) as side:
        done = elsewhere("locations", "list", BRIDGE_URL=side.url)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
