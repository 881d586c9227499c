"""One request to GHL. It records the rate limit from the answer's headers, and whether GHL is up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from bridge.errors import OutcomeUnknown, ServiceDown
from bridge.ghl import rate_limit_headers
from bridge.wire.answers import retry_after
from bridge.wire.calls import CutShort

if TYPE_CHECKING:
    from bridge.ghl.access import Access, Breaker, Direction
    from bridge.wire.calls import Answer, Wire

# From this status on it is GHL's fault (RFC 9110, 15.6); from 502 on (gateways, Cloudflare's 52x) the request can't be the cause.
OWN_FAULT, UNREACHABLE = 500, 502


def ask(wire: Wire, method: str, url: str, *, access: Access, direction: Direction, **request: Any) -> Answer:
    """Make one request. Raises the same as `Wire.call`."""
    began = time.monotonic()
    try:
        answer = wire.call(method, url, **request)
    except CutShort as cut:
        _note(access.breaker, direction, cut.status, time.monotonic() - began)
        raise
    except (ServiceDown, OutcomeUnknown) as error:
        # A post without an answer may be caused by a slow channel.
        unreachable = direction == "reads" or isinstance(error, ServiceDown)
        access.breaker.failed(direction, unreachable=unreachable, seconds=time.monotonic() - began)
        raise
    _note(access.breaker, direction, answer.status, answer.seconds)
    limits = rate_limit_headers.read(answer.headers)
    if answer.status == rate_limit_headers.TOO_MANY_REQUESTS:
        access.budget.rate_limited(retry_after(answer.headers), limits)
    else:
        access.budget.learn_limits(limits)
    return answer


def _note(breaker: Breaker, direction: Direction, status: int, seconds: float) -> None:
    """Record an answer; a 408 only means that this request was too slow."""
    if status >= OWN_FAULT:
        breaker.failed(direction, unreachable=status >= UNREACHABLE, seconds=seconds)
    else:
        breaker.passed(direction)
