"""Metrics: their names, and this process's counts that are not in Redis yet.

In Redis all counts are fields of one hash: `name|label|label`, of a time also `|le` (its bucket's upper edge, s) and `|ms` (the
sum). Scripts count outcomes where they write them (store/parts/timeline.lua), processes what only they see: a `Tally`.
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

ENDS = (Status.REPLIED, Status.DELIVERED_BY_PROVIDER, Status.DEAD)
# What a webhook's sender is answered; an accepted message is skipped instead.
IGNORED = (
    *(Reason.NOT_INBOUND, Reason.NOT_A_MESSAGE, Reason.UNKNOWN_LOCATION, Reason.OTHER_APP, Reason.UNPARSEABLE),
    *(Reason.OVERFLOW, Reason.STOP_WORD),
)
# GHL takes no message for GMB.
SENT_BY = tuple(channel for channel in Channel if channel is not Channel.GMB)
DELIVERY_WORDS = ("accepted", "delivered", "undelivered")
REQUEST_EDGES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. `edges` (s) make it a time with a histogram; `known` are label values that are shown before they occur.

    A label's values are bounded: words of the contract, GHL's paths without ids, classes of HTTP status.
    """

    name: str
    help: str
    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    known: tuple[tuple[str, ...], ...] = ()

    def field(self, *labels: str) -> str:
        """Where it is counted in the hash of totals."""
        return "|".join((self.name, *labels))

    @property
    def buckets(self) -> tuple[str, ...]:
        """The names of the buckets: each one's upper edge."""
        return (*(format(edge, "g") for edge in self.edges), "inf")

    def bucket(self, seconds: float) -> str:
        """The bucket that a time falls into."""
        at = bisect_left(self.edges, seconds)
        return format(self.edges[at], "g") if at < len(self.edges) else "inf"


ACCEPTED = Family("messages_accepted", "Messages that were accepted to be answered.", known=((),))
MESSAGES = Family(
    "messages",
    "What became of messages, and why if they were skipped or got no reply. One that is dead and then replayed or superseded "
    "counts again.",
    ("status", "reason"),
    known=(
        *((status, "") for status in ENDS),
        *((Status.NO_REPLY if reason in NO_REPLY_REASONS else Status.SKIPPED, reason) for reason in Reason),
    ),
)
WEBHOOKS = Family(
    "webhooks",
    "What the senders of webhooks were told.",
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
    "From a message's acceptance to its reply, quiet time included.",
    edges=(1, 2.5, 5, 10, 15, 30, 60, 120, 300, 900, 3600, 21600),
    known=((),),
)
GHL_REQUEST = Family("ghl_request", "Requests to GHL, by the class of their answer.", ("route", "answer"), REQUEST_EDGES)
PROVIDER_REQUEST = Family(
    "provider_request", "Requests to completion services, by the class of their answer.", ("provider", "answer"), REQUEST_EDGES
)
TRIES = Family(
    "tries",
    "How tries of turns ended: ended (an outcome), failed (tried again later), deferred (waits, without using a try up), "
    "held (the location is on hold), dead (a dead letter), abandoned (its worker stopped without a word).",
    ("result",),
    known=tuple((result,) for result in ("ended", "failed", "deferred", "held", "dead", "abandoned")),
)
DEAD_LETTERS = Family(
    "dead_letters",
    "What happened to dead letters.",
    ("event",),
    known=tuple((event,) for event in ("buried", "replayed", "dropped", "superseded", "expired")),
)

DELIVERIES = Family(
    "deliveries",
    "What became of messages of replies, by channel: accepted (GHL took it), and what GHL told of it later: delivered or "
    "undelivered. One that was called delivered and undelivered counts in both.",
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

FAMILIES = (
    *(ACCEPTED, MESSAGES, WEBHOOKS, WEBHOOK, REPLY, GHL_REQUEST, PROVIDER_REQUEST, TRIES, DEAD_LETTERS, DELIVERIES),
    SIGNATURES,
)


class Tally:
    """Counts that wait to be written, from any thread. What a killed process had not written yet is lost: at most a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, family: Family, *labels: str) -> None:
        """Count one."""
        with self._lock:
            self._counts[family.field(*labels)] += 1

    def time(self, family: Family, *labels: str, seconds: float) -> None:
        """Count one that took so long."""
        with self._lock:
            self._counts[family.field(*labels, family.bucket(seconds))] += 1
            self._counts[family.field(*labels, "ms")] += round(seconds * 1000)

    def take(self) -> dict[str, int]:
        """What was counted since the last time."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        return dict(taken)

    def put_back(self, counts: Mapping[str, int]) -> None:
        """They could not be written: they come along with the next ones."""
        with self._lock:
            self._counts.update(counts)
