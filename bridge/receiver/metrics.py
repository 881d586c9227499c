"""`GET /metrics`: renders the families of `bridge/metrics.py` as Prometheus' text, with the values of all processes."""

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

from bridge import metrics
from bridge.errors import Unavailable
from bridge.metrics import BUILD, FAMILIES, NAMESPACE
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
        yield InfoMetricFamily(NAMESPACE + BUILD.name, BUILD.help, {"version": version("ghl-bridge")})
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
    yield _gauge(metrics.CONVERSATIONS, {(state,): max(0, count) for state, count in states.items()})
    values: dict[Family, float] = {
        metrics.OLDEST_OVERDUE: now.oldest_overdue_seconds,
        metrics.LEASES: now.in_flight,
        metrics.OPEN_DEAD_LETTERS: now.dead_letters,
        metrics.WORKERS: now.workers,
        metrics.WORKER_SLOTS: now.slots,
        metrics.LOCATIONS: now.locations,
        metrics.LOCATIONS_ON_HOLD: now.on_hold,
        metrics.PROVIDERS_DOWN: now.providers_down,
        metrics.GHL_DOWN: now.ghl_down,
    }
    for family, value in values.items():
        yield _gauge(family, {(): value})


def _gauge(family: Family, values: Mapping[tuple[str, ...], float]) -> Metric:
    """A gauge with its values by labels."""
    metric = GaugeMetricFamily(NAMESPACE + family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric


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
    scarcest: dict[tuple[str, ...], float] = {
        ("interval",): min((one.left / one.most for one in budgets), default=1),
        ("day",): min((one.left_today / one.most_today for one in budgets), default=1),
    }
    yield _gauge(metrics.BUDGET_LEFT, scarcest)
    yield _gauge(metrics.WAITING_FOR_GHL, {(): sum(one.wait_seconds > 0 for one in budgets)})


def _locations(tallies: Mapping[str, Mapping[str, int]]) -> Metric:
    family = metrics.LOCATION_MESSAGES
    metric = CounterMetricFamily(NAMESPACE + family.name, family.help, labels=family.labels)
    for location, tally in tallies.items():
        for status in Status:
            if status in tally:
                metric.add_metric([location, status], tally[status])
    return metric


def _location_deliveries(tallies: Mapping[str, Mapping[str, int]]) -> Metric:
    family = metrics.LOCATION_DELIVERIES
    metric = CounterMetricFamily(NAMESPACE + family.name, family.help, labels=family.labels)
    for location, tally in tallies.items():
        for labels, counts in _found(metrics.DELIVERIES, tally).items():
            metric.add_metric([location, *labels], counts[""])
    return metric


def _location_budgets(budgets: Mapping[str, Left]) -> Metric:
    values: dict[tuple[str, ...], float] = {}
    for location, budget in budgets.items():
        values |= {(location, "interval"): budget.left, (location, "day"): budget.left_today}
    return _gauge(metrics.LOCATION_BUDGET, values)
