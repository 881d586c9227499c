"""The report of a soak: one table for people, one document for machines."""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from dataclasses import asdict
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Any

from bridge.cli import redis_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.soak.plan import Plan
    from tests.soak.run import Outcome


def document(plan: Plan, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All results, as JSON."""
    return {
        "seed": plan.seed,
        "seconds": plan.seconds,
        "cores": os.cpu_count(),
        "versions": versions(),
        "outcomes": [asdict(outcome) for outcome in outcomes],
    }


def versions() -> dict[str, str]:
    """The versions of all programs."""
    server = subprocess.run([redis_server.find(), "--version"], capture_output=True, text=True, check=True).stdout
    return {
        "ghl-bridge": version("ghl-bridge"),
        "Python": platform.python_version(),
        "Celery": version("celery"),
        "Redis": server.partition("v=")[2].partition(" ")[0],
    }


def table(plan: Plan, outcomes: Sequence[Outcome]) -> str:
    """One table with a column for each bridge, as Markdown that a terminal shows well too."""
    rows = [
        _row("", [outcome.name for outcome in outcomes]),
        _row("messages written", [outcome.verdict.written for outcome in outcomes]),
        _row("accepted (webhook answered 2xx)", [outcome.verdict.accepted for outcome in outcomes]),
        _row("replied", [outcome.verdict.replied for outcome in outcomes]),
        _row("not replied, with recorded outcome", [_recorded(outcome) for outcome in outcomes]),
        _row("replied, with another outcome recorded", [outcome.contradicted for outcome in outcomes]),
        _row("**lost**", [_lost(outcome) for outcome in outcomes]),
        _row("**doubled**", [len(outcome.verdict.doubled) for outcome in outcomes]),
        _row("**reordered**", [len(outcome.verdict.reordered) for outcome in outcomes]),
        _row("posts to the wrong contact", [outcome.verdict.strays for outcome in outcomes]),
        _row("accepted to replied: median / 99 % / longest, s", [_waits(outcome) for outcome in outcomes]),
        *(
            _row(f"{kind} ({times}x): recovery", [_recovery(one, kind) for one in outcomes])
            for kind, times in outcomes[0].strikes.items()
        ),
    ]
    head, *others = _aligned(rows)
    rule = "|" + "|".join("-" * (len(cell)) for cell in head.strip("|").split("|")) + "|"
    known = ", ".join(f"{name} {number}" for name, number in versions().items())
    intro = (
        f"seed {plan.seed}, {plan.seconds / 60:g} minutes, {len(plan.lines)} messages of {plan.writers} contacts, "
        f"{len(plan.strikes)} strikes; {known}; {os.cpu_count()} cores.\n"
        "Recovery: seconds from the strike until a message written right after it is replied to: median / "
        "longest; then the longest wait for a reply to what was unanswered at a strike. A completion takes 1 s of them."
    )
    return "\n".join([intro, "", head, rule, *others])


def _row(name: str, cells: Sequence[object]) -> list[str]:
    return [name, *(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells)]


def _recorded(outcome: Outcome) -> str:
    told = Counter(outcome.recorded[mark] for mark in outcome.verdict.recorded)
    return f"{told.total():,}" + "".join(f"; {count:,} {why}" for why, count in told.most_common())


def _lost(outcome: Outcome) -> str:
    lost = f"{len(outcome.verdict.lost):,}"
    return f"{lost} ({outcome.held:,} of them come an hour late)" if outcome.held else lost


def _waits(outcome: Outcome) -> str:
    return f"{outcome.reply_median:.1f} / {outcome.reply_99:.1f} / {outcome.reply_max:.1f}"


def _recovery(outcome: Outcome, kind: str) -> str:
    tries = outcome.recoveries.get(kind, [])
    replied = [seconds for seconds in tries if seconds is not None]
    never = f"; {len(tries) - len(replied)} never" if len(replied) < len(tries) else ""
    waits = f"{median(replied):.1f} / {max(replied):.1f}" if replied else "-"
    return f"{waits}{never}; {outcome.under_way[kind]:.1f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
