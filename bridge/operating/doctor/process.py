"""Examines what the process that answers may use of its machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.operating.doctor.findings import Finding, note
from bridge.process import descriptors, descriptors_needed

if TYPE_CHECKING:
    from bridge.settings import Settings


def examine_descriptors(settings: Settings) -> Finding:
    """Whether as many files and connections may be open as the settings can need.

    If not, a note: services have limits of their own.
    """
    most, needed = descriptors(), descriptors_needed(settings.worker_threads)
    if most >= needed:
        says = f"up to {most} files and connections may be open here, {needed} are enough for these settings"
        return Finding("descriptors", ok=True, says=says)
    return note(
        "descriptors",
        f"only {most} files and connections may be open here, and these settings may need {needed}: raise the hard limit"
        " (`ulimit -Hn`, LimitNOFILE= in systemd, `ulimits` in Compose) or lower WORKER_CONCURRENCY",
    )
