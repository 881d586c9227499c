"""Results of soaks, one line each, so that runs of one commit can be summed: how many messages, by which seeds, what was broken.

`python -m tests.soak.results` sums the published ones, or those in another file.
"""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from tests.soak.report import versions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.soak.plan import Plan
    from tests.soak.run import Outcome

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "infra/docs/explanation/soak-runs.jsonl"
CONFIDENCE = 0.95
BROKEN = ("lost", "doubled", "reordered")


def note(file: Path, plan: Plan, outcomes: Sequence[Outcome]) -> None:
    """Add a line for each bridge that ran."""
    with file.open("ab") as results:
        for outcome in outcomes:
            verdict = outcome.verdict
            line = {
                "date": datetime.now(UTC).strftime("%Y-%m-%d"),
                "commit": _commit(),
                "bridge": outcome.name,
                "seed": plan.seed,
                "minutes": plan.seconds / 60,
                "strikes": len(plan.strikes),
                "accepted": verdict.accepted,
                **{name: len(getattr(verdict, name)) for name in BROKEN},
                "versions": versions(),
            }
            results.write(orjson.dumps(line) + b"\n")


def read(file: Path) -> list[dict[str, Any]]:
    """The lines of a file."""
    return [orjson.loads(line) for line in file.read_bytes().splitlines()]


def summed(lines: Iterable[dict[str, Any]]) -> list[str]:
    """A sentence for each commit and bridge: its runs in total, and the bound that follows from that."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in lines:
        groups.setdefault((line["commit"], line["bridge"]), []).append(line)
    return [_sentence(commit, bridge, runs) for (commit, bridge), runs in groups.items()]


def most_of(broken: int, messages: int) -> float:
    """The upper limit of faults in 100,000 messages, at 95 %, for this number of faults in this number of messages (Poisson)."""
    low, high = 0.0, broken + 10.0 * math.sqrt(broken + 1) + 10
    for _ in range(60):
        middle = (low + high) / 2
        at_most = sum(math.exp(count * math.log(middle) - middle - math.lgamma(count + 1)) for count in range(broken + 1))
        low, high = (middle, high) if at_most > 1 - CONFIDENCE else (low, middle)
    return high / messages * 100_000


def _sentence(commit: str, bridge: str, runs: Sequence[dict[str, Any]]) -> str:
    accepted = sum(run["accepted"] for run in runs)
    seeds = ", ".join(str(seed) for seed in sorted({run["seed"] for run in runs}))
    told = f"{commit} {bridge}: {accepted:,} messages in {len(runs)} runs (seeds {seeds}), "
    counts = {name: sum(run[name] for run in runs) for name in BROKEN}
    each = (f"{count} {name} (at most {most_of(count, accepted):.0f} in 100,000 at 95 %)" for name, count in counts.items())
    return told + ", ".join(each)


def _commit() -> str:
    """The commit, with a plus if files were changed."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.stdout.write("\n".join(summed(read(Path(sys.argv[1]) if len(sys.argv) > 1 else PUBLISHED))) + "\n")
