"""`python -m bridge.simulator`."""

from __future__ import annotations

from bridge.simulator.options import parse
from bridge.simulator.serving import run

if __name__ == "__main__":
    run(parse())
