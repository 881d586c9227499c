"""The cost of the console's lists, with fewer rows than in the documented figures."""

from __future__ import annotations

import sys

import pytest

from infra.bench.lists import PAGES, measure

MOST_SECONDS = 0.3


@pytest.mark.skipif(sys.platform != "linux", reason="CPU of other processes is read from /proc")
def test_a_page_of_a_long_list_takes_little_cpu() -> None:
    """In 19 of 20 cases a page of a list needs less than 0.3 s of CPU of receiver and Redis together."""
    costs = measure(conversations=5_000, dead_letters=1_000, rounds=5)
    assert {cost.page for cost in costs} == set(PAGES)
    assert all(sum(cost.seconds) > 0 for cost in costs)
    assert {cost.page: cost.p95 for cost in costs if cost.p95 >= MOST_SECONDS} == {}
