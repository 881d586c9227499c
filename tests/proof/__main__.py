"""`python -m tests.proof`: every fault at every call, pairs of them, or seeded walks; 1 if a guarantee was broken."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from tests.proof.cases import Case, pairs, run, singles
from tests.proof.machine import machine_in
from tests.proof.scenes import SCENES
from tests.proof.shapes import SHAPES
from tests.proof.walk import shrink, take, walk_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.proof.cases import Result
    from tests.proof.machine import Machine
    from tests.proof.shapes import Shape

SILENT = 50


def main() -> int:
    """Run the requested cases, and print the result."""
    given = _parser().parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(SILENT))
    with tempfile.TemporaryDirectory() as folder, machine_in(Path(folder)) as machine:
        broken = _walks(machine, given) if given.walks else _cases(machine, given)
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=__doc__)
    parser.add_argument(
        "--pairs",
        type=_share,
        metavar="K/N",
        help="every second fault after a first one, of the core shapes; the K-th share of N",
    )
    parser.add_argument("--shape", default="", help="only the shapes whose names hold this")
    parser.add_argument("--walks", type=int, default=0, help="so many walks instead")
    parser.add_argument("--seed", type=int, default=1, help="of the first walk")
    parser.add_argument("--minutes", type=float, default=0, help="begin nothing more after so long")
    return parser


def _share(text: str) -> tuple[int, int]:
    """`3/20` is the third of twenty parts of all pairs, `1` all of them."""
    share, _, of = text.partition("/")
    return int(share), int(of or 1)


def _cases(machine: Machine, given: argparse.Namespace) -> int:
    shapes = [one for one in (*SHAPES, *SCENES) if given.shape in one.name and (one.core or not given.pairs)]
    began, ran = time.monotonic(), 0
    broken = _undisturbed(machine, shapes)
    for number, shape in enumerate(shapes, start=1):
        before, found = ran, 0
        for result in _of(machine, shape, given):
            ran += 1
            if result.broken:
                found += 1
                _tell(f"  {result}")
            # Each shape has its share of the time.
            if given.minutes and time.monotonic() - began > given.minutes * 60 * number / len(shapes):
                break
        broken += found
        _tell(f"{shape.name}: {ran - before:,} cases, {found} broke a promise")
    _tell(f"{ran / 1000:.1f} thousand cases in {time.monotonic() - began:.0f} s, {broken} broke a promise")
    return broken


def _undisturbed(machine: Machine, shapes: Sequence[Shape]) -> int:
    """All runs without a fault, which take a few seconds: they show every broken rule."""
    results = {shape.name: run(machine, Case(shape)).broken for shape in shapes}
    for name, broken in results.items():
        if broken:
            _tell(f"{name}, undisturbed: {'; '.join(broken)}")
    return sum(map(bool, results.values()))


def _of(machine: Machine, shape: Shape, given: argparse.Namespace) -> Iterator[Result]:
    undisturbed = run(machine, Case(shape))
    for number, case in enumerate(singles(shape, undisturbed)):
        if not given.pairs:
            yield run(machine, case)
        elif number % given.pairs[1] == given.pairs[0] % given.pairs[1]:
            result = run(machine, case)
            yield from (run(machine, both) for both in pairs(shape, case, result))


def _walks(machine: Machine, given: argparse.Namespace) -> int:
    began, ran, hours, faults, broken = time.monotonic(), 0, 0.0, 0, 0
    for number in range(given.seed, given.seed + given.walks):
        if given.minutes and time.monotonic() - began > given.minutes * 60:
            break
        ran += 1
        walk = walk_of(number)
        outcome = take(machine, walk)
        hours, faults = hours + outcome.seconds / 3600, faults + len(outcome.struck)
        if outcome.broken:
            broken += 1
            _tell(f"seed {number} ({walk.world}): {'; '.join(outcome.broken)}")
            _tell(f"  the smallest that was found: {shrink(machine, walk, outcome)}")
    told = f"{ran} walks from seed {given.seed} on, {hours:,.0f} hours, {faults:,} faults at calls"
    _tell(f"{told}, in {time.monotonic() - began:.0f} s, {broken} broke a promise")
    return broken


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
