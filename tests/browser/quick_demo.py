"""`ghl-bridge demo` with short waits: sooner looks at GHL's list, a short lease, and more frequent sweeps.

The demo takes none of these from its environment, so that a real install's settings never reach it.
"""

from __future__ import annotations

from unittest.mock import patch

from bridge.cli import demo

WAITS = {"BRIDGE_READBACK_SECONDS": "1,3", "BRIDGE_LEASE_SECONDS": "6"}
SWEEPS = "reconcile_minutes = 0.5", "reconcile_minutes = 0.1"


def main() -> None:
    """Run it until it is stopped."""
    assert SWEEPS[0] in demo.LOCATIONS
    whole = demo._environment
    with (
        patch.object(demo, "_environment", lambda environ: {**whole(environ), **WAITS}),
        patch.object(demo, "LOCATIONS", demo.LOCATIONS.replace(*SWEEPS)),
    ):
        demo.run(once=False)


if __name__ == "__main__":
    main()
