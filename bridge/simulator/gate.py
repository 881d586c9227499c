"""Who may call GHL, and how often: tokens, the `Version` header, the budget of each location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.simulator import refusals
from bridge.simulator.overlays import VERSIONS
from bridge.simulator.window import Window

if TYPE_CHECKING:
    from bridge.simulator.simulation import Simulation
    from bridge.simulator.wire import Call

_DAILY = 200_000


def enter(simulation: Simulation, call: Call) -> set[str]:
    """Let a request in, or refuse it. Answers the locations that the token is good for."""
    locations = simulation.world.tokens.get(call.bearer) if call.bearer else None
    if not locations:
        raise refusals.invalid_token()
    version = call.headers.get("version")
    if version is None:
        raise refusals.no_version()
    if version not in VERSIONS:
        raise refusals.unknown_version()
    _spend(simulation, call)
    return locations


def limits(simulation: Simulation, call: Call) -> dict[str, str]:
    """Tell what is left of the budget, in the headers that GHL uses."""
    defaults = simulation.defaults
    window = _window(simulation, call)
    return {
        "X-RateLimit-Max": str(defaults.rate_limit),
        "X-RateLimit-Remaining": str(max(0, defaults.rate_limit - window.used(seconds=defaults.rate_seconds))),
        "X-RateLimit-Interval-Milliseconds": str(int(defaults.rate_seconds * 1000)),
        "X-RateLimit-Limit-Daily": str(_DAILY),
        "X-RateLimit-Daily-Remaining": str(max(0, _DAILY - window.today)),
    }


def _spend(simulation: Simulation, call: Call) -> None:
    defaults = simulation.defaults
    window = _window(simulation, call)
    if defaults.rate_limit and window.used(seconds=defaults.rate_seconds) >= defaults.rate_limit:
        raise refusals.too_many()
    window.take()


def _window(simulation: Simulation, call: Call) -> Window:
    """Find the budget that a request is paid from: its location's, or its token's if it names none."""
    return simulation.rates.setdefault(call.location_id or call.bearer, Window())
