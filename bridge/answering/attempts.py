"""What is done beside a turn's end, and isn't worth losing the end over."""

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
    """Do it; a fault is logged. Raises Fenced and Unavailable: then the turn is another's."""
    try:
        act()
    except (Fenced, Unavailable):
        raise
    except Exception as error:  # noqa: BLE001 - nor over a fault of our own
        log.warning("turn.not_done", what=what, lane=str(case.turn.lane), turn=case.turn.id, error=retry.words(error))
