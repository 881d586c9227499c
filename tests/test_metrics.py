"""The counts of a process: nothing is lost between threads or when it is taken, and names are limited."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest

from bridge.metrics import FAMILIES, GHL_REQUEST, WEBHOOKS, Tally


def test_what_is_taken_is_taken_once() -> None:
    """Counts are returned once, and put back if they could not be written."""
    tally = Tally()
    tally.count(WEBHOOKS, "accepted", "")
    first = tally.take()
    assert first == {"webhooks|accepted|": 1}
    assert tally.take() == {}
    tally.count(WEBHOOKS, "accepted", "")
    tally.put_back(first)
    assert tally.take() == {"webhooks|accepted|": 2}


@pytest.mark.parametrize(
    ("seconds", "bucket", "ms"),
    [(0.0, "0.05", 0), (0.05, "0.05", 50), (0.0501, "0.1", 50), (120, "120", 120_000), (121, "inf", 121_000)],
)
def test_a_time_falls_into_the_bucket_whose_edge_it_does_not_pass(seconds: float, bucket: str, ms: int) -> None:
    """Edges belong to their bucket, as Prometheus' `le` says; the sum has milliseconds."""
    tally = Tally()
    tally.time(GHL_REQUEST, "GET /contacts/{id}", "2xx", seconds=seconds)
    name = "ghl_request|GET /contacts/{id}|2xx"
    assert tally.take() == {f"{name}|{bucket}": 1, f"{name}|ms": ms}


def test_threads_lose_no_count() -> None:
    """This holds for any number of threads that count while others take."""
    tally, taken = Tally(), []

    def count() -> None:
        for _ in range(2000):
            tally.count(WEBHOOKS, "duplicate", "")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        taken.append(tally.take())
    taken.append(tally.take())
    assert sum(sum(counts.values()) for counts in taken) == 8000


def test_families_are_well_formed() -> None:
    """Names are unique, edges ascend, and labels with fixed values have them all from the start."""
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        assert all(low < high for low, high in pairwise(family.edges))
        assert all(len(labels) == len(family.labels) for labels in family.known)
        assert len(set(family.known)) == len(family.known)
