"""Adds the entries of scripts to daily counts, by the days of each location's time zone."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from bridge.errors import Misconfigured
from bridge.policy.business_hours import ALWAYS, hours_of
from bridge.policy.report_entries import fold, parse

if TYPE_CHECKING:
    from bridge.model import LocationId
    from bridge.policy.business_hours import Hours
    from bridge.store.figures.reports import DailyCounts
    from bridge.store.locations.records import Locations

# Batches of 2,000 entries, which take some 20 ms each; more at once would delay a reader.
MOST_BATCHES = 50


def fold_reported(counts: DailyCounts, locations: Locations) -> None:
    """Add all entries to their days. Raises Unavailable; entries that could not be added stay for the next time."""

    @cache
    def known_hours(location_id: LocationId) -> Hours:
        """The location's business hours, with their time zone; if its settings can't be read, those of UTC."""
        try:
            record = locations.get(location_id)
        except Misconfigured:
            record = None
        return hours_of(record.location) if record else ALWAYS

    for _ in range(MOST_BATCHES):
        reported = counts.reported()
        if not reported.entries:
            return
        counts.add(reported, fold(map(parse, reported.entries), known_hours))
