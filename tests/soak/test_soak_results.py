"""Sums of soaks: runs of one commit are added, and the bound is the textbook's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.soak.results import PUBLISHED, most_of, read, summed


def line(commit: str, seed: int, **counts: int) -> dict[str, Any]:
    return {
        "commit": commit,
        "bridge": "ghl-bridge",
        "seed": seed,
        "accepted": 50_000,
        "lost": 0,
        "doubled": 0,
        "reordered": 0,
        **counts,
    }


@pytest.mark.parametrize(("broken", "most"), [(0, 2.9957), (1, 4.7439), (5, 10.5130), (400, 434.4968)])
def test_the_bound_is_that_of_poisson(broken: int, most: float) -> None:
    """Of 100,000 messages without a fault at most three, at 95 %: the rule of three."""
    assert most_of(broken, 100_000) == pytest.approx(most, abs=0.001)


def test_runs_of_one_commit_are_summed() -> None:
    """Other commits are separate, and seeds are listed."""
    sums = summed([line("a1", 1), line("a1", 2), line("b2", 1, lost=1)])
    assert sums[0].startswith("a1 ghl-bridge: 100,000 messages in 2 runs (seeds 1, 2), 0 lost (at most 3 in 100,000 at 95 %)")
    assert sums[1].startswith("b2 ghl-bridge: 50,000 messages in 1 runs (seeds 1), 1 lost (at most 9 in 100,000 at 95 %)")


def test_the_page_says_what_the_published_runs_sum_to() -> None:
    """Figures and bounds of the page are those of the list, whatever is added to it."""
    page = (PUBLISHED.parent / "how-we-know.md").read_text()
    assert [sentence for sentence in summed(read(PUBLISHED)) if sentence not in page] == []
