"""Decisions of a sweep: how far back, and which messages have no answer."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.model import Listed, MessageId
from bridge.policy.sweeping import DAY_MS, horizon_ms, unanswered

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    ("given", "horizon"),
    [
        ({}, NOW - 21_600_000),
        ({"activated_ms": NOW - 5_000}, NOW - 5_000),
        ({"since_ms": NOW - 7_000}, NOW - 7_000),
        ({"since_ms": NOW - 7_000, "activated_ms": NOW - 5_000}, NOW - 5_000),
        ({"max_age_seconds": 60}, NOW - 60_000),
        ({"max_age_seconds": 30 * 86_400}, NOW - 6 * DAY_MS),
    ],
)
def test_a_sweep_looks_back_no_further_than_it_must(given: dict[str, Any], horizon: int) -> None:
    """Not before the activation, what was swept, what is too old for an answer, or ids that are forgotten."""
    usual: dict[str, Any] = {"now_ms": NOW, "activated_ms": 0, "since_ms": 0, "max_age_seconds": 21_600}
    assert horizon_ms(**{**usual, **given}) == horizon


def rows(*given: tuple[str, int]) -> list[tuple[Listed, str]]:
    """Rows, newest first: kind and age in seconds."""
    kinds = {
        "in": ("inbound", "TYPE_SMS", ""),
        "ours": ("outbound", "TYPE_SMS", "api"),
        "person": ("outbound", "TYPE_SMS", "app"),
        "workflow": ("outbound", "TYPE_SMS", "workflow"),
        "comment": ("outbound", "TYPE_INTERNAL_COMMENT", "app"),
        "activity": ("", "TYPE_ACTIVITY_OPPORTUNITY", ""),
    }
    found = []
    for number, (kind, age) in enumerate(given):
        direction, type_, source = kinds[kind]
        listed = Listed(
            id=MessageId(f"m{number}"),
            direction=direction,
            text="",
            date_added_ms=NOW - age * 1000 if age >= 0 else 0,
            user_id="",
            source=source,
            type=type_,
        )
        found.append((listed, f"m{number}"))
    return found


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ([], []),
        ([("in", 1)], ["m0"]),
        ([("in", 1), ("in", 2), ("ours", 3), ("in", 4)], ["m1", "m0"]),
        ([("in", 1), ("person", 2), ("in", 3)], ["m0"]),
        ([("in", 1), ("workflow", 2), ("comment", 3), ("in", 4)], ["m3", "m0"]),
        ([("activity", 0), ("in", 1)], ["m1"]),
        ([("in", 1), ("in", 61), ("in", 59)], ["m0"]),
        ([("in", 60)], []),
        ([("in", -1), ("in", 1)], ["m1"]),
        ([("person", 1), ("in", 2)], []),
    ],
)
def test_what_nobody_has_answered_is_found(given: list[tuple[str, int]], ids: list[str]) -> None:
    """They are newer than the time and the newest message of a person or the bridge, oldest first; automations don't count."""
    assert [row for _, row in unanswered(rows(*given), since_ms=NOW - 60_000)] == ids
