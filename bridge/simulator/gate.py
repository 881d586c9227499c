"""Checks of each request to GHL: token, `Version` header, and the rate limit of each location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.simulator import refusals
from bridge.simulator.overlays import VERSIONS
from bridge.simulator.window import RequestWindow

if TYPE_CHECKING:
    from bridge.simulator.simulation import Simulation
    from bridge.simulator.wire import Call

_DAILY = 200_000
# The limit in headers if there is none.
_BOUNDLESS = 1_000_000


def enter(simulation: Simulation, call: Call) -> set[str]:
    """Accept a request or refuse it. Returns the ids of the locations for which the token is valid."""
    locations = _opened(simulation, call)
    version = call.headers.get("version")
    if version is None:
        raise refusals.no_version()
    if version not in VERSIONS:
        raise refusals.unknown_version()
    if version in simulation.defaults.retired_versions:
        raise refusals.retired_version()
    _spend(simulation, call)
    return locations


def _opened(simulation: Simulation, call: Call) -> set[str]:
    known = simulation.world.tokens.get(call.bearer) if call.bearer else None
    lent = simulation.grants.lent(call.bearer, now=simulation.now())
    if lent and not lent.location_ids:
        raise refusals.wrong_kind()
    opened = known or (set(lent.location_ids) if lent else set())
    if not opened:
        raise refusals.invalid_token()
    return opened


def limits(simulation: Simulation, call: Call) -> dict[str, str]:
    """The remaining budget, in the headers that GHL uses."""
    defaults = simulation.defaults
    window = _window(simulation, call)
    most = defaults.rate_limit or _BOUNDLESS
    return {
        "X-RateLimit-Max": str(most),
        "X-RateLimit-Remaining": str(max(0, most - window.used(seconds=defaults.rate_seconds))),
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


def _window(simulation: Simulation, call: Call) -> RequestWindow:
    """The budget of a request: its location's, or its token's if it names no location."""
    return simulation.rates.setdefault(call.location_id or call.bearer, RequestWindow())
