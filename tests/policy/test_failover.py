"""Which providers are asked within one attempt, as a table."""

from __future__ import annotations

import pytest

from bridge.policy.failover import order, order_after_loss, who_delivers


@pytest.mark.parametrize(
    ("how", "unclaimed", "seen", "who"),
    [
        ("bridge", 0, 9, "bridge"),
        ("provider", 9, 0, "provider"),
        ("auto", 0, 0, ""),
        ("auto", 2, 2, ""),
        ("auto", 3, 0, "bridge"),
        ("auto", 0, 3, "provider"),
    ],
)
def test_three_in_a_row_tell_who_delivers(how: str, unclaimed: int, seen: int, who: str) -> None:
    """The setting has priority."""
    assert who_delivers(how, unclaimed=unclaimed, seen=seen) == who


@pytest.mark.parametrize(("first", "fallback", "asked"), [("a", "", ("a",)), ("a", "b", ("a", "b"))])
def test_the_fallback_comes_second(first: str, fallback: str, asked: tuple[str, ...]) -> None:
    """It is asked if there is one."""
    assert order(first, fallback) == asked


@pytest.mark.parametrize(
    ("fallback", "lost", "absent", "asked"),
    [
        ("", "a", True, ("a",)),
        ("", "a", False, ("a",)),
        ("b", "a", True, ("b",)),
        ("b", "a", False, ("a",)),
        ("b", "b", True, ("a", "b")),
        ("b", "b", False, ("b",)),
        ("b", "gone", True, ("a", "b")),
        ("b", "gone", False, ("a",)),
        ("b", "", False, ("a",)),
    ],
)
def test_after_a_lost_answer_only_proof_lets_another_speak(
    fallback: str, lost: str, absent: bool, asked: tuple[str, ...]
) -> None:
    """After the proof the fallback is asked; without it only the provider that may have delivered."""
    assert order_after_loss("a", fallback, lost=lost, absent=absent) == asked
