"""Dead letters by their cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.operating.causes import cause_id, general
from bridge.operating.dead_letter_causes import CausesQuery, causes
from bridge.operating.dead_letters import DeadLettersQuery, list_
from tests.receiver.console.test_console_pages import dead_lettered

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("Assistable: HTTP 422, an object with message", "Assistable: HTTP 422, an object with message"),
        ("workflow 89e16b6e9f334c03aad8943de627b911 is gone", "workflow … is gone"),
        ("contact PKEu8zYjN0oYkSbUE4bO has no number", "contact … has no number"),
        ("no answer within 120.5 s, 16384 bytes read", "no answer within … s, … bytes read"),
        ("11 workers in a row stopped", "11 workers in a row stopped"),
    ],
)
def test_what_differs_from_one_to_the_next_is_left_out(error: str, cause: str) -> None:
    """Ids and large numbers are left out; a status code stays."""
    assert general(error) == cause


def test_open_ones_are_counted_by_cause(perform: Operations, redis: Redis) -> None:
    """The most frequent cause is first, with the locations that have most of them, or only those of one location."""
    dead_lettered(redis, 3, "here", error="HTTP 422 for contact PKEu8zYjN0oYkSbUE4b1")
    dead_lettered(redis, 1, "there", error="HTTP 422 for contact PKEu8zYjN0oYkSbUE4b2")
    dead_lettered(redis, 2, "elsewhere", error="HTTP 401")
    found = perform(causes, CausesQuery()).causes
    assert [(each.error, each.dead_letters, each.location_ids) for each in found] == [
        ("HTTP 422 for contact …", 4, ("here", "there")),
        ("HTTP 401", 2, ("elsewhere",)),
    ]
    assert (found[0].first_failed_at or "") <= (found[0].last_failed_at or "")
    (only,) = perform(causes, CausesQuery(location_id="there")).causes
    assert (only.id, only.dead_letters) == (found[0].id, 1)


def test_a_page_holds_those_of_one_cause(perform: Operations, redis: Redis) -> None:
    """This holds for any number of others before them, page after page."""
    dead_lettered(redis, 700, "here", error="HTTP 500")
    ids = dead_lettered(redis, 3, "there", error="HTTP 401")
    rare = cause_id("HTTP 401")
    first = perform(list_, DeadLettersQuery(cause=rare, limit=2))
    second = perform(list_, DeadLettersQuery(cause=rare, limit=2, after=first.next or ""))
    found = [each.id for page in (first, second) for each in page.dead_letters]
    assert sorted(found) == ids
    assert second.next is None


def test_the_same_error_has_the_same_cause_in_every_process() -> None:
    """Scripts of operators can use the id."""
    assert cause_id("HTTP 401") == "866c0b552412"
