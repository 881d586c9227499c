"""Figure 6: the cost of a reply while many other conversations wait in Redis."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.store.redis.connection import now_ms
from bridge.store.redis.partitions import key, prefix_of
from infra.bench.bridges import OURS
from infra.bench.load import at_rate, percentile
from infra.bench.report import Row
from infra.bench.stage import LOCATIONS
from infra.bench.webhooks import make

if TYPE_CHECKING:
    from infra.bench.plan import Plan
    from infra.bench.stage import Stage

AT_ONCE = 5_000
WAIT_SECONDS = 120.0
FLAT = 1.1
LOOK_SECONDS = 0.05
# The keys that `accept.lua` writes for a message, without its 202's other duties: they wait for an hour to pass.
# KEYS: prefix of each location. ARGV: first number, how many, due (ms), body, location, location, ...
WAIT = """
local locations = {unpack(ARGV, 5)}
for number = tonumber(ARGV[1]), tonumber(ARGV[1]) + tonumber(ARGV[2]) - 1 do
  local location = locations[number % #locations + 1]
  local contact, id = string.format('waiting%013d', number), string.format('message%013d', number)
  local lane, prefix = location .. ':' .. contact, KEYS[number % #locations + 1]
  redis.call('SET', prefix .. 'seen:' .. location .. ':' .. id, 'nonce:accepted', 'PX', 604800000)
  redis.call('SET', prefix .. 'index:' .. id, lane, 'PX', 2592000000)
  redis.call('SET', prefix .. 'index:' .. contact, lane, 'PX', 2592000000)
  redis.call('HSET', prefix .. 'message:' .. location .. ':' .. id, 'lane', lane, 'at', ARGV[3], 'conversation', id,
    'body', ARGV[4], 'line', 'SMS|', 'status', 'waiting', 'reason', '')
  redis.call('RPUSH', prefix .. 'timeline:' .. lane, ARGV[3] .. ' {"step":"accepted","message_id":"' .. id .. '"}')
  redis.call('PEXPIRE', prefix .. 'timeline:' .. lane, 2592000000)
  redis.call('RPUSH', prefix .. 'waiting:' .. lane, id)
  redis.call('ZADD', prefix .. 'due:' .. location, ARGV[3], contact)
  redis.call('ZADD', prefix .. 'due', 'NX', ARGV[3], location)
end
"""
BODY = '{"id":"message","text":"Hi, do you have a free appointment for a check-up on Thursday afternoon, please?"}'


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one reply, all in ms: CPU of the bridge, CPU of Redis, median from webhook to post."""

    bridge: float
    redis: float
    median: float


async def measure(stage: Stage, plan: Plan) -> list[Row]:
    """Measure with few, then with more and more, and with few again, because a machine's own speed changes."""
    await stage.run(OURS, slots=plan.slots[0])
    stage.far_side.completion_seconds = 0.0
    stage.empty()
    await _cost(stage, plan)
    costs, filled = [], 0
    for waiting in plan.waiting:
        _fill(stage, filled, waiting)
        filled = waiting
        costs.append(await _cost(stage, plan))
    stage.empty()
    _fill(stage, 0, plan.waiting[0])
    again = await _cost(stage, plan)
    first = (costs[0].bridge + costs[0].redis + again.bridge + again.redis) / 2
    return [_row(waiting, cost, first) for waiting, cost in zip(plan.waiting, costs, strict=True)]


def _row(waiting: int, cost: Cost, first: float) -> Row:
    spent = cost.bridge + cost.redis
    beside = f"Redis {cost.redis:.2f} of that; {cost.median:.0f} ms to the post"
    return Row(
        6, f"CPU per reply, {waiting:,} waiting", f"{spent:.1f} ms", beside, spent / first, "<= 1.1", spent <= FLAT * first
    )


def _fill(stage: Stage, filled: int, waiting: int) -> None:
    """Fill Redis without the append-only file, which is rewritten afterwards: a million conversations would sync for minutes."""
    with stage.redis as redis:
        redis.config_set("appendonly", "no")
        write, due = redis.register_script(WAIT), now_ms(redis) + 3_600_000
        for start in range(filled, waiting, AT_ONCE):
            write(keys=[prefix_of(one) for one in LOCATIONS], args=[start, min(AT_ONCE, waiting - start), due, BODY, *LOCATIONS])
        redis.config_set("appendonly", "yes")
        while redis.info("persistence")["aof_rewrite_in_progress"]:
            time.sleep(LOOK_SECONDS)
        held = sum(redis.zcard(key("due", one)) for one in LOCATIONS)
        if held < waiting:
            raise RuntimeError(f"{held} lanes wait, not {waiting}")


async def _cost(stage: Stage, plan: Plan) -> Cost:
    stage.far_side.forget()
    webhooks = make(plan.waiting_replies, stage.key, LOCATIONS)
    bridge, redis = stage.cpu(), stage.cpu_of_redis()
    done = await at_rate(stage.port, webhooks, rate=plan.cpu_rate, connections=plan.connections)
    await stage.far_side.wait_for(len(webhooks), seconds=WAIT_SECONDS)
    count, posts = len(webhooks) / 1000, stage.far_side.posts
    times = (posts[one.contact_id][0] - done.sent_at[one.contact_id] for one in webhooks)
    return Cost((stage.cpu() - bridge) / count, (stage.cpu_of_redis() - redis) / count, percentile(times, 50) * 1000)
