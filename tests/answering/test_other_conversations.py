"""A reply that GHL may have stored in another conversation of the contact is looked for before it counts as absent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.answering.read_back import MOST_OTHERS
from tests.answering.test_list_lag import look_again, lose
from tests.world import POST, SEARCH, World, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        world.keep(takeover_seconds=0, history_messages=0)
        yield world


def test_a_reply_in_another_conversation_is_found(world: World) -> None:
    """If one of two further conversations contains it, it was posted once; each of them is read once."""
    world.others = {"another": [], "other": [world.row("answer 1", "g1")]}
    lose(world)
    assert (world.status(), len(world.posts()), len(world.asked(SEARCH))) == (("replied", ""), 1, 1)


def test_absent_in_all_of_them_it_is_posted_again(world: World) -> None:
    """Each further conversation with newer messages is read; then the reply counts as absent."""
    world.others = {"another": [], "other": [world.row("Hello?", "g1", direction="inbound")]}
    lose(world)
    assert (world.status(), len(world.posts())) == (("replied", ""), 2)


def test_more_of_them_than_the_budget_allows_prove_nothing(world: World) -> None:
    """With too many of them the outcome stays unknown: a dead letter says so, and nothing is posted again."""
    world.others = {f"another{number}": [] for number in range(MOST_OTHERS + 1)}
    lose(world)
    assert (world.status()[0], len(world.posts())) == ("dead", 1)
    assert not any(path.startswith("/conversations/another") for path, _ in world.calls)


def test_a_search_that_fails_proves_nothing(world: World) -> None:
    """If GHL does not list the conversations, nothing is posted again."""
    world.refusing[POST] = 500
    world.write()
    world.work(readback=(0.0,))
    world.refusing = {SEARCH: 403}
    look_again(world)
    assert len(world.posts()) == 1


def test_a_clear_outcome_costs_no_search(world: World) -> None:
    """Other conversations are searched only after an ambiguous outcome."""
    world.write()
    world.work()
    assert (world.status(), world.asked(SEARCH)) == (("replied", ""), [])
