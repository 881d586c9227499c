"""Who may call GHL, and how often: tokens, the `Version` header, the budget of each location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.simulator import refusals
from bridge.simulator.overlays import VERSIONS
from bridge.simulator.window import RequestWindow

if TYPE_CHECKING:
    from bridge.simulator.simulation import Simulation
    from bridge.simulator.wire import Call

_DAILY = 200_000
# What is told where no limit is wished for.
_BOUNDLESS = 1_000_000


def enter(simulation: Simulation, call: Call) -> set[str]:
    """Let a request in, or refuse it. Answers the locations that the token is good for."""
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
    """Tell what is left of the budget, in the headers that GHL uses."""
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
    """Find the budget that a request is paid from: its location's, or its token's if it names none."""
    return simulation.rates.setdefault(call.location_id or call.bearer, RequestWindow())
