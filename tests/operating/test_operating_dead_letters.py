"""Dead letters: pages, replay and drop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import NotKnown
from bridge.model import ContactId, Dead, Lane
from bridge.operating import dead_letters
from bridge.operating.dead_letters import DeadLetterQuery, DeadLettersQuery, Drop, Replay
from bridge.store.redis.partitions import PREFIXES, key_at
from tests.keys import card, key
from tests.stored import FERNET_KEY, HERE, accept, dead_letters_of, excerpts_of, keep, lanes_of, message, take

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations


def write_dead_letter(redis: Redis, number: int, location: str = HERE, *, said: str = "", fernet_key: str = FERNET_KEY) -> str:
    """Let a turn end as a dead letter, with `said` as the service's error text; returns its id."""
    accept(redis, message(f"m{number}", f"c{number}", location))
    lanes = lanes_of(redis)
    turn = take(lanes, Lane(message(location=location).location_id, ContactId(f"c{number}")))
    excerpt = excerpts_of(redis, fernet_key).seal(said, provider="assistable") if said else None
    lanes.write_dead_letter(turn, [turn.messages[0].id], Dead(error="no"), answer=None, at_ms=1, excerpt=excerpt)
    return turn.id


@pytest.fixture
def letters(redis: Redis) -> list[str]:
    """Five open dead letters of two locations."""
    keep(redis, HERE, "there")
    return [write_dead_letter(redis, number, "there" if number == 3 else HERE) for number in range(5)]


def every(perform: Operations, *, limit: int, location_id: str = "") -> list[str]:
    """The dead letters of all pages."""
    found, after = [], ""
    while True:
        page = perform(dead_letters.list_, DeadLettersQuery(limit=limit, after=after, location_id=location_id))
        found += [dead_letter.id for dead_letter in page.dead_letters]
        if page.next is None:
            return found
        after = page.next


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 500])
def test_pages_hold_every_letter_once(perform: Operations, letters: list[str], limit: int) -> None:
    """The oldest is first, for any page size."""
    assert every(perform, limit=limit) == letters
    assert every(perform, limit=limit, location_id="there") == [letters[3]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(times=st.lists(st.integers(0, 3), max_size=12), limit=st.integers(1, 5))
def test_letters_of_the_same_moment_are_all_listed(redis: Redis, times: list[int], limit: int) -> None:
    """Dead letters of one millisecond are each on one page."""
    redis.flushall()
    for number, at in enumerate(times):
        prefix = PREFIXES[number % 3]
        redis.zadd(key_at(prefix, "dead"), {f"d{number}": at})
        redis.set(key_at(prefix, "dead", f"d{number}"), _LETTER % number)
    store, found, after = dead_letters_of(redis), [], ""
    while True:
        page = store.page(after=after, most=limit)
        found += [dead_letter.id for dead_letter in page.dead_letters]
        if not page.next:
            break
        after = page.next
    assert found == [id_ for _, id_ in sorted((at, f"d{number}") for number, at in enumerate(times))]


def test_a_letter_that_is_closed_between_two_pages_moves_no_other(perform: Operations, letters: list[str]) -> None:
    """A place in the list is a time, not a number."""
    page = perform(dead_letters.list_, DeadLettersQuery(limit=2))
    perform(dead_letters.drop, Drop((letters[0],)))

    rest = perform(dead_letters.list_, DeadLettersQuery(limit=10, after=page.next or ""))

    assert [dead_letter.id for dead_letter in rest.dead_letters] == letters[2:]


def test_a_dry_run_changes_nothing_and_is_no_change(redis: Redis, perform: Operations, letters: list[str]) -> None:
    """It shows what would be replayed, and is not in the audit log."""
    (became,) = perform(dead_letters.replay, Replay(ids=(letters[0],), dry_run=True))

    assert became.result == "would replay"
    assert card(redis, "dead") == 5
    assert not redis.exists(key("audit"))


def test_one_unknown_id_refuses_all(redis: Redis, perform: Operations, letters: list[str]) -> None:
    """Nothing is replayed or dropped then."""
    with pytest.raises(NotKnown, match="nobody"):
        perform(dead_letters.replay, Replay(ids=(letters[0], "nobody")))
    with pytest.raises(NotKnown, match="nobody"):
        perform(dead_letters.drop, Drop((letters[0], "nobody")))
    with pytest.raises(NotKnown, match="nobody"):
        perform(dead_letters.show, DeadLetterQuery("nobody"))
    assert card(redis, "dead") == 5


_LETTER = (
    '{"id": "d%d", "location_id": "here", "contact_id": "c", "conversation_id": "", "message_ids": [], "channel": "SMS", '
    '"error": "", "attempts": 1, "failed_at": 1}'
)
