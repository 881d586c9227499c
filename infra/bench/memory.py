"""The cost of a finished conversation in Redis: 2,000 of one message and one reply, through the real scripts.

`.venv/bin/python -m infra.bench.memory` prints the table of infra/docs/explanation/scaling.md.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from bridge.cli import redis_server
from bridge.locations import Location
from bridge.model import (
    Channel,
    Completion,
    ContactId,
    ConversationId,
    Ended,
    InboundMessage,
    LocationId,
    MessageId,
    Posted,
    Posting,
    Status,
)
from bridge.store.lanes.inbox import Inbox
from bridge.store.lanes.leases import Lanes
from bridge.store.locations.records import Locations
from bridge.store.redis.connection import connect, connect_async, now_ms
from bridge.store.redis.partitions import keys as keys_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.store.redis.connection import Redis

CONVERSATIONS = 2000
AT_ONCE = 100
DAY_MS = 24 * 3600 * 1000
RETENTION_MS = 30 * 24 * 3600 * 1000
LOCATION = LocationId("ve9EPM428h8vShlRW1KT")
FERNET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
# Of typical length: 80 and 240 characters.
QUESTION = "Hi, do you have a free appointment for a check-up on Thursday afternoon, please?"
REPLY = "Hello, and thank you for your message! On Thursday afternoon we have appointments at 2:30 pm and at 4 pm. " * 3
REPLY_CHARACTERS = 240
# 300 bytes of what a service tells of how it came to an answer.
EVIDENCE = {
    "model": "gpt-5-mini-2026-08-07",
    "tokens_in": 2143,
    "tokens_out": 61,
    "tools": ["calendar_slots", "contact_lookup"],
    "matched": [["doc_7f3a91c2", 0.8134], ["doc_18bb20de", 0.7712], ["doc_c0ffee42", 0.6921], ["doc_5511aa90", 0.6405]],
    "session": "b1f6ce0c2f0a4f37a9a1",
    "finish_reason": "stop",
    "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
}


def main() -> None:
    """Measure, and print a table."""
    with tempfile.TemporaryDirectory() as folder, redis_server.running(Path(folder)) as url:
        _measure(url, Path(folder))


def _measure(url: str, folder: Path) -> None:
    redis = connect(url)
    Locations(redis, fernet_keys=[FERNET_KEY], retention_ms=RETENTION_MS).apply(
        [Location(id=LOCATION, debounce_seconds=0, debounce_max_seconds=0)]
    )
    # Scripts loaded and buffers grown before anything is counted.
    converse(redis, url, AT_ONCE)
    memory, file, keys = _used(redis), _file_bytes(folder), set(redis.scan_iter(count=10_000))
    cpu = cpu_seconds(redis)
    converse(redis, url, CONVERSATIONS)
    memory, file, cpu = _used(redis) - memory, _file_bytes(folder) - file, cpu_seconds(redis) - cpu
    made = set(redis.scan_iter(count=10_000)) - keys
    told = _told(redis, made, file=file / CONVERSATIONS, cpu=cpu / CONVERSATIONS)
    lasting = memory - _forget_short_lived(redis, made)
    told += [
        f"| **memory a conversation** (`used_memory`) | | **{memory / CONVERSATIONS:,.0f}** |",
        f"| **... memory once its day-long keys gone** | | **{lasting / CONVERSATIONS:,.0f}** |",
    ]
    sys.stdout.write("\n".join(told) + "\n")


def _forget_short_lived(redis: Redis, made: Iterable[str]) -> int:
    """Delete what lives for no longer than a day; returns the freed bytes. What is to be reported leaves its list each hour."""
    before, names = _used(redis), list(made)
    redis.delete(*keys_of("reported"), *keys_of("counts"))
    pipe = redis.pipeline(transaction=False)
    for name in names:
        pipe.pttl(name)
    for name, left in zip(names, pipe.execute(), strict=True):
        if 0 < left <= DAY_MS:
            pipe.delete(name)
    pipe.execute()
    return before - _used(redis)


def converse(redis: Redis, url: str, count: int, locations: Sequence[LocationId] = (LOCATION,)) -> None:
    """A number of contacts write one message, to the locations in turn, and each is answered once."""
    messages = [message_to(locations[number % len(locations)]) for number in range(count)]
    for start in range(0, count, AT_ONCE):
        asyncio.run(_accept(url, messages[start : start + AT_ONCE]))
        _answer(redis)


async def _accept(url: str, messages: Iterable[InboundMessage]) -> None:
    inbox = Inbox(connect_async(url, connections=16, seconds=10.0), retention_ms=RETENTION_MS, seconds=10.0)
    for message in messages:
        await inbox.accept(message)
    await inbox.close()


def _answer(redis: Redis) -> None:
    lanes = Lanes(redis, lease_seconds=30, retention_ms=RETENTION_MS)
    while claimed := lanes.claim("bench", slots=200, alive_seconds=5, most=AT_ONCE).lanes:
        for lane in claimed:
            turn = lanes.lease(lane)
            if turn is None:
                continue
            ids = [message.id for message in turn.messages]
            at_ms = now_ms(redis)
            completion = Completion(text=REPLY[:REPLY_CHARACTERS], trace_id=uuid4().hex, evidence=EVIDENCE)
            reply = [MessageId(_id())]
            lanes.asking(turn, ids, at_ms=at_ms, may_deliver=False, circuit="bench", seconds=1.0)
            lanes.answered(turn, ids, completion, at_ms=at_ms, seconds=1.234)
            posting = Posting(part="0", text=REPLY[:REPLY_CHARACTERS], said=REPLY[:REPLY_CHARACTERS], last=True)
            lanes.sending(turn, posting, revision=0, at_ms=at_ms, channel="SMS")
            lanes.sent(turn, Posted(posting=posting, message_ids=tuple(reply), at_ms=at_ms, how="posted"))
            lanes.end(turn, Ended(status=Status.REPLIED, message_ids=tuple(ids), reply_message_ids=tuple(reply)))


def message_to(location: LocationId) -> InboundMessage:
    """A new contact's message."""
    return InboundMessage(
        id=MessageId(_id()),
        location_id=location,
        contact_id=ContactId(_id()),
        conversation_id=ConversationId(_id()),
        channel=Channel.SMS,
        message_type="SMS",
        message_type_string="TYPE_SMS",
        text=QUESTION,
        date_added_ms=time.time_ns() // 1_000_000,
        webhook_id=str(uuid4()),
        app_id=_id(),
    )


def _id() -> str:
    """An id as long as GHL's."""
    return uuid4().hex[:20]


def _used(redis: Redis) -> int:
    return int(redis.info("memory")["used_memory"])


def cpu_seconds(redis: Redis) -> float:
    """What the server has used so far."""
    told: Any = redis.info("cpu")
    return float(told["used_cpu_user"]) + float(told["used_cpu_sys"])


def _file_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("appendonly*/**/*") if file.is_file())


def _told(redis: Redis, made: set[str], *, file: float, cpu: float) -> list[str]:
    kinds: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for name in made:
        kind = name.partition("}:")[2].split(":")[0] or name
        kinds[kind] += 1
        sizes[kind] += int(redis.memory_usage(name, samples=0) or 0)
    server: Any = redis.info("server")
    name, version = ("Valkey", server["valkey_version"]) if "valkey_version" in server else ("Redis", server["redis_version"])
    return [
        f"Python {platform.python_version()}, {name} {version}, {platform.machine()}, {os.cpu_count()} cores",
        "",
        "| kind of key | keys | bytes |",
        "|---|---|---|",
        *(
            f"| `{kind}` | {kinds[kind] / CONVERSATIONS:.1f} | {size / CONVERSATIONS:,.0f} |"
            for kind, size in sizes.most_common()
        ),
        f"| all keys (MEMORY USAGE) | {len(made) / CONVERSATIONS:.1f} | {sum(sizes.values()) / CONVERSATIONS:,.0f} |",
        f"| append-only file a conversation | | {file:,.0f} |",
        f"| Redis' CPU a conversation, its file synced for each write | | {cpu * 1000:.2f} ms |",
    ]


if __name__ == "__main__":
    main()
