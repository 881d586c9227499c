"""Diagnosis: one list of problems, worst first, each with a sentence, a command and a section of the runbook."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.model import ContactId, Lane, LocationId
from bridge.operating.diagnosis import MOST_OF_A_NAME, OVERDUE_SECONDS, UNHEARD_SECONDS, WORKERLESS_SECONDS, diagnose, shorten
from bridge.store.figures.deliveries import Failing
from bridge.store.figures.gauges import Gauges
from bridge.store.figures.rollbacks import KnownRollback
from bridge.store.lanes.handovers import Handover
from bridge.store.limits.circuits import GHL_POSTS, GHL_READS, DownProvider
from bridge.store.operators.symptoms import Hold, Symptoms
from bridge.store.redis.writable import TriedWrite

ROOT = Path(__file__).parents[2]
NOW = 1_700_000_000_000
WELL = Gauges(
    lanes=3,
    held=0,
    in_flight=1,
    retrying=0,
    overdue_ms=0,
    unheard_ms=0,
    unopened_ms=0,
    workers=1,
    slots=200,
    dead_letters=0,
    locations=2,
    on_hold=0,
    providers_down=0,
    ghl_down=0,
)
OVERDUE_MS = round(OVERDUE_SECONDS * 1000)
DOWN = {"agencii-1": DownProvider("agencii", "here", NOW, 7)}
GHL_DOWN = {GHL_READS: DownProvider("GHL", "here", NOW, 7), GHL_POSTS: DownProvider("GHL", "there", NOW - 1000, 2)}
ALL_CAUSES = [
    "writes_refused",
    "rollback",
    "no_workers",
    "overdue",
    "unopened",
    "ghl_down",
    "hold:here",
    "hold:there",
    "provider:agencii-1",
    "dead_letters",
    "durability",
    "missed:here",
    "signatures_refused",
    "reply_cap",
    "undelivered:here",
    "unknown_type",
    "spoken_stop:here:contact",
    "other_bot:here",
    "handover:here:contact",
]


def symptoms(gauges: dict[str, int] | None = None, **more: Any) -> Symptoms:
    return Symptoms(now_ms=NOW, gauges=replace(WELL, **(gauges or {})), **more)


EVERYTHING = symptoms(
    {"workers": 0, "overdue_ms": OVERDUE_MS + 1, "dead_letters": 1, "unopened_ms": 1},
    holds={"here": Hold("ghl", NOW), "there": Hold("provider")},
    down={**DOWN, **GHL_DOWN},
    missed=("here",),
    refused_webhooks=5,
    capped=("here:contact",),
    failing={"here": Failing(5, 25)},
    untyped=("here:contact",),
    spoken_stops=("here:contact",),
    other_bot=("here:contact", "here:another"),
    handovers=(Handover(Lane(LocationId("here"), ContactId("contact")), NOW, -1),),
    missing_durability=("appendfsync always (is everysec)",),
    rollback=KnownRollback(NOW),
    tried=TriedWrite(refused="Redis could not write: it is full: raise maxmemory"),
)


@pytest.mark.parametrize(
    ("seen", "causes"),
    [
        (symptoms(), []),
        (symptoms({"workers": 0}), ["no_workers"]),
        (symptoms({"overdue_ms": OVERDUE_MS}), []),
        (symptoms({"overdue_ms": OVERDUE_MS + 1}), ["overdue"]),
        (symptoms({"unheard_ms": round(UNHEARD_SECONDS * 1000)}), []),
        (symptoms({"unheard_ms": round(UNHEARD_SECONDS * 1000) + 1}), ["unheard"]),
        (symptoms({"unheard_ms": OVERDUE_MS, "workers": 0}), ["no_workers"]),
        (symptoms({"dead_letters": 7}), ["dead_letters"]),
        (symptoms(missed=("here", "there")), ["missed:here", "missed:there"]),
        (symptoms(refused_webhooks=4), []),
        (symptoms(refused_webhooks=5), ["signatures_refused"]),
        (symptoms(capped=("here:contact",)), ["reply_cap"]),
        (symptoms(failing={"here": Failing(4, 4), "there": Failing(5, 26)}), []),
        (symptoms(failing={"here": Failing(5, 25), "there": Failing(9, 3)}), ["undelivered:here", "undelivered:there"]),
        (symptoms(untyped=("here:contact",)), ["unknown_type"]),
        (symptoms(spoken_stops=("here:a", "here:b")), ["spoken_stop:here:a", "spoken_stop:here:b"]),
        (symptoms(other_bot=("there:c", "here:c", "here:d")), ["other_bot:here", "other_bot:there"]),
        (symptoms(rollback=KnownRollback(NOW, ("a", "b", "c", "d"))), ["rollback"]),
        (symptoms(down=DOWN), ["provider:agencii-1"]),
        (symptoms(down=GHL_DOWN), ["ghl_down"]),
        (symptoms(missing_durability=("appendonly yes (is no)",)), ["durability"]),
        (EVERYTHING, ALL_CAUSES),
    ],
)
def test_each_trouble_has_a_cause(seen: Symptoms, causes: list[str]) -> None:
    """Each is listed once, worst first, with a sentence and the first command."""
    found = diagnose(seen)
    assert [trouble.cause for trouble in found] == causes
    assert all(trouble.says.endswith(".") and trouble.command.startswith("ghl-bridge ") for trouble in found)


def test_every_trouble_has_its_paragraph_in_the_runbook() -> None:
    """Every problem has the name of a heading there."""
    headings = re.findall(r"^## (.*)$", (ROOT / "infra/docs/how-to/runbook.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {trouble.name for trouble in diagnose(EVERYTHING)} <= set(headings)


def test_a_trouble_tells_since_when_and_whose_it_is() -> None:
    """It has the time and the subject if the state knows them: of an overdue conversation, a hold, a circuit."""
    found = {trouble.cause: trouble for trouble in diagnose(EVERYTHING)}
    assert found["hold:here"].since == "2023-11-14T22:13:20.000+00:00"
    assert found["overdue"].since == "2023-11-14T22:12:19.999+00:00"
    assert (found["hold:there"].since, found["hold:there"].location_id) == (None, "there")
    assert "everysec" in found["durability"].says


def test_that_ghl_is_down_is_one_trouble_of_the_installation() -> None:
    """It concerns no single location; waiting contacts are counted, and a GHL that refuses only posts is named as such."""
    (both,) = diagnose(symptoms(down=GHL_DOWN))
    assert both.says.startswith("GHL is down: 9 conversations wait without using attempts")
    assert (both.since, both.location_id) == ("2023-11-14T22:13:19.000+00:00", "")
    (posts,) = diagnose(symptoms(down={GHL_POSTS: GHL_DOWN[GHL_POSTS]}))
    assert posts.says.startswith("GHL accepts no messages: 2 conversations wait")


def test_a_worker_that_is_restarted_calls_for_nobody() -> None:
    """The console shows at once that no worker lives, an alert follows if it lasts; other problems are alerted at once."""
    waits = {trouble.cause: trouble.alert_after_seconds for trouble in diagnose(EVERYTHING) if trouble.alert_after_seconds}
    assert waits == {"no_workers": WORKERLESS_SECONDS}


def test_a_page_lists_many_of_a_kind_in_few_lines() -> None:
    """It has the first of each name, and the number of the others."""
    many = diagnose(symptoms({"dead_letters": 1}, holds={f"l{number}": Hold("ghl") for number in range(MOST_OF_A_NAME + 3)}))
    page = shorten(many)
    assert [trouble.cause for trouble in page][MOST_OF_A_NAME:] == ["hold:more", "dead_letters"]
    assert "3 others" in page[MOST_OF_A_NAME].says
    assert shorten(page[:MOST_OF_A_NAME]) == page[:MOST_OF_A_NAME]


def test_a_hold_for_the_api_version_names_the_setting() -> None:
    """A new token would not help, so it says what does."""
    (told,) = diagnose(symptoms(holds={"here": Hold("version")}))
    assert (told.cause, "GHL_API_VERSION" in told.says, "token" in told.says) == ("hold:here", True, False)
