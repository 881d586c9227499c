"""One bridge with one plan: messages are written, strikes happen, all work ends, and the oracle judges."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from math import inf
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from tests.soak.oracle import Written, judge
from tests.soak.plan import START_SECONDS, Line, Strike, probe
from tests.soak.stage import Stage
from tests.soak.strikes import JUMP_SECONDS
from tests.soak.watch import Watch
from tests.story.machine import poll

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.soak.oracle import Verdict
    from tests.soak.plan import Plan
    from tests.soak.sides import Side

    Doing = Line | Strike | Callable[[], bool]

PROGRESS_SECONDS = 5.0
# Longer than any retry or read-back of either bridge takes to begin.
QUIET_SECONDS = 15.0
IDLE_SECONDS = 4.0
LONGEST_SETTLING = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a soak of one bridge came to; durations are seconds. `recoveries` has None for a probe that got no reply.

    `recorded` are the outcomes but `replied`, by mark, `contradicted` how many of these got a reply anyway;
    `under_way` is the longest wait from a strike of that kind for a reply to what was accepted and unanswered when it fell.
    """

    name: str
    verdict: Verdict
    strikes: dict[str, int]
    recoveries: dict[str, list[float | None]]
    under_way: dict[str, float]
    reply_median: float
    reply_99: float
    reply_max: float
    recorded: dict[str, str]
    contradicted: int
    held: int
    settled_in: float
    evidence: dict[str, Any]


@dataclass(slots=True)
class Soak:
    """The state of a running soak."""

    stage: Stage
    watch: Watch
    plan: Plan
    tell: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    said: list[tuple[Line, float, dict[str, Any]]] = field(default_factory=list)
    struck: list[tuple[Strike, float, str]] = field(default_factory=list)
    to_do: list[tuple[float, int, Doing]] = field(default_factory=list)
    number: count[int] = field(default_factory=count)
    # By target: from when on it may be struck again; no time while it is struck.
    free_at: dict[str, float] = field(default_factory=dict)

    def play(self) -> None:
        """Do everything in the plan at its time, and print it."""
        for line in self.plan.lines:
            self._later(line.at, line)
        for strike in self.plan.strikes:
            self._later(strike.at, strike)
        told = 0.0
        while self.to_do:
            at, _, doing = self.to_do[0]
            now = time.monotonic() - self.began
            if now - told >= PROGRESS_SECONDS:
                told = now
                self.tell(self._progress(now))
            if at > now:
                time.sleep(min(at - now, 0.2))
                continue
            heapq.heappop(self.to_do)
            self._do(doing, now)

    def settle(self) -> float:
        """Wait until everything is answered, or nothing has changed for long; returns the seconds."""
        began = time.monotonic()
        idle_since = began
        # What was posted before a clock jumped back has its time in the future, and is looked for that much later.
        jump = JUMP_SECONDS if any(strike.kind == "Redis' clock jumps" for strike, _, _ in self.struck) else 0
        while time.monotonic() - began < LONGEST_SETTLING + jump:
            now = time.monotonic()
            if not (self._all_answered() and self.stage.side.is_idle(self.stage.machine.redis)):
                idle_since = now
            if now - idle_since > IDLE_SECONDS or now - max(began, self.watch.last_reply) > QUIET_SECONDS + jump:
                break
            time.sleep(0.2)
        return time.monotonic() - began

    def written(self) -> list[Written]:
        """Every message, with the time at which its webhook was accepted."""
        return [
            Written(
                mark=line.mark,
                contact_id=said["contact_id"],
                message_id=said["message_id"],
                at=at,
                accepted_at=self.watch.accepted.get(said["webhook_id"]),
            )
            for line, at, said in self.said
        ]

    def recoveries(self) -> dict[str, list[float | None]]:
        """The seconds from each kind of strike to the reply to its probe."""
        found: dict[str, list[float | None]] = {}
        for strike, at, mark in self.struck:
            replied = self.watch.replied.get(mark)
            found.setdefault(strike.kind, []).append(replied[0] - at if replied else None)
        return found

    def under_way(self) -> dict[str, float]:
        """The longest wait of a message that was accepted and unanswered at each kind of strike."""
        times = [(one.accepted_at, self.watch.replied[one.mark][0]) for one in self.written() if one.mark in self.watch.replied]
        longest: dict[str, float] = {}
        for strike, at, _ in self.struck:
            waits = [replied - at for accepted, replied in times if accepted is not None and accepted <= at < replied]
            longest[strike.kind] = max(longest.get(strike.kind, 0.0), *waits, 0.0)
        return longest

    def _do(self, doing: Doing, now: float) -> None:
        match doing:
            case Line():
                self._write(doing)
            case Strike() if now < self.free_at.get(doing.target, 0.0):
                # On a busy machine what is struck takes longer to be whole again than planned.
                self._later(now + 0.2, doing)
            case Strike():
                self._strike(doing, now)
            case again:
                if not again():
                    self._later(now + 0.1, again)

    def _write(self, line: Line) -> None:
        at = time.monotonic()
        self.said.append((line, at, self.stage.write(line)))

    def _strike(self, strike: Strike, now: float) -> None:
        asked = probe(self.plan.writers + len(self.struck))
        self.stage.contact(asked.contact)
        at = time.monotonic()
        remedy = self.stage.strike(strike)
        if remedy:
            self.free_at[strike.target] = inf
            self._later(now + strike.seconds, lambda: self._mend(strike, remedy))
        self._write(asked)
        self.struck.append((strike, at, asked.mark))
        self.tell(f"{now:6.1f} s  {_told(strike)}")

    def _mend(self, strike: Strike, remedy: Callable[[], bool]) -> bool:
        done = remedy()
        if done:
            self.free_at[strike.target] = time.monotonic() - self.began + START_SECONDS
        return done

    def _later(self, at: float, doing: Doing) -> None:
        heapq.heappush(self.to_do, (at, next(self.number), doing))

    def _all_answered(self) -> bool:
        open_ = [one for one in self.written() if one.mark not in self.watch.replied]
        return all(one.accepted_at for one in open_) and len(self.stage.side.outcomes(self.stage.machine.redis, open_)) == len(
            open_
        )

    def _progress(self, now: float) -> str:
        left = max(0, round(self.plan.seconds - now))
        counts = f"{len(self.said)} written, {len(self.watch.accepted)} accepted, {len(self.watch.replied)} replied"
        return f"{self.stage.side.name}: {left // 60}:{left % 60:02} left, {len(self.struck)} strikes, {counts}"


def run(plan: Plan, side: Side, folder: Path, *, tell: Callable[[str], None], on: type[Stage] = Stage) -> Outcome:
    """Run a plan with a bridge whose files are in `folder`, on this kind of stage."""
    stage = on(folder, side)
    try:
        stage.open()
        with Watch(stage.machine.sim.url) as watch:
            for number in range(plan.writers):
                stage.contact(number)
            soak = Soak(stage, watch, plan, tell)
            soak.play()
            stage.make_whole()
            tell(f"{side.name}: no more strikes, waiting until everything has settled")
            settled_in = soak.settle()
            outcome = _judge(soak, settled_in)
            stage.machine.kill("simulator")
        return outcome
    finally:
        stage.close()


def _judge(soak: Soak, settled_in: float) -> Outcome:
    stage, watch = soak.stage, soak.watch
    written = soak.written()
    posts = stage.posts()
    poll("a watch that has missed no webhook", lambda: stage.webhooks() == watch.statuses, told=lambda: watch.statuses)
    recorded = dict(stage.side.outcomes(stage.machine.redis, written))
    # A reply that the bridge believes in and GHL doesn't have is no outcome, it is lost.
    verdict = judge(written, posts, {mark for mark, told in recorded.items() if told != "replied"})
    waits = [watch.replied[one.mark][0] - one.accepted_at for one in written if one.accepted_at and one.mark in watch.replied]
    return Outcome(
        name=stage.side.name,
        verdict=verdict,
        strikes=dict(Counter(strike.kind for strike, _, _ in soak.struck)),
        recoveries=soak.recoveries(),
        under_way=soak.under_way(),
        reply_median=median(waits),
        reply_99=quantiles(waits, n=100)[98],
        reply_max=max(waits),
        recorded={mark: told for mark, told in recorded.items() if told != "replied"},
        contradicted=sum(told != "replied" and mark in watch.replied for mark, told in recorded.items()),
        held=len(stage.side.held(stage.machine.redis) & set(verdict.lost)),
        settled_in=settled_in,
        evidence=_evidence(soak, written, verdict, posts),
    )


def _evidence(soak: Soak, written: list[Written], verdict: Verdict, posts: dict[str, list[str]]) -> dict[str, Any]:
    """All data about the failed messages, to find the cause; seconds from the start."""
    wrong = {*verdict.lost, *verdict.doubled, *verdict.reordered}
    return {
        one.mark: {
            "contact_id": one.contact_id,
            "message_id": one.message_id,
            "written_at": one.at - soak.began,
            "accepted_at": one.accepted_at and one.accepted_at - soak.began,
            "replied_at": [at - soak.began for at in soak.watch.replied.get(one.mark, ())],
            "posts": posts.get(one.contact_id, []),
            "story": [f"{event.at_ms} {event.step} {event.details}" for event in soak.stage.machine.events(one.message_id)],
        }
        for one in written
        if one.mark in wrong
    }


def _told(strike: Strike) -> str:
    what = strike.kind if strike.target in {"", "redis", *strike.kind.split()} else f"{strike.kind} ({strike.target})"
    more = f", for {strike.seconds:.1f} s" if strike.seconds else f", {strike.times} of them" if strike.times else ""
    return what + more
