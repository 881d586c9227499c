"""Checks that are too long for every commit, with time limits and the day's seeds: `make nightly` writes a report with commands.

Any scheduler will do: it needs a clone, Python, make, and about forty minutes of two cores. It ends with 1 if a step failed.
`--minutes` bounds each of its steps, to see whether all of them run; `--steps` names those to run.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHON = ".venv/bin/python"
# Beyond what a step may take by itself: whatever hangs is ended and named.
PATIENCE_SECONDS = 900
TOLD_LINES = 30


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and its purpose."""

    title: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a step: its exit code (None: it was stopped), its duration (s), and its last output."""

    step: Step
    code: int | None
    seconds: float
    said: str


def steps_of(day: datetime, minutes: float = PATIENCE_SECONDS / 60) -> tuple[Step, ...]:
    """The steps of a day: its date is the seed, so every night has other walks and pairs. No step takes longer than `minutes`."""
    date, number = day.strftime("%Y%m%d"), day.toordinal()

    def most(usual: float) -> str:
        return f"{min(usual, minutes):g}"

    return (
        Step("walks", (PYTHON, "-m", "tests.proof", "--walks", "1000", "--seed", f"{date}000", "--minutes", most(10))),
        Step(
            "pairs of faults",
            (PYTHON, "-m", "tests.proof", "--pairs", f"{number % 100 + 1}/100", "--minutes", most(12)),
        ),
        Step("soak", (PYTHON, "-m", "tests.soak", "--minutes", most(3), "--seed", date, "--results", "build/nightly/soak.jsonl")),
        Step("long tests", (PYTHON, "-m", "pytest", "-m", "nightly", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")),
        Step("benchmarks", (PYTHON, "-m", "infra.bench", "--quick")),
        Step("fuzzers", (PYTHON, "-m", "pytest", "-n", "0", "tests/test_fuzzing.py")),
    )


def run(step: Step) -> Done:
    """Run a step to its end, or until its time limit."""
    began = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603 - the steps above
            step.command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return Done(step, None, time.monotonic() - began, _last(late.stdout or b""))
    return Done(step, done.returncode, time.monotonic() - began, _last(done.stdout))


def report(day: datetime, commit: str, done: list[Done]) -> str:
    """The report as Markdown: what ran, how it ended, and the command that repeats it."""
    head = f"# Nightly, {day:%Y-%m-%d}\n\nCommit {commit}, Python {platform.python_version()}, {platform.platform()}.\n"
    return head + "".join(
        f"\n## {one.step.title}: {_word(one)}, {one.seconds:.0f} s\n\n`{' '.join(one.step.command)}`\n\n```\n{one.said}\n```\n"
        for one in done
    )


def main() -> int:
    """Run all steps, also after a failure, and write the report; 1 if one failed."""
    day = datetime.now(UTC)
    names = [step.title for step in steps_of(day)]
    parser = argparse.ArgumentParser(prog="python -m infra.dev.nightly", description=__doc__)
    parser.add_argument("--minutes", type=float, default=PATIENCE_SECONDS / 60, help="what walks, pairs and soak take at most")
    parser.add_argument("--steps", nargs="+", choices=names, default=names, metavar="STEP", help=f"of {', '.join(names)}")
    given = parser.parse_args()
    folder = ROOT / "build/nightly"
    folder.mkdir(parents=True, exist_ok=True)
    done = []
    for step in (one for one in steps_of(day, given.minutes) if one.title in given.steps):
        done.append(run(step))
        sys.stdout.write(f"{step.title}: {_word(done[-1])}, {done[-1].seconds:.0f} s\n")
        sys.stdout.flush()
    file = folder / f"{day:%Y-%m-%d}.md"
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    file.write_text(report(day, commit.stdout.strip() or "unknown", done), encoding="utf-8")
    sys.stdout.write(f"the report: {file.relative_to(ROOT)}\n")
    return 1 if any(one.code for one in done) or any(one.code is None for one in done) else 0


def _word(one: Done) -> str:
    if one.code is None:
        return f"ended after {PATIENCE_SECONDS} s"
    return f"failed with {one.code}" if one.code else "passed"


def _last(output: str | bytes) -> str:
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    return "\n".join(text.rstrip().splitlines()[-TOLD_LINES:])


if __name__ == "__main__":
    sys.exit(main())
