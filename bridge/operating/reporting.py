"""Reporting: a thread in each receiver and worker that adds entries to daily counts, and sends the weekly report.

Any number of them may run: entries are added once (`fold_report.lua`), and a report is announced once (`announce.lua`).
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING

import structlog

from bridge.errors import BridgeError
from bridge.operating.background import in_background
from bridge.operating.report_folding import fold_reported
from bridge.operating.services import AdminServices
from bridge.operating.weekly_report import WeeklyReport

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bridge.settings import Settings

log = structlog.get_logger()

EVERY_SECONDS = 60.0


class Reporting:
    """Adds entries and sends reports until stopped."""

    def __init__(self, services: AdminServices, *, every: float = EVERY_SECONDS) -> None:
        self._services = services
        self._weekly = WeeklyReport(services)
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look every minute until `stop`."""
        while not self._stopping.wait(self._every):
            try:
                if self._services.daily_counts.is_due():
                    fold_reported(self._services.daily_counts, self._services.locations)
                self._weekly.once()
            except BridgeError as error:
                log.warning("reporting.waiting", why=str(error))
            except Exception as error:  # noqa: BLE001 - a process whose thread ended would look alive and report nothing
                log.warning("reporting.waiting", why=f"internal fault: {type(error).__name__}")

    def stop(self) -> None:
        """Stop looking."""
        self._stopping.set()


def build_reporting(settings: Settings) -> Reporting:
    """Build `Reporting` with its own client. Raises Misconfigured."""
    return Reporting(AdminServices(settings))


def reporting(settings: Settings) -> AbstractContextManager[None]:
    """Report in a separate thread while a block runs. A receiver without BRIDGE_SECRET_KEY leaves it to the workers."""
    return nullcontext() if settings.secret_key is None else in_background(build_reporting(settings))
