"""Optional steps at the end of a turn, whose failure must not prevent that end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.errors import Fenced, Unavailable
from bridge.policy import retry

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.answering.case import Case

log = structlog.get_logger()


def attempt(case: Case, what: str, act: Callable[[], object]) -> None:
    """Call `act` and log its errors. Raises only Fenced and Unavailable: then another worker has the turn."""
    try:
        act()
    except (Fenced, Unavailable):
        raise
    except Exception as error:  # noqa: BLE001 - nor over a fault of our own
        log.warning("turn.not_done", what=what, lane=str(case.turn.lane), turn=case.turn.id, error=retry.words(error))
