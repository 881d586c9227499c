"""`ghl-bridge reconcile`."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from bridge.cli.context import operations
from bridge.cli.locations import all_locations
from bridge.cli.output import print_json, progress
from bridge.errors import DidNotWork, WrongInput
from bridge.operating.reconcile import Reconcile, reconcile
from bridge.policy.sweeping import FARTHEST_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.operating.reconcile import Reconciled

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def run(*, location: str, since: str, dry_run: bool, as_json: bool) -> None:
    """Sweep one location or all. Raises WrongInput; DidNotWork, after all locations, if a sweep was not completed."""
    seconds = _seconds(since) if since else None
    ids = [location] if location else [each.id for each in all_locations() if each.state != "unconfigured"]
    done: list[Reconciled] = []
    try:
        for id_ in progress(ids, "sweeping", as_json=as_json):
            done.append(operations()(reconcile, Reconcile(location_id=id_, since_seconds=seconds, dry_run=dry_run)))  # noqa: PERF401 - what was done is told if the next one fails
    finally:
        _tell(done, as_json=as_json)
    failed = [f"{one.location_id}: {one.why or 'too many messages for one sweep'}" for one in done if not one.complete]
    if failed:
        raise DidNotWork("; ".join(failed))


def _tell(done: Sequence[Reconciled], *, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    for reconciled in done:
        for one in reconciled.found:
            print(f"{reconciled.location_id}  {one.message_id}  of contact {one.contact_id}, {one.written_at}: {one.outcome}")
        print(f"{reconciled.location_id}  {len(reconciled.found)} message(s) found whose webhook never arrived", file=sys.stderr)


def _seconds(text: str) -> float:
    """A duration like 2h, 30m, 90s or 1d. Raises WrongInput."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)([smhd]?)", text.strip())
    seconds = float(found[1]) * UNITS[found[2]] if found else 0.0
    if not 0 < seconds <= FARTHEST_MS / 1000:
        raise WrongInput(f"--since {text}: must be like 2h, 30m or 1d, and at most 6d, because ids are kept for a week")
    return seconds
