"""infra/docker/compose.yaml and its other services: a durable Redis, and Caddy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from bridge.cli import redis_server
from bridge.simulator import keys
from bridge.store.figures.health import missing_durability
from bridge.store.redis.connection import connect
from tests import torn_file
from tests.served import served
from tests.stored import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "infra/docker"
TEXT = (DOCKER / "compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines())
GIVEN = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
START_REDIS = ["sh", str(DOCKER / "redis/start.sh")]
redis_cli = pytest.mark.skipif(not shutil.which("redis-cli"), reason="redis-cli is not installed")
docker_compose = pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")
caddy = pytest.mark.skipif(not shutil.which("caddy"), reason="caddy is not installed")


@docker_compose
def test_compose_reads_its_file(tmp_path: Path) -> None:
    """docker-compose accepts the file, and names the settings that are required."""
    folder = tmp_path / "infra/docker"
    shutil.copytree(DOCKER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    # The version that Debian packages doesn't know of names yet.
    (folder / "compose.yaml").write_text(TEXT.replace("name: ghl-bridge\n", "", 1), encoding="utf-8")
    example = (ROOT / "infra/env.example").read_text(encoding="utf-8")
    command = ["docker-compose", "--file", str(folder / "compose.yaml"), "config"]
    (folder / ".env").write_text(example, encoding="utf-8")
    asked = subprocess.run(command, env=GIVEN, capture_output=True, text=True, check=False)
    assert asked.returncode != 0
    assert "set it in infra/docker/.env" in asked.stderr
    (folder / ".env").write_text(f"{example}\nBRIDGE_HOST=bridge.example.com\nREDIS_PASSWORD=p4ssw0rd\n", encoding="utf-8")
    read = subprocess.run(command, env=GIVEN, capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr
    worker = yaml.safe_load(read.stdout)["services"]["worker"]
    assert worker["environment"]["REDIS_URL"] == "redis://:p4ssw0rd@redis:6379/0"
    assert worker["environment"]["WORKER_CONCURRENCY"] == "200"


def test_compose_starts_the_procfiles_processes() -> None:
    """There is one image with the Procfile's two commands; the receiver's is the default."""
    assert " ".join(SERVICES["worker"]["command"]) == PROCFILE["worker"]
    assert "command" not in SERVICES["web"]
    dockerfile = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
    assert f"CMD {json.dumps(PROCFILE['web'].split())}" in dockerfile
    assert SERVICES["web"]["image"] == SERVICES["worker"]["image"]


def test_only_caddy_is_reached_from_outside() -> None:
    """Only Caddy publishes a port, and only receiver and worker share a network with Redis, which has no way out."""
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    with_redis = {name for name, service in SERVICES.items() if "state" in service["networks"]}
    assert with_redis == {"web", "worker", "redis"}
    assert SERVICES["redis"]["networks"] == ["state"]
    assert yaml.safe_load(TEXT)["networks"]["state"] == {"internal": True}


def test_the_bridges_containers_have_no_rights() -> None:
    """Their file systems are read-only, they gain no rights, and have time for an orderly stop."""
    for name in ("web", "worker"):
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
        assert SERVICES[name]["stop_grace_period"] == "30s"


@contextmanager
def started_as_in_the_image(folder: Path, server: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """start.sh with this server, and the URL it answers at; it is told to stop at the end."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    entrypoint = programs / "docker-entrypoint.sh"
    entrypoint.write_text('#!/bin/sh\nexec "$@"\n', encoding="ascii")
    entrypoint.chmod(0o755)
    (programs / "redis-server").unlink(missing_ok=True)
    (programs / "redis-server").symlink_to(server)
    port = str(redis_server.free_port())
    own = {"REDIS_DIR": str(folder), "REDIS_PORT": port, "REDIS_PASSWORD": "p4ssw0rd", "REDIS_MAXMEMORY": "64mb"}
    url = f"redis://:p4ssw0rd@127.0.0.1:{port}/0"
    given = {"PATH": f"{programs}:{os.environ['PATH']}", **own}
    with subprocess.Popen(START_REDIS, env=given, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            eventually(lambda: redis_server.answers(url))
            yield process, url
        finally:
            process.terminate()


@redis_cli
def test_the_redis_keeps_what_it_acknowledges(tmp_path: Path) -> None:
    """Started as in its image, it is durable enough for a 202, and refuses clients without the password."""
    with started_as_in_the_image(tmp_path, torn_file.program("Redis")) as (process, url), connect(url) as redis:
        assert missing_durability(redis) == ()
        assert redis.config_get("maxmemory")["maxmemory"] == str(64 * 1024 * 1024)
        assert not redis_server.answers(url.replace(":p4ssw0rd@", ""))
        assert b"p4ssw0rd" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert process.returncode == 0


@redis_cli
@pytest.mark.parametrize("maker", torn_file.SERVERS)
def test_the_image_starts_on_a_torn_file(maker: str, tmp_path: Path) -> None:
    """After a power cut within a script's record, later writes survive a kill and an orderly stop."""
    server = torn_file.program(maker)
    torn_file.tear(server, tmp_path)
    with started_as_in_the_image(tmp_path, server) as (process, url), connect(url) as redis:
        assert (redis.get("before"), redis.keys("cut*")) == ("kept", [])
        redis.set("first", "kept")
        os.killpg(process.pid, signal.SIGKILL)
    for name in ("second", "third"):
        with started_as_in_the_image(tmp_path, server) as (process, url), connect(url) as redis:
            redis.set(name, "kept")
        assert process.returncode == 0
    with started_as_in_the_image(tmp_path, server) as (_, url), connect(url) as redis:
        assert redis.mget("before", "first", "second", "third") == ["kept"] * 4


def test_a_redis_without_a_password_does_not_start(tmp_path: Path) -> None:
    """Without a password anybody could use it."""
    done = subprocess.run(START_REDIS, env=GIVEN, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode != 0


@contextmanager
def fronted(folder: Path, web: str) -> Iterator[tuple[str, Path]]:
    """The shipped Caddy file before a receiver; returns its address and its log. A plain address has no TLS."""
    port = redis_server.free_port()
    url = f"http://127.0.0.1:{port}"
    file = folder / "Caddyfile"
    # Its admin door would stand on a port that others may have.
    file.write_text((DOCKER / "Caddyfile").read_text(encoding="utf-8").replace("{\n", "{\n\tadmin off\n", 1), encoding="utf-8")
    given = {**GIVEN, "HOME": str(folder), "BRIDGE_HOST": url, "BRIDGE_WEB": web}
    log = folder / "caddy.log"
    command = ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
    with log.open("wb") as said, subprocess.Popen(command, env=given, stderr=said, stdout=said) as process:
        try:
            eventually(lambda: _listens(url))
            yield url, log
        finally:
            process.terminate()


@caddy
def test_caddy_leaves_signatures_whole(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    """A signed webhook passes unchanged, whatever its bytes; /metrics is closed to strangers."""
    del redis
    signer = keys.load(tmp_path)
    body = '{"type": "Unknown",  "text": "ümläut\\u0000"}'.encode()
    with (
        served(redis_url, GHL_WEBHOOK_KEYS=str(tmp_path / keys.PUBLIC_KEY_FILE)) as web,
        fronted(tmp_path, web.removeprefix("http://")) as (url, _),
    ):
        answer = httpx.post(f"{url}/webhooks/ghl", content=body, headers=signer.signatures(body, legacy="off"))
        assert (answer.status_code, answer.json()["status"]) == (200, "ignored")
        assert httpx.get(f"{web}/metrics").status_code == 200
        assert httpx.get(f"{url}/metrics").status_code == 404
        assert httpx.get(f"{url}/healthz").headers["strict-transport-security"]


@caddy
def test_without_a_receiver_caddy_has_ghl_try_again(tmp_path: Path) -> None:
    """A webhook is answered 429, like the receiver does, and no log has the secret that its address may contain."""
    with fronted(tmp_path, f"127.0.0.1:{redis_server.free_port()}") as (url, log):
        answer = httpx.post(f"{url}/webhooks/workflow/s3cr3t-in-the-path", content=b"{}", timeout=10)
        assert answer.status_code == 429
        assert answer.json() == {"status": "unavailable"}
        assert answer.headers["retry-after"] == "10"
        assert httpx.get(f"{url}/console", timeout=10).status_code == 502
    assert "s3cr3t" not in log.read_text(encoding="utf-8")


def _listens(url: str) -> bool:
    try:
        return httpx.get(f"{url}/metrics").status_code == 404
    except httpx.TransportError:
        return False
