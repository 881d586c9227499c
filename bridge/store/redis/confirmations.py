"""Confirmed writes: a number of replicas must have a write before it counts (BRIDGE_CONFIRM_REPLICAS).

`WAIT` confirms earlier writes of its own connection. After a mere read it may confirm nothing (tried with Valkey 9.1.2: it
answers 1 while the replica is stopped), and a duplicate writes nothing. So each batch ends with a separate write: a
replica that has it has everything before it.

A replica with `appendfsync always` answers `WAIT` after its sync. `WAITAOF` is not used: it counts what replicas report once a
second (findings/waitaof_hears_from_replicas_once_a_second.sh), which is longer than a webhook may wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis import RedisError
from redis.exceptions import NoScriptError

from bridge.store.redis.partitions import key_at
from bridge.store.redis.waiting import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis
    from redis.commands.core import Script

# The confirmation may take this share of a caller's time.
PART_OF_LIMIT = 0.8
MARK_MS = 60_000


class Unconfirmed(NoAnswer):
    """Too few replicas confirmed a write in time. They may still get it."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The number of replicas that must have a write; 0: none."""

    replicas: int = 0

    def commands(self, seconds: float, *, at: str) -> tuple[tuple[str | int, ...], ...]:
        """The commands at the end of a batch whose callers wait for at most `seconds`: a write, and the wait for the replicas.

        `at` is the prefix of a partition that the batch has written to, whose node is to confirm it.
        """
        if not self.replicas:
            return ()
        wait = ("WAIT", self.replicas, max(1, round(seconds * PART_OF_LIMIT * 1000)))
        return ("SET", key_at(at, "confirmed"), "1", "PX", MARK_MS), wait

    def fault(self, answers: Sequence[Any]) -> RedisError | None:
        """Why the batch is not confirmed, from the answers to `commands`; None if it is."""
        refused = next((answer for answer in answers if isinstance(answer, RedisError)), None)
        if refused or not answers:
            return refused
        found = int(answers[-1])
        if found >= self.replicas:
            return None
        return Unconfirmed(f"{found} of {self.replicas} replicas (BRIDGE_CONFIRM_REPLICAS) confirmed the write in time")

    def run(self, redis: Redis, script: Script, args: Sequence[Any], *, at: str, seconds: float) -> tuple[Any, str]:
        """Run a script in the partition with the prefix `at`.

        Returns its answer, and why it is not confirmed (empty: it is). Raises what the client raises.
        """
        if not self.replicas:
            return script(keys=[at], args=args), ""
        answer, *ends = self._together(redis, script, (at, *args), seconds)
        if isinstance(answer, NoScriptError):
            redis.script_load(script.script)
            answer, *ends = self._together(redis, script, (at, *args), seconds)
        fault = answer if isinstance(answer, RedisError) else self.fault(ends)
        if fault and not isinstance(fault, Unconfirmed):
            raise fault
        return answer, str(fault or "")

    def _together(self, redis: Redis, script: Script, arguments: Sequence[Any], seconds: float) -> list[Any]:
        """Run all commands on one connection."""
        pipe = redis.pipeline(transaction=False)
        pipe.execute_command("EVALSHA", script.sha, 1, *arguments)  # type: ignore[no-untyped-call]
        for command in self.commands(seconds, at=str(arguments[0])):
            pipe.execute_command(*command)  # type: ignore[no-untyped-call]
        return pipe.execute(raise_on_error=False)


NO_CONFIRMATION = Confirmation()
