"""`ghl-bridge demo` with short waits: for more messages, before looks at GHL's list, between sweeps, and a short lease.

The demo takes none of these from its environment, so that a real install's settings never reach it.
"""

from __future__ import annotations

from unittest.mock import patch

from bridge.cli import demo

WAITS = {"BRIDGE_READBACK_SECONDS": "1,3", "BRIDGE_LEASE_SECONDS": "6"}
SOONER = (
    ("reconcile_minutes = 0.5", "reconcile_minutes = 0.1"),
    ("debounce_seconds = 1.0", "debounce_seconds = 0.5"),
    ("provider_timeout_seconds = 20", "provider_timeout_seconds = 15"),
)


def main() -> None:
    """Run it until it is stopped."""
    locations = demo.LOCATIONS
    for was, becomes in SOONER:
        assert was in locations
        locations = locations.replace(was, becomes)
    whole = demo._environment
    with (
        patch.object(demo, "_environment", lambda environ: {**whole(environ), **WAITS}),
        patch.object(demo, "LOCATIONS", locations),
    ):
        demo.run(once=False)


if __name__ == "__main__":
    main()
