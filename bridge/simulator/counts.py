"""Exact counts, so that tests can check "one reply, not two"."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

# Seconds. Two connections become readable in any order: a client that has left has this long to be noticed before its successor
# counts as a second completion at the same time.
_SEEN_LEAVING_SECONDS = 0.05


@dataclass(eq=False, slots=True)
class Flight:
    """One completion in progress, until it is answered or its client has disconnected."""

    contact_id: str
    left: bool = False
    ended: bool = False


class RequestCounts:
    """All counts, by contact, in the order of arrival."""

    def __init__(self) -> None:
        self.requests: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.webhooks: Counter[str] = Counter()
        self.webhook_events: Counter[str] = Counter()
        self.completions: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.max_in_flight: dict[str, int] = {}
        self.max_in_flight_overall = 0
        self.posts: defaultdict[str, list[str]] = defaultdict(list)
        self.comments: defaultdict[str, list[str]] = defaultdict(list)
        self.delivered: defaultdict[str, list[str]] = defaultdict(list)
        self._flights: defaultdict[str, set[Flight]] = defaultdict(set)
        self._in_flight = 0

    def begin_completion(self, contact_id: str) -> Flight:
        """Count a requested completion."""
        flight = Flight(contact_id)
        others = list(self._flights[contact_id])
        self._flights[contact_id].add(flight)
        self._in_flight += 1
        self.completions[contact_id] += 1
        self.max_in_flight_overall = max(self.max_in_flight_overall, self._in_flight)
        self._raise_to(contact_id, 1)
        if others:
            asyncio.get_running_loop().call_later(_SEEN_LEAVING_SECONDS, self._settle, contact_id, others)
        return flight

    def end_completion(self, flight: Flight, *, left: bool = False) -> None:
        """Count a completion as ended; a second call changes nothing."""
        if flight.ended:
            return
        flight.ended, flight.left = True, left
        self._in_flight -= 1
        self._flights[flight.contact_id].discard(flight)

    def shown(self) -> dict[str, Any]:
        """All counts, for the control API."""
        return {
            "completions": {
                "total": self.completions.total(),
                "by_contact": dict(self.completions),
                "finished_by_contact": dict(self.finished),
                "in_flight": {contact: len(flights) for contact, flights in self._flights.items() if flights},
                "max_in_flight": self.max_in_flight,
                "max_in_flight_overall": self.max_in_flight_overall,
            },
            "posts": _texts(self.posts),
            "comments": _texts(self.comments),
            "delivered_by_provider": _texts(self.delivered),
            "webhooks": {"by_status": dict(self.webhooks), "by_type": dict(self.webhook_events)},
            "requests": {endpoint: dict(statuses) for endpoint, statuses in self.requests.items()},
        }

    def _settle(self, contact_id: str, others: list[Flight]) -> None:
        self._raise_to(contact_id, 1 + sum(not other.left for other in others))

    def _raise_to(self, contact_id: str, number: int) -> None:
        self.max_in_flight[contact_id] = max(self.max_in_flight.get(contact_id, 0), number)


def _texts(by_contact: dict[str, list[str]]) -> dict[str, Any]:
    return {"total": sum(map(len, by_contact.values())), "by_contact": by_contact}
