"""What tests need of a store: its contents, a way to let time pass in it, and a Redis that can be frozen."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
from redis.client import PubSub

from bridge.access.ghl_access import GHLAccess
from bridge.access.token_refresh import TokenRefresh
from bridge.answering.media_reader import MediaReader
from bridge.cli import redis_server
from bridge.locations import Location
from bridge.model import (
    Channel,
    ContactId,
    ConversationId,
    InboundMessage,
    Lane,
    LocationId,
    MessageId,
    Posted,
    Posting,
    Situation,
    Standing,
)
from bridge.store.lanes.excerpts import Excerpts
from bridge.store.lanes.identities import Identities
from bridge.store.lanes.inbox import MOST_WAITING, inbound_fields
from bridge.store.lanes.leases import Lanes
from bridge.store.lanes.messages import encode
from bridge.store.lanes.situations import Situations
from bridge.store.lanes.standings import Standings
from bridge.store.lanes.steps import ASK
from bridge.store.lanes.turns import read_ledger
from bridge.store.limits.budget import Budgets
from bridge.store.limits.media_reads import MediaReads
from bridge.store.locations.grants import Grants
from bridge.store.locations.installs import Installs
from bridge.store.locations.records import Locations
from bridge.store.operators.dead_letters import DeadLetters
from bridge.store.redis.cluster import servers_of
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import channel, prefix_of
from bridge.wire.calls import Wire
from bridge.wire.destinations import only_public
from bridge.wire.downloads import Downloads
from tests.keys import key, pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from redis import Redis

    from bridge.model import LedgerEntry, Turn
    from bridge.store.limits.circuits import CircuitState

FERNET_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
RETENTION_MS = 1_000_000
LONG = 1000.0
HERE = LocationId("here")
# What a location needs to be applied, as a table and as the beginning of a file.
PROVIDED = {"assistable": {"assistant_id": "a", "token": "t"}}
PROVIDED_TOML = "[defaults.assistable]\nassistant_id = 'a'\ntoken = 't'\n"
LANE = Lane(HERE, ContactId("contact"))
NOTHING_KNOWN = Situation(conversation_id=ConversationId(""), location={}, standing=Standing(), read_at=0.0)

# All that a script compares with Redis' clock moves into the past, which is the same as the clock moving on.
_PASS = """
for _, name in ipairs(redis.call('KEYS', '{ghlb:*')) do
  local kind = redis.call('TYPE', name)['ok']
  local lasting = {patience = 1, upkeep = 1, receiving = 1, busy = 1, refused = 1, slots = 1}
  if lasting[name:match('}:([a-z_]+)')] then
    redis.call('PEXPIRE', name, redis.call('PTTL', name) + ARGV[1])
  end
  if kind == 'zset' then
    for _, member in ipairs(redis.call('ZRANGE', name, 0, -1)) do redis.call('ZINCRBY', name, ARGV[1], member) end
  elseif kind == 'hash' then
    for _, field in ipairs({
      'at', 'lease_until', 'leased_at',
      'not_before', 'replied_at', 'hold', 'held_from', 'held_until', 'renew_at', 'ends_at', 'refused_at',
      'since', 'probe_at', 'closed_at',
    }) do
      if redis.call('HEXISTS', name, field) == 1 then redis.call('HINCRBY', name, field, ARGV[1]) end
    end
  end
end
"""


def message(id_: str = "m1", contact: str = "contact", location: str = HERE, **fields: Any) -> InboundMessage:
    """A text message; `fields` has what a test is about."""
    given: dict[str, Any] = {
        "channel": Channel.SMS,
        "message_type": "SMS",
        "message_type_string": "TYPE_SMS",
        "text": "hello",
        "date_added_ms": 1_700_000_000_000,
        "conversation_id": ConversationId(f"conversation-{contact}"),
    }
    return InboundMessage(
        id=MessageId(id_), location_id=LocationId(location), contact_id=ContactId(contact), **{**given, **fields}
    )


def keep(redis: Redis, *ids: str, debounce: float = 0.0, most: float = 60.0, **settings: Any) -> None:
    """Apply locations with these ids."""
    locations = (Location(id=id_, debounce_seconds=debounce, debounce_max_seconds=most, **settings) for id_ in ids or (HERE,))
    locations_of(redis).apply(locations)


def locations_of(redis: Redis, *fernet_keys: str) -> Locations:
    """The locations."""
    return Locations(redis, fernet_keys=fernet_keys or [FERNET_KEY], retention_ms=RETENTION_MS)


def installs_of(redis: Redis) -> Installs:
    """The installs of the app."""
    return Installs(redis, retention_ms=RETENTION_MS)


def identities_of(redis: Redis) -> Identities:
    """The store of messages without their id."""
    return Identities(redis, retention_ms=RETENTION_MS)


def media_reader_of(redis: Redis) -> MediaReader:
    """The reader of files, with GHL on this machine."""
    return MediaReader(Downloads(_public(), simulated=True), _public(), MediaReads(redis), allow_private=False)


@cache
def _public() -> Wire:
    """One for all tests: reading its certificate authorities takes tens of milliseconds."""
    return Wire(resolve=only_public())


def situations_of(redis: Redis) -> Situations:
    """The situations of contacts and their locations."""
    return Situations(redis, retention_ms=RETENTION_MS)


def standings_of(redis: Redis) -> Standings:
    """The standings of contacts."""
    return Standings(redis, retention_ms=RETENTION_MS)


def grants_of(redis: Redis, *fernet_keys: str) -> Grants:
    """The tokens of installs."""
    return Grants(redis, fernet_keys=fernet_keys or [FERNET_KEY])


def ghl_access_of(redis: Redis) -> GHLAccess:
    """The access to GHL, without a marketplace app."""
    return GHLAccess(TokenRefresh(grants_of(redis), None), Budgets(redis))


def dead_letters_of(redis: Redis) -> DeadLetters:
    """The dead letters."""
    return DeadLetters(redis, retention_ms=RETENTION_MS)


def excerpts_of(redis: Redis, *fernet_keys: str) -> Excerpts:
    """The services' error texts."""
    return Excerpts(redis, fernet_keys=fernet_keys or [FERNET_KEY])


def accept(redis: Redis, *messages: InboundMessage) -> list[str]:
    """Run the accept script like `Inbox`; tests/store/lanes/test_inbox.py compares them."""
    run = redis.register_script(script("accept"))
    return [run(keys=[prefix_of(one.lane)], args=accept_args(one))[0] for one in messages]


def accept_args(one: InboundMessage, *, nonce: str = "") -> list[Any]:
    """The accept script's arguments."""
    what = orjson.dumps(inbound_fields(one, {"step": "accepted", "message_id": one.id}))
    return [str(one.lane), nonce or uuid4().hex, what, encode(one), 600_000, RETENTION_MS, MOST_WAITING]


def lanes_of(redis: Redis, *, lease: float = LONG) -> Lanes:
    """The lanes, with leases that don't expire unless a test wants it."""
    return Lanes(redis, lease_seconds=lease, retention_ms=RETENTION_MS)


def claim(lanes: Lanes, *, slots: int = 1000, most: int = 1000, worker: str = "worker") -> tuple[Lane, ...]:
    """Claim what is due."""
    return lanes.claim(worker, slots=slots, alive_seconds=LONG, most=most).lanes


def part(name: str = "0", text: str = "hello back") -> Posting:
    """A part of an answer, by default its last one."""
    return Posting(part=name, text=text, said=text, last=True)


def posted(posting: Posting, ids: Iterable[MessageId], *, at_ms: int, how: str) -> Posted:
    """A part that is in GHL."""
    return Posted(posting=posting, message_ids=tuple(ids), at_ms=at_ms, how=how)


def check(lanes: Lanes, turn: Turn, *, seconds: float, revision: int) -> None:
    """Run the check before a post. Raises Fenced and StandingChanged."""
    assert lanes.sending(turn, part("probe"), at_ms=1, channel="SMS", revision=revision, seconds=seconds)


def ledger_of(redis: Redis, turn: Turn) -> dict[str, LedgerEntry]:
    """A turn's current ledger."""
    stored: Any = redis.hgetall(key("ledger", turn.id))
    return read_ledger(stored)


def standing_of(redis: Redis, lane: Lane, conversation: str) -> Standing:
    """The current situation of a contact."""
    return situations_of(redis).read(lane, ConversationId(conversation)).standing


def admit(lanes: Lanes, turn: Turn, circuit: str, *, seconds: float) -> CircuitState:
    """Ask whether a provider may be called."""
    return lanes.asking(turn, [], at_ms=1, may_deliver=False, circuit=circuit, seconds=seconds).circuit


def take(lanes: Lanes, lane: Lane = LANE) -> Turn:
    """Claim and lease a due lane."""
    assert lane in claim(lanes)
    turn = lanes.lease(lane)
    assert turn
    return turn


def pass_time(redis: Redis, seconds: float) -> None:
    """Let time pass in the store."""
    for ask in servers_of(redis).values():
        ask(lambda server: server.eval(_PASS, 0, str(-round(seconds * 1000))))


def pass_question(redis: Redis, seconds: float = 121.0) -> None:
    """Let time pass since providers that may deliver were asked: by default, as long as an answer is awaited."""
    for name in redis.scan_iter(pattern("ledger", "*")):
        if entry := redis.hget(name, ASK):
            asked = orjson.loads(entry)
            redis.hset(name, ASK, orjson.dumps({**asked, "at_ms": asked["at_ms"] - round(seconds * 1000)}))


def pass_outage(redis: Redis, seconds: float) -> None:
    """Let time pass in which nothing could be claimed."""
    pass_time(redis, seconds)
    redis.decrby(key("claimed"), round(seconds * 1000))


def due_ms(redis: Redis, lane: Lane = LANE) -> float | None:
    """When a lane is due; None if it isn't."""
    return redis.zscore(key("due", lane.location_id), lane.contact_id)


def snapshot(redis: Redis, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Everything in Redis, except sets of times and fields that a repeated call may change.

    Which dispatcher leads is left out too: it expires after some seconds by the server's own clock.
    """
    found_names = sorted(map(str, redis.scan_iter("*", count=1000)))
    names = [name for name in found_names if name not in without and not name.endswith(":leader")]
    pipe = redis.pipeline(transaction=False)
    for name in names:
        pipe.type(name)
    kinds = [str(kind) for kind in pipe.execute()]
    for name, kind in zip(names, kinds, strict=True):
        match kind:
            case "hash":
                pipe.hgetall(name)
            case "zset":
                pipe.zrange(name, 0, -1, withscores=True)
            case "list":
                pipe.lrange(name, 0, -1)
            case "set":
                pipe.smembers(name)
            case "stream":
                pipe.xrange(name)
            case _:
                pipe.get(name)
    found = dict(zip(names, pipe.execute(), strict=True))
    for name, kind in zip(names, kinds, strict=True):
        if kind == "hash":
            found[name] = {field: value for field, value in found[name].items() if field not in without}
    return found


@contextmanager
def bell(redis: Redis, *dispatcher: str) -> Iterator[Callable[[], int]]:
    """Listen to the dispatchers' channel, or to that of one; the call returns the number of rings since the last one."""
    ask = next(iter(servers_of(redis).values()))
    listening = PubSub(ask(lambda server: server.connection_pool), ignore_subscribe_messages=True)
    listening.subscribe(channel("wake", *dispatcher))
    listening.get_message(timeout=5)

    def rung() -> int:
        redis.publish(channel("wake", *dispatcher), "end")
        rings = 0
        while (ring := listening.get_message(timeout=5)) is None or ring["data"] != "end":
            rings += ring is not None
        return rings

    yield rung
    listening.close()


def eventually(check: Callable[[], object], *, seconds: float = 10.0) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.005)


class OwnRedis:
    """A redis-server that a test may stop, kill and start again; acknowledged writes survive."""

    def __init__(
        self, folder: Path, *options: str, program: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        command, self.url = redis_server.prepare(folder, program=program)
        self._command = [*command, *options]
        self._environ = {**os.environ, **(environ or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, also again with its data."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, env=self._environ)
        redis_server.wait_for(self._process, self.url)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it."""
        assert self._process
        self._process.kill()
        self._process.wait()


@contextmanager
def own_redis(
    folder: Path, *options: str, program: Path | None = None, environ: Mapping[str, str] | None = None
) -> Iterator[OwnRedis]:
    """A Redis for one test, started with these options, and with these variables besides the test's own."""
    server = OwnRedis(folder, *options, program=program, environ=environ)
    server.start()
    try:
        yield server
    finally:
        server.kill()
