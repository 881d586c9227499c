"""`GET /metrics`: the counts of all processes and the current gauges, in Prometheus' text format."""

from __future__ import annotations

from collections import defaultdict
from importlib.metadata import version
from itertools import accumulate
from typing import TYPE_CHECKING

from anyio import to_thread
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from starlette.responses import PlainTextResponse, Response

from bridge.errors import Unavailable
from bridge.metrics import DELIVERIES, FAMILIES
from bridge.model import Status
from bridge.store.figures.gauges import measure
from bridge.store.limits.budget import left_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping

    from prometheus_client.core import Metric
    from starlette.requests import Request

    from bridge.metrics import Family
    from bridge.store.figures.counts import Counts
    from bridge.store.figures.gauges import Gauges
    from bridge.store.limits.budget import Left
    from bridge.store.redis.connection import Redis

NAMESPACE = "ghl_bridge_"


def serve(redis: Redis, counts: Counts, *, by_location: bool) -> Callable[[Request], Awaitable[Response]]:
    """Build the endpoint. `by_location` adds counts of each location, labelled with its id."""

    async def answer(request: Request) -> Response:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        registry = CollectorRegistry()
        registry.register(MetricsSnapshot(redis, counts, by_location=by_location))
        try:
            return Response(await to_thread.run_sync(encode, registry), media_type=media_type)
        except Unavailable as error:
            return PlainTextResponse(f"{error}\n", 503)

    return answer


class MetricsSnapshot:
    """A Prometheus collector that reads the current values at each request."""

    def __init__(self, redis: Redis, counts: Counts, *, by_location: bool) -> None:
        self._redis = redis
        self._counts = counts
        self._by_location = by_location

    def collect(self) -> Iterator[Metric]:
        """Read all values once. Raises Unavailable."""
        yield InfoMetricFamily(NAMESPACE + "build", "The receiver's version.", {"version": version("ghl-bridge")})
        yield from _state(measure(self._redis))
        totals = self._counts.totals()
        for family in FAMILIES:
            yield _histogram(family, totals) if family.edges else _counter(family, totals)
        ids = self._counts.locations()
        budgets = left_of(self._redis, ids)
        yield from _budgets(budgets.values())
        if self._by_location:
            tallies = self._counts.of(ids)
            yield _locations(tallies)
            yield _location_deliveries(tallies)
            yield _location_budgets(budgets)


def _state(now: Gauges) -> Iterator[Metric]:
    states = {
        "waiting": now.lanes - now.held - now.in_flight,
        "answering": now.in_flight,
        "retrying": now.retrying,
        "held": now.held,
    }
    conversations = GaugeMetricFamily(
        NAMESPACE + "conversations",
        "Conversations with unanswered messages: waiting or answering; retrying are those with a failed attempt, held belong "
        "to locations on hold.",
        labels=["state"],
    )
    for state, count in states.items():
        conversations.add_metric([state], max(0, count))
    yield conversations
    gauges: dict[str, tuple[float, str]] = {
        "oldest_overdue_seconds": (now.oldest_overdue_seconds, "How long the oldest overdue conversation has waited."),
        "leases": (now.in_flight, "Conversations that workers hold."),
        "open_dead_letters": (now.dead_letters, "Open dead letters, neither replayed nor dropped."),
        "workers": (now.workers, "Live workers."),
        "worker_slots": (now.slots, "Replies that live workers can process at the same time."),
        "locations": (now.locations, "Known locations."),
        "locations_on_hold": (
            now.on_hold,
            "Locations whose login was refused three times in a row, or whose API version GHL no longer accepts.",
        ),
        "providers_down": (
            now.providers_down,
            "Completion services that are down, one for each login.",
        ),
        "ghl_down": (now.ghl_down, "1 while GHL is down, or takes no messages: what waits for it waits on."),
    }
    for name, (value, text) in gauges.items():
        yield GaugeMetricFamily(NAMESPACE + name, text, value)


def _counter(family: Family, totals: Mapping[str, int]) -> Metric:
    metric = CounterMetricFamily(NAMESPACE + family.name, family.help, labels=family.labels)
    found = {labels: counts[""] for labels, counts in _found(family, totals).items()}
    for labels in dict.fromkeys((*family.known, *found)):
        metric.add_metric(labels, found.get(labels, 0))
    return metric


def _histogram(family: Family, totals: Mapping[str, int]) -> Metric:
    metric = HistogramMetricFamily(f"{NAMESPACE}{family.name}_duration_seconds", family.help, labels=family.labels)
    found = _found(family, totals)
    for labels in dict.fromkeys((*family.known, *found)):
        counts = found.get(labels, {})
        counted = accumulate(counts.get(edge, 0) for edge in family.buckets)
        edges = [*map(str, map(float, family.edges)), "+Inf"]
        metric.add_metric(labels, list(zip(edges, counted, strict=True)), sum_value=counts.get("ms", 0) / 1000)
    return metric


def _found(family: Family, totals: Mapping[str, int]) -> dict[tuple[str, ...], dict[str, int]]:
    """A family's counts by labels; after the labels comes the bucket, or the sum, of a histogram."""
    found: dict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    for field, count in totals.items():
        name, *parts = field.split("|")
        if name == family.name:
            labels, rest = parts[: len(family.labels)], parts[len(family.labels) :]
            found[tuple(labels)]["|".join(rest)] = count
    return found


def _budgets(budgets: Collection[Left]) -> Iterator[Metric]:
    scarcest = GaugeMetricFamily(
        NAMESPACE + "ghl_budget_left_ratio",
        "The remaining share of GHL's rate limit, of the location with the smallest, per interval (10 s) and per day.",
        labels=["window"],
    )
    scarcest.add_metric(["interval"], min((one.left / one.most for one in budgets), default=1))
    scarcest.add_metric(["day"], min((one.left_today / one.most_today for one in budgets), default=1))
    yield scarcest
    yield GaugeMetricFamily(
        NAMESPACE + "locations_waiting_for_ghl",
        "Locations that wait because their rate limit at GHL is used up.",
        sum(one.wait_seconds > 0 for one in budgets),
    )


def _locations(tallies: Mapping[str, Mapping[str, int]]) -> Metric:
    metric = CounterMetricFamily(
        NAMESPACE + "location_messages", "Outcomes of each location's messages.", labels=["location", "status"]
    )
    for location, tally in tallies.items():
        for status in Status:
            if status in tally:
                metric.add_metric([location, status], tally[status])
    return metric


def _location_deliveries(tallies: Mapping[str, Mapping[str, int]]) -> Metric:
    metric = CounterMetricFamily(
        NAMESPACE + "location_deliveries",
        "Deliveries of each location's replies, by channel.",
        labels=["location", *DELIVERIES.labels],
    )
    for location, tally in tallies.items():
        for labels, counts in _found(DELIVERIES, tally).items():
            metric.add_metric([location, *labels], counts[""])
    return metric


def _location_budgets(budgets: Mapping[str, Left]) -> Metric:
    metric = GaugeMetricFamily(
        NAMESPACE + "location_ghl_budget_left", "Remaining requests at GHL of each location.", labels=["location", "window"]
    )
    for location, budget in budgets.items():
        metric.add_metric([location, "interval"], budget.left)
        metric.add_metric([location, "day"], budget.left_today)
    return metric
