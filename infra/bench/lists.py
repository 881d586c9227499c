"""`python -m infra.bench.lists`: the cost of a page of the console's lists, in Redis and the receiver, with much to list.

A real receiver and a real Redis; 100,000 conversations of fifty locations and 10,000 dead letters unless told otherwise.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson

from bridge.cli import redis_server
from bridge.locations import Location
from bridge.store.locations.records import Locations
from bridge.store.redis.connection import connect, now_ms
from bridge.store.redis.partitions import key, key_at, partition_of, prefix_of
from infra.bench.load import percentile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

ROOT = Path(__file__).parents[2]
FERNET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
TOKEN = "the-admin-token-of-the-bench"  # noqa: S105 - of nothing but this bench
RETENTION_MS = 30 * 24 * 3600 * 1000
LOCATIONS = 50
BATCH = 1000
ENDS = ("replied|", "replied|", "replied|", "skipped|dnd", "no_reply|empty", "skipped|human_takeover", "delivered_by_provider|")
ERRORS = ("Assistable: HTTP 422, an object with message", "GHL: HTTP 400, an object with message", "OpenAI: HTTP 401")
PAGES = {
    "overview": "/console/",
    "conversations": "/console/conversations",
    "conversations, the next page": "/console/conversations?after=NEXT",
    "conversations of a location": "/console/conversations?location_id=bench07",
    "skipped for one reason": "/console/conversations?status=skipped&reason=dnd",
    "a reason that nobody has (reads 20,000)": "/console/conversations?status=skipped&reason=loop",
    "of one day": "/console/conversations?day=TODAY",
    "waiting": "/console/conversations?status=waiting",
    "dead letters, by cause": "/console/dead-letters",
    "dead letters of a location": "/console/dead-letters?location=bench07",
    "dead letters of a rare cause": "/console/dead-letters?cause=RARE",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of one page in seconds, by repetition: of the receiver and of Redis together."""

    page: str
    seconds: tuple[float, ...]

    @property
    def p95(self) -> float:
        """The value that nineteen of twenty pages don't exceed."""
        return percentile(list(self.seconds), 95)


def measure(*, conversations: int, dead_letters: int, rounds: int) -> list[Cost]:
    """Fill a Redis and request each page a number of times."""
    with tempfile.TemporaryDirectory() as folder, redis_server.running(Path(folder)) as url:
        redis = connect(url)
        fill(redis, conversations=conversations, dead_letters=dead_letters)
        server = int(redis.info("server")["process_id"])
        with _receiver(url) as (client, receiver):
            return [_cost(client, name, _address(client, path), (receiver, server), rounds) for name, path in PAGES.items()]


def fill(redis: Redis, *, conversations: int, dead_letters: int) -> None:
    """Write the data of the scripts, as far as lists read it."""
    ids = [f"bench{number:02}" for number in range(LOCATIONS)]
    kept = Locations(redis, fernet_keys=[FERNET_KEY], retention_ms=RETENTION_MS)
    kept.apply(Location(id=id_, name=f"Location {id_}", mode="draft") for id_ in ids)
    now = now_ms(redis)
    for begin in range(0, conversations, BATCH):
        pipe = redis.pipeline(transaction=False)
        for number in range(begin, min(begin + BATCH, conversations)):
            _write_conversation(pipe, ids[number % LOCATIONS], number, now - number * 7_000)
        pipe.execute()
    for begin in range(0, dead_letters, BATCH):
        pipe = redis.pipeline(transaction=False)
        for number in range(begin, min(begin + BATCH, dead_letters)):
            _write_dead_letter(pipe, ids[number % LOCATIONS], number, now - number * 60_000, rare=number == dead_letters // 2)
        pipe.execute()


def _write_conversation(pipe: Redis, location: str, number: int, at: int) -> None:
    contact, (status, _, reason) = f"contact{number:013}", ENDS[number % len(ENDS)].partition("|")
    pipe.zadd(key("recorded", location), {contact: at})
    fields: Any = {
        "session": "s" * 24,
        "released": "t" * 32,
        "ended": f"{status}|{reason}|TYPE_SMS|{at}",
        f"ended:{status}": at,
        **({f"ended:{status}|{reason}": at} if reason else {}),
    }
    pipe.hset(key("lane", f"{location}:{contact}"), mapping=fields)
    pipe.set(key_at(prefix_of(location), "index", contact), f"{location}:{contact}")
    if number % 50 == 0:
        pipe.zadd(key("due", location), {contact: at + 60_000})


def _write_dead_letter(pipe: Redis, location: str, number: int, at: int, *, rare: bool) -> None:
    id_, error = f"{partition_of(location):02x}{number:030x}", "a cause of its own" if rare else ERRORS[number % len(ERRORS)]
    record = {
        "id": id_, "location_id": location, "contact_id": f"contact{number:013}", "conversation_id": "c" * 20,
        "message_ids": ["m" * 20], "channel": "SMS", "error": error, "attempts": 8, "failed_at": at, "answer": "a" * 300,
        "answered": "[]", "answered_at": at, "asks": 0, "parts": "", "said": [[at, "s" * 120]], "carried": [], "excerpt_id": id_,
    }  # fmt: skip
    pipe.set(key_at(prefix_of(location), "dead", id_), orjson.dumps(record))
    pipe.zadd(key_at(prefix_of(location), "dead"), {id_: at})


@contextmanager
def _receiver(url: str) -> Iterator[tuple[httpx.Client, int]]:
    port = str(redis_server.free_port())
    environ = {"REDIS_URL": url, "BRIDGE_SECRET_KEY": FERNET_KEY, "BRIDGE_ADMIN_TOKEN": TOKEN, "PORT": port, "HOST": "127.0.0.1"}
    command = [sys.executable, "-m", "bridge.receiver"]
    with subprocess.Popen(command, env={**os.environ, **environ}, cwd=ROOT, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own module
        try:
            transport = httpx.HTTPTransport(retries=20)
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=60, follow_redirects=True
            ) as client:
                client.post("/console/login", data={"token": TOKEN}).raise_for_status()
                yield client, process.pid
        finally:
            process.terminate()


def _address(client: httpx.Client, path: str) -> str:
    """A page's address, with values that only the pages themselves show."""
    if "NEXT" in path:
        return _href(client.get("/console/conversations").text, r'href="([^"]+)" rel="next"')
    if "RARE" in path:
        return _href(client.get("/console/dead-letters").text, r'href="([^"]+)">a cause of its own')
    return path.replace("TODAY", f"{datetime.now(UTC):%Y-%m-%d}")


def _href(html: str, pattern: str) -> str:
    found = re.search(pattern, html)
    if found is None:
        raise RuntimeError(f"the page has no link like {pattern}")
    return found[1].replace("&amp;", "&")


def _cost(client: httpx.Client, name: str, path: str, processes: tuple[int, int], rounds: int) -> Cost:
    seconds = []
    for _ in range(rounds):
        before = sum(map(cpu_seconds, processes))
        client.get(path).raise_for_status()
        seconds.append(sum(map(cpu_seconds, processes)) - before)
    return Cost(name, tuple(seconds))


def cpu_seconds(pid: int) -> float:
    """CPU of a process' threads so far, in user and kernel mode (Linux)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m infra.bench.lists", description=__doc__)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--dead-letters", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    costs = measure(conversations=given.conversations, dead_letters=given.dead_letters, rounds=given.rounds)
    print(f"{given.conversations:,} conversations, {given.dead_letters:,} dead letters, {LOCATIONS} locations\n")
    print("| page | CPU, median | CPU, p95 |\n|---|---:|---:|")
    for cost in costs:
        median = percentile(list(cost.seconds), 50)
        print(f"| {cost.page} | {median * 1000:.0f} ms | {cost.p95 * 1000:.0f} ms |")


if __name__ == "__main__":
    main()
