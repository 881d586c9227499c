"""`ghl-bridge backup`: a copy of a Redis that writes and rewrites meanwhile, and the errors without one."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from redis import RedisError

from bridge.cli import redis_data, redis_server, redis_start
from bridge.cli.processes import Processes
from bridge.store.redis.connection import connect
from tests import torn_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run

# What a script writes stands in the file as one block: a copy has all of it or nothing.
WRITE = """
local number = redis.call('INCR', 'number')
redis.call('SET', 'same', number)
redis.call('SET', 'fill' .. number % 50, string.rep('x', 20000))
return number
"""
COPIES = 3


@contextmanager
def written_to(url: str) -> Iterator[list[int]]:
    """Write without a pause, and rewrite the file again and again; yields the acknowledged writes."""
    acknowledged, over = [0], Event()

    def write() -> None:
        with connect(url) as redis:
            while not over.is_set():
                acknowledged[0] = int(redis.eval(WRITE, 0))
                with suppress(RedisError):  # one is under way
                    redis.bgrewriteaof()

    thread = Thread(target=write)
    thread.start()
    try:
        yield acknowledged
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("maker", torn_file.SERVERS)
def test_a_copy_made_while_redis_writes_and_rewrites_starts(maker: str, bare: Run, tmp_path: Path) -> None:
    """It has all writes acknowledged before, each script's record completely or not at all, and Redis continues undisturbed."""
    program = torn_file.program(maker)
    with redis_server.running(tmp_path / "redis", program=program) as url, written_to(url) as acknowledged:
        for copy in range(COPIES):
            before = acknowledged[0]
            done = bare("backup", str(tmp_path / f"copy {copy}"), "--json", REDIS_URL=url)
            assert (done.returncode, done.stderr) == (0, "")
            told = json.loads(done.stdout)
            assert told["server"].startswith(f"{maker} ")
            with redis_server.running(tmp_path / f"copy {copy}", program=program) as its_url, connect(its_url) as redis:
                number, same = (int(str(redis.get(name) or 0)) for name in ("number", "same"))
                assert number == same
                assert number >= before
                assert redis.dbsize() >= told["keys"] - 1
        with connect(url) as redis:
            assert redis.config_get("auto-aof-rewrite-percentage") == {"auto-aof-rewrite-percentage": "100"}
    assert sorted(each.name for each in tmp_path.iterdir() if each.name.startswith(".")) == []


def test_another_server_may_try_the_copy(bare: Run, tmp_path: Path) -> None:
    """If Redis runs in another container, the package's server tests the copy; the original server can still read it."""
    program = torn_file.program("Redis")
    own = tmp_path / "redis-server"
    own.symlink_to(program)
    with redis_server.running(tmp_path / "redis", program=own) as url, connect(url) as redis:
        redis.set("kept", "yes")
        own.unlink()
        done = bare("backup", str(tmp_path / "copy"), "--json", REDIS_URL=url, PATH="")
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["server"].startswith("Valkey ")
    with redis_server.running(tmp_path / "copy", program=program) as url, connect(url) as redis:
        assert redis.get("kept") == "yes"


def test_a_copy_is_restored_where_up_keeps_its_data(bare: Run, tmp_path: Path) -> None:
    """Copied to the data folder, as the guide says, `up` starts with it, and the copy is unchanged."""
    with redis_server.running(tmp_path / "redis") as url, connect(url) as redis:
        redis.set("kept", "yes")
        assert bare("backup", str(tmp_path / "copy"), REDIS_URL=url).returncode == 0
        redis.set("later", "yes")
    shutil.copytree(tmp_path / "copy", tmp_path / "restored")
    before = {each: each.read_bytes() for each in (tmp_path / "copy").rglob("*.*") if each.is_file()}
    folder = tmp_path / "restored"
    with Processes(tmp_path / "logs") as processes, connect(redis_start.start(processes, folder, os.environ)) as redis:
        assert redis.mget("kept", "later") == ["yes", None]
    assert {each: each.read_bytes() for each in before} == before


def test_files_that_are_not_here_are_named(bare: Run, tmp_path: Path) -> None:
    """Without the files on this machine, the error says where they are and what to do with a hosted Redis."""
    with redis_server.running(tmp_path / "redis") as url:
        shutil.move(tmp_path / "redis" / redis_data.MANY_FILES, tmp_path / "elsewhere")
        done = bare("backup", str(tmp_path / "copy"), REDIS_URL=url)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{tmp_path}/redis, are not on this machine" in done.stderr
    assert "the provider's snapshots" in done.stderr
    assert not (tmp_path / "copy").exists()


def test_a_cluster_is_refused_in_words(bare: Run, tmp_path: Path) -> None:
    """Its nodes can't be copied at one moment: the error says what to do instead, without asking any of them."""
    nodes = "127.0.0.1:1,127.0.0.1:2"
    done = bare("backup", str(tmp_path / "copy"), REDIS_URL=f"redis+cluster://{nodes}", BROKER_URL="redis://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "names a cluster, whose nodes can't be copied together: copy each node's files" in done.stderr
    assert not (tmp_path / "copy").exists()


def test_files_of_another_redis_are_no_copy(bare: Run, tmp_path: Path) -> None:
    """A folder of the same name that another Redis wrote (a container's /data, say) is recognised by what it lacks."""
    with redis_server.running(tmp_path / "other") as url, connect(url) as redis:
        redis.set("of", "another")
    with redis_server.running(tmp_path / "redis") as url:
        shutil.rmtree(tmp_path / "redis" / redis_data.MANY_FILES)
        shutil.copytree(tmp_path / "other" / redis_data.MANY_FILES, tmp_path / "redis" / redis_data.MANY_FILES)
        done = bare("backup", str(tmp_path / "copy"), REDIS_URL=url)
    assert done.returncode == 1
    assert "do not belong to the Redis of REDIS_URL" in done.stderr
    assert not (tmp_path / "copy").exists()


def test_a_redis_that_does_not_tell_where_its_files_are(bare: Run, tmp_path: Path) -> None:
    """If CONFIG is forbidden, as in hosted services, the error says so and what to do instead."""
    with redis_server.running(tmp_path / "redis") as url:
        with connect(url) as redis:
            redis.acl_setuser("app", enabled=True, passwords=["+p"], keys=["*"], commands=["+@all", "-@dangerous"])
        named = f"redis://app:p@{url.rpartition('@')[2]}"
        done = bare("backup", str(tmp_path / "copy"), REDIS_URL=named)
    assert done.returncode == 1
    assert "the provider's snapshots" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_holds_something_is_left_alone(bare: Run, tmp_path: Path) -> None:
    """A target folder with files, or a server on another machine, is refused with a sentence before anything is done."""
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "kept").touch()
    full = bare("backup", str(tmp_path / "copy"), REDIS_URL="redis://127.0.0.1:1")
    assert (full.returncode, "empty or new" in full.stderr) == (2, True)
    remote = bare("backup", str(tmp_path / "new"), BRIDGE_URL="http://127.0.0.1:1", BRIDGE_ADMIN_TOKEN="token")
    assert (remote.returncode, "on Redis' machine" in remote.stderr) == (1, True)
    assert [each.name for each in (tmp_path / "copy").iterdir()] == ["kept"]
    for name, code in (("x" * 300, 2), ("copy/kept", 2), ("copy/kept/below", 1)):
        wrong = bare("backup", str(tmp_path / name), REDIS_URL="redis://127.0.0.1:1")
        assert (wrong.returncode, wrong.stderr.count("\n"), "Traceback" in wrong.stderr) == (code, 1, False), wrong.stderr
