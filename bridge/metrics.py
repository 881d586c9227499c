"""The metric families, all that `/metrics` shows, and this process's counts that are not in Redis yet.

`receiver/metrics.py` reads the values and renders them.

In Redis all counts are fields of one hash: `name|label|label`, for a histogram also with `|le` (the bucket's upper edge, s) and
`|ms` (the sum). Scripts count outcomes where they write them (store/parts/timeline.lua); processes count the rest in a `Tally`.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.model import NO_REPLY_REASONS, Channel, Reason, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACE = "ghl_bridge_"

ENDS = (Status.REPLIED, Status.DELIVERED_BY_PROVIDER, Status.DEAD)
# Reasons in answers to webhooks; an accepted message is skipped instead.
IGNORED = (
    *(Reason.NOT_INBOUND, Reason.NOT_A_MESSAGE, Reason.UNKNOWN_LOCATION, Reason.OTHER_APP, Reason.UNPARSEABLE),
    *(Reason.OVERFLOW, Reason.STOP_WORD),
)
# GHL accepts no messages for GMB.
SENT_BY = tuple(channel for channel in Channel if channel is not Channel.GMB)
DELIVERY_WORDS = ("accepted", "delivered", "undelivered")
REQUEST_EDGES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. With `edges` (s) it is a histogram of times; `known` are label values that are shown before they occur.

    The label values are limited: documented names, GHL's paths without ids, classes of HTTP status.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    known: tuple[tuple[str, ...], ...] = ()

    def field(self, *labels: str) -> str:
        """The field in the hash of totals."""
        return "|".join((self.name, *labels))

    @property
    def buckets(self) -> tuple[str, ...]:
        """The names of the buckets, which are their upper edges."""
        return (*(format(edge, "g") for edge in self.edges), "inf")

    def bucket(self, seconds: float) -> str:
        """The name of the bucket for a time (s)."""
        at = bisect_left(self.edges, seconds)
        return format(self.edges[at], "g") if at < len(self.edges) else "inf"


ACCEPTED = Family("messages_accepted", "Messages accepted for an answer.", known=((),))
MESSAGES = Family(
    "messages",
    "Outcomes of messages, with the reason if they were skipped or got no reply. A dead letter that is replayed or superseded "
    "counts again.",
    ("status", "reason"),
    known=(
        *((status, "") for status in ENDS),
        *((Status.NO_REPLY if reason in NO_REPLY_REASONS else Status.SKIPPED, reason) for reason in Reason),
    ),
)
WEBHOOKS = Family(
    "webhooks",
    "Answers to webhooks.",
    ("answer", "reason"),
    known=(
        *((answer, "") for answer in ("accepted", "duplicate", "unauthorized", "too_large", "unavailable")),
        *(("ignored", reason) for reason in IGNORED),
    ),
)
WEBHOOK = Family(
    "webhook",
    "From a webhook's first byte to the 202 of its message.",
    edges=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5),
    known=((),),
)
REPLY = Family(
    "reply",
    "From accepting a message to its reply, debounce included.",
    edges=(1, 2.5, 5, 10, 15, 30, 60, 120, 300, 900, 3600, 21600),
    known=((),),
)
GHL_REQUEST = Family("ghl_request", "Requests to GHL, by class of answer.", ("route", "answer"), REQUEST_EDGES)
PROVIDER_REQUEST = Family(
    "provider_request", "Requests to completion services, by class of answer.", ("provider", "answer"), REQUEST_EDGES
)
TRIES = Family(
    "tries",
    "How attempts of turns ended: ended (an outcome), failed (retried later), deferred (waits, uses no attempt), "
    "held (the location is on hold), dead (a dead letter), abandoned (its worker crashed).",
    ("result",),
    known=tuple((result,) for result in ("ended", "failed", "deferred", "held", "dead", "abandoned")),
)
DEAD_LETTERS = Family(
    "dead_letters",
    "Changes of dead letters.",
    ("event",),
    known=tuple((event,) for event in ("buried", "replayed", "dropped", "superseded", "expired")),
)

DELIVERIES = Family(
    "deliveries",
    "Messages of replies, by channel and delivery: accepted by GHL, and GHL's later reports: delivered or undelivered. A message "
    "with both reports counts in both.",
    ("channel", "delivery"),
    known=tuple((channel, delivery) for channel in SENT_BY for delivery in DELIVERY_WORDS),
)

SIGNATURES = Family(
    "signatures",
    "GHL's events with a valid signature, by its kind: ed25519; rsa (the legacy one alone), or rsa_refused "
    "(GHL_LEGACY_SIGNATURES).",
    ("kind",),
    known=tuple((kind,) for kind in ("ed25519", "rsa", "rsa_refused")),
)

# Counters and histograms.
FAMILIES = (
    *(ACCEPTED, MESSAGES, WEBHOOKS, WEBHOOK, REPLY, GHL_REQUEST, PROVIDER_REQUEST, TRIES, DEAD_LETTERS, DELIVERIES),
    SIGNATURES,
)

# An info metric.
BUILD = Family("build", "The receiver's version.", ("version",))

# Gauges, whose values are read from Redis at each request.
CONVERSATIONS = Family(
    "conversations",
    "Conversations with unanswered messages: waiting or answering; retrying are those with a failed attempt, held belong "
    "to locations on hold.",
    ("state",),
)
OLDEST_OVERDUE = Family("oldest_overdue_seconds", "How long the oldest overdue conversation has waited.")
LEASES = Family("leases", "Conversations that workers hold.")
OPEN_DEAD_LETTERS = Family("open_dead_letters", "Open dead letters, neither replayed nor dropped.")
WORKERS = Family("workers", "Live workers.")
WORKER_SLOTS = Family("worker_slots", "Replies that live workers can process at the same time.")
LOCATIONS = Family("locations", "Known locations.")
LOCATIONS_ON_HOLD = Family(
    "locations_on_hold", "Locations whose login was refused three times in a row, or whose API version GHL no longer accepts."
)
PROVIDERS_DOWN = Family("providers_down", "Completion services that are down, one for each login.")
GHL_DOWN = Family("ghl_down", "1 while GHL is down, or accepts no messages; conversations wait.")
BUDGET_LEFT = Family(
    "ghl_budget_left_ratio",
    "The remaining share of GHL's rate limit, of the location with the smallest, per interval (10 s) and per day.",
    ("window",),
)
WAITING_FOR_GHL = Family("locations_waiting_for_ghl", "Locations that wait because their rate limit at GHL is used up.")

# Of each location, with BRIDGE_METRICS_LOCATIONS=1; the last one is a gauge.
LOCATION_MESSAGES = Family("location_messages", "Outcomes of each location's messages.", ("location", "status"))
LOCATION_DELIVERIES = Family(
    "location_deliveries", "Deliveries of each location's replies, by channel.", ("location", *DELIVERIES.labels)
)
LOCATION_BUDGET = Family("location_ghl_budget_left", "Remaining requests at GHL of each location.", ("location", "window"))


class Tally:
    """Thread-safe counts that are not written yet. If the process is killed, at most the last second is lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, family: Family, *labels: str) -> None:
        """Count one event."""
        with self._lock:
            self._counts[family.field(*labels)] += 1

    def time(self, family: Family, *labels: str, seconds: float) -> None:
        """Count one event with its duration (s)."""
        with self._lock:
            self._counts[family.field(*labels, family.bucket(seconds))] += 1
            self._counts[family.field(*labels, "ms")] += round(seconds * 1000)

    def take(self) -> dict[str, int]:
        """Return and reset the counts."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return dict(counts)

    def put_back(self, counts: Mapping[str, int]) -> None:
        """Add counts back that could not be written."""
        with self._lock:
            self._counts.update(counts)
