"""`python -m infra.bench.breakdown`: one reply's commands in Redis, by script, and bytes in the append-only file, by key.

Counts and bytes only, of contacts' first messages: they are the same on a busy machine.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from bridge.cli import redis_server
from bridge.store.redis.lua import all_scripts
from infra.bench import cost
from infra.bench.bridges import OURS
from infra.bench.far_side import FarSide
from infra.bench.operations import script_sha, watched
from infra.bench.report import table
from infra.bench.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

PLAN = replace(cost.FULL, connections=8)
# Lines of a table; rarer entries are summed.
SHOWN = 250
# Digests and ids in keys' names are left out.
KIND = re.compile(r"^\{ghlb:[^}]*\}:([a-z_]+)(?::(spent|faults|waiting|strikes|open|minute|hour))?")


@dataclass(slots=True)
class Sums:
    """Times and bytes by name."""

    times: Counter[tuple[str, ...]] = field(default_factory=Counter)
    bytes: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add(self, name: tuple[str, ...], size: int) -> None:
        """Count one."""
        self.times[name] += 1
        self.bytes[name] += size

    def by(self, *places: int) -> Sums:
        """The sums by some places of the names."""
        summed = Sums()
        for name, times in self.times.items():
            shorter = tuple(name[place] for place in places)
            summed.times[shorter] += times
            summed.bytes[shorter] += self.bytes[name]
        return summed


def main() -> None:
    """Measure and print."""
    print(uvloop.run(_measure(PLAN)))


async def _measure(plan: cost.CostPlan) -> str:
    far_side = FarSide()
    with tempfile.TemporaryDirectory() as scratch, redis_server.running(Path(scratch) / "redis") as url:
        stage = Stage(Path(scratch), url, far_side, await far_side.open())
        try:
            await cost.prepare(stage, plan, OURS)
            begins = {file: file.stat().st_size for file in _files(Path(scratch))}
            seen = await watched(stage, cost.replies(stage, plan, plan.replies))
            written = b"".join(_since(file, begins.get(file, 0)) for file in _files(Path(scratch)))
        finally:
            stage.stop()
    commands, file = by_script(seen), by_key(written)
    return "\n\n".join(
        (
            _told("script", commands.by(0), plan.replies),
            _told("script, command, key", commands, plan.replies),
            _told("append-only file: verb", file.by(0), plan.replies),
            _told("append-only file: key", file.by(1), plan.replies),
            _told("append-only file: verb, key", file, plan.replies),
        )
    )


def by_script(seen: Iterable[tuple[str, bool]]) -> Sums:
    """The commands that MONITOR showed: those of a script follow its call."""
    names, sums, script = {script_sha(name): name for name in all_scripts()}, Sums(), ""
    for command, within in seen:
        words = [word.strip('"') for word in command.split(" ", 3)]
        if within:
            sums.add((script, words[0], kind_of(words[1] if len(words) > 1 else "")), len(command))
        elif words[0].upper() in {"EVALSHA", "EVAL"}:
            script = names.get(words[1], "of another")
            sums.add((script, "(call)", ""), len(command))
        elif not cost.OURS.match(command):
            sums.add(("(no script)", words[0], kind_of(words[1] if len(words) > 1 else "")), len(command))
    return sums


def by_key(written: bytes) -> Sums:
    """The commands in a part of an append-only file."""
    sums = Sums()
    for words, size in _commands(written):
        name = words[1].decode(errors="replace") if len(words) > 1 else ""
        sums.add((words[0].decode().upper(), kind_of(name)), size)
    return sums


def kind_of(name: str) -> str:
    """The kind of a key, without ids."""
    found = KIND.match(name)
    return ":".join(filter(None, found.groups())) if found else name[:12]


def _commands(written: bytes) -> Iterator[tuple[Sequence[bytes], int]]:
    at = 0
    while at < len(written):
        begins, end = at, written.index(b"\r\n", at)
        if written[at : at + 1] != b"*":
            at = end + 2
            continue
        count, at, words = int(written[at + 1 : end]), end + 2, []
        for _ in range(count):
            end = written.index(b"\r\n", at)
            length = int(written[at + 1 : end])
            words.append(written[end + 2 : end + 2 + length])
            at = end + 2 + length + 2
        yield words, at - begins


def _files(folder: Path) -> Iterable[Path]:
    return sorted(folder.glob("redis/**/*.incr.aof"))


def _since(file: Path, begin: int) -> bytes:
    with file.open("rb") as opened:
        opened.seek(begin)
        return opened.read()


def _told(what: str, sums: Sums, count: int) -> str:
    head = (what, "times a reply", "bytes a reply")
    sizes: Mapping[tuple[str, ...], int] = sums.bytes
    names = sorted(sizes, key=lambda name: -sizes[name] if what.startswith("append") else -sums.times[name])
    rest = names[SHOWN:]
    lines = [(" ".join(name), f"{sums.times[name] / count:.2f}", f"{sizes[name] / count:,.0f}") for name in names[:SHOWN]]
    for name, some in (("the rest", rest), ("all", names)):
        times, size = (sum(all_[one] for one in some) / count for all_ in (sums.times, sizes))
        lines.append((name, f"{times:.2f}", f"{size:,.0f}"))
    return table(head, lines)


if __name__ == "__main__":
    main()
