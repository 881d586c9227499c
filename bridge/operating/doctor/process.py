"""Checks the limits of the process that runs the doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.operating.doctor.findings import Finding, note
from bridge.process import descriptors, descriptors_needed

if TYPE_CHECKING:
    from bridge.settings import Settings


def examine_descriptors(settings: Settings) -> Finding:
    """Check that the limit of open files and connections is high enough for the settings.

    If not, it is only a note, because receiver and worker may have other limits.
    """
    most, needed = descriptors(), descriptors_needed(settings.worker_threads)
    if most >= needed:
        says = f"up to {most} files and connections can be open here; these settings need at most {needed}"
        return Finding("descriptors", ok=True, says=says)
    return note(
        "descriptors",
        f"only {most} files and connections can be open here, but these settings may need {needed}: raise the hard limit"
        " (`ulimit -Hn`, LimitNOFILE= in systemd, `ulimits` in Compose) or lower WORKER_CONCURRENCY",
    )
