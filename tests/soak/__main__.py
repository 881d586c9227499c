"""`python -m tests.soak`: random kills of everything under load, and the outcome of every message."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import orjson

from tests.soak.clustered import CLUSTER_KINDS, ClusterStage
from tests.soak.node_red import NodeRed
from tests.soak.plan import WEIGHTS, plan
from tests.soak.report import document, table
from tests.soak.results import note, read, summed
from tests.soak.run import run
from tests.soak.sides import Bridge, Side, Tutorial
from tests.soak.stage import Stage
from tests.story.preloaded import COMPILER

SIDES: dict[str, Side] = {
    "bridge": Bridge(),
    "tutorial": Tutorial(),
    **({"node-red": NodeRed()} if shutil.which("node-red") else {}),
}


def main() -> int:
    """Run it; 1 if the bridge lost, doubled or reordered anything."""
    given = _parser().parse_args()
    # Ended from outside, it must not leave a dozen processes behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    if given.clock_jumps and COMPILER is None:
        sys.exit("--clock-jumps needs a C compiler")
    kinds = CLUSTER_KINDS if given.cluster else [kind for kind in WEIGHTS if kind != "Redis' clock jumps" or given.clock_jumps]
    planned = plan(seed=given.seed, seconds=given.minutes * 60, kinds=kinds, rate=given.rate)
    only, stage = ("bridge", ClusterStage) if given.cluster else (given.only, Stage)
    sides = [side for name, side in SIDES.items() if only in {"", name}]
    folder = given.keep or Path(tempfile.mkdtemp(prefix="soak-"))
    outcomes = [run(planned, side, _made(folder / side.name), tell=_tell, on=stage) for side in sides]
    _tell("\n" + table(planned, outcomes))
    if given.json:
        given.json.write_bytes(orjson.dumps(document(planned, outcomes), option=orjson.OPT_INDENT_2))
    if given.results:
        note(given.results, planned, outcomes)
        _tell("\n" + "\n".join(summed(read(given.results))))
    clean = all(outcome.verdict.is_clean for outcome in outcomes if outcome.name == Bridge().name)
    if not clean:
        (folder / "evidence.json").write_bytes(orjson.dumps(document(planned, outcomes), option=orjson.OPT_INDENT_2))
        _tell(f"\nThe bridge has broken its promise; evidence and logs are in {folder}")
    elif not given.keep:
        shutil.rmtree(folder)
    return 0 if clean else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of writing and killing, for each bridge")
    parser.add_argument("--seed", type=int, default=1, help="the same seed plans the same messages and kills")
    parser.add_argument("--rate", type=float, default=12.0, help="messages a second")
    parser.add_argument("--only", choices=sorted(SIDES), default="", help="run one of them")
    parser.add_argument(
        "--clock-jumps",
        action="store_true",
        help="Redis' clock jumps by a minute too, back and forth",
    )
    parser.add_argument(
        "--cluster", action="store_true", help="the state is on three primaries with a replica each, which are struck too"
    )
    parser.add_argument("--json", type=Path, help="where to write everything as JSON")
    parser.add_argument(
        "--results", type=Path, help="a file of results, one line for each run: this one is added, and all are summed"
    )
    parser.add_argument("--keep", type=Path, help="a folder for logs and state, kept whatever happens")
    return parser


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
