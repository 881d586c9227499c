"""Locations: applied, listed in pages, pruned and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import NotKnown, WrongInput
from bridge.model import Completion, ContactId, Dead, Ended, Lane, Status
from bridge.operating import locations
from bridge.operating.locations import Apply, LocationQuery, LocationsQuery
from tests.keys import key
from tests.stored import HERE, LANE, PROVIDED, accept, claim, keep, lanes_of, message, take
from tests.world import M1

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from bridge.model import Turn
    from bridge.operating.operation import Operations
    from bridge.store.lanes.leases import Lanes
    from tests.world import World


def apply(perform: Operations, *ids: str, prune: bool = False, **settings: Any) -> locations.Applied:
    return perform(locations.apply, Apply(locations={id_: {**PROVIDED, **settings} for id_ in ids}, prune=prune))


def ids(perform: Operations) -> list[str]:
    return [each.id for each in perform(locations.list_, LocationsQuery()).locations]


def test_pages_hold_every_location_once(perform: Operations) -> None:
    """Each page begins where the one before ended, and the last one says so."""
    apply(perform, *(f"L{number}" for number in range(7)))

    first = perform(locations.list_, LocationsQuery(limit=3))
    second = perform(locations.list_, LocationsQuery(limit=3, after=first.next or ""))
    third = perform(locations.list_, LocationsQuery(limit=3, after=second.next or ""))

    assert [each.id for page in (first, second, third) for each in page.locations] == [f"L{number}" for number in range(7)]
    assert third.next is None


def test_a_last_page_that_is_full_has_no_next(perform: Operations) -> None:
    """It has no link to an empty page."""
    apply(perform, "L1", "L2")

    assert perform(locations.list_, LocationsQuery(limit=2)).next is None


def test_pruning_removes_what_the_file_does_not_hold(perform: Operations) -> None:
    """`--prune` removes the other locations, and names them."""
    apply(perform, "One", "Two", "Three")

    assert apply(perform, "Two", prune=True).removed == ("One", "Three")
    assert ids(perform) == ["Two"]


def test_a_wrong_file_prunes_nothing(perform: Operations) -> None:
    """Nothing is changed if any part of it is wrong."""
    apply(perform, "One", "Two")

    with pytest.raises(WrongInput):
        apply(perform, "Two", prune=True, mode="loud")
    with pytest.raises(WrongInput):
        apply(perform, prune=True)
    assert ids(perform) == ["One", "Two"]


def test_a_removed_location_is_not_known(perform: Operations) -> None:
    """It can't be shown, paused or removed again."""
    apply(perform, "One", "Two")

    assert perform(locations.remove, LocationQuery("One")).id == "One"
    for operation in (locations.show, locations.pause, locations.resume, locations.remove):
        with pytest.raises(NotKnown):
            perform(operation, LocationQuery("One"))
    assert ids(perform) == ["Two"]


def test_a_removed_locations_messages_are_no_longer_taken(redis: Redis, perform: Operations) -> None:
    """Later messages are of an unknown location."""
    apply(perform, HERE)
    perform(locations.remove, LocationQuery(HERE))

    assert accept(redis, message()) == ["unknown_location"]


def test_what_waited_for_a_removed_location_is_skipped(world: World, perform: Operations) -> None:
    """They are skipped with reason unknown_location, without any request."""
    world.write()
    perform(locations.remove, LocationQuery(HERE))

    world.work()

    assert world.status() == ("skipped", "unknown_location")
    assert world.calls == []


def test_what_waited_out_a_hold_is_skipped_too(redis: Redis, world: World, perform: Operations) -> None:
    """A location on hold is in no queue; after its removal, its messages still end."""
    world.keep()
    lanes = lanes_of(redis)
    for number in range(3):
        lane = Lane(HERE, ContactId(f"refused{number}"))
        accept(redis, message(f"r{number}", lane.contact_id))
        turn = take(lanes, lane)
        lanes.write_dead_letter(turn, [turn.messages[0].id], Dead(error="no", refused="ghl"), answer=None, at_ms=1)
    world.write()
    assert claim(lanes) == ()

    perform(locations.remove, LocationQuery(HERE))
    world.work()

    assert world.status() == ("skipped", "unknown_location")
    assert not redis.smembers(key("holds"))


ENDS: dict[str, Callable[[Lanes, Turn], object]] = {
    "a claim of delivery": lambda lanes, turn: lanes.answered(
        turn, [M1], Completion(text="hi", claimed_message_id="c1"), at_ms=1, seconds=1.0
    ),
    "no claim of delivery": lambda lanes, turn: lanes.answered(turn, [M1], Completion(text="hi"), at_ms=1, seconds=1.0),
    "a reply": lambda lanes, turn: lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(M1,))),
    "a refused login": lambda lanes, turn: lanes.write_dead_letter(
        turn, [M1], Dead(error="no", refused="ghl"), answer=None, at_ms=1
    ),
    "another try": lambda lanes, turn: lanes.give_back(turn),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_work_under_way_does_not_bring_a_removed_location_back(
    redis: Redis, perform: Operations, end: Callable[[Lanes, Turn], object]
) -> None:
    """Data about a location that was removed meanwhile is not stored."""
    keep(redis)
    accept(redis, message())
    lanes = lanes_of(redis)
    turn = take(lanes)
    perform(locations.remove, LocationQuery(HERE))

    end(lanes, turn)

    assert not redis.exists(key("location", HERE))
    assert not redis.exists(key("refusals", HERE, "ghl"))
    assert not redis.smembers(key("holds"))


def test_a_removed_location_may_come_back(redis: Redis, perform: Operations) -> None:
    """Applied again, it starts fresh, and waiting messages are answered."""
    keep(redis)
    accept(redis, message())
    perform(locations.remove, LocationQuery(HERE))
    apply(perform, HERE)

    assert claim(lanes_of(redis)) == (LANE,)
    assert perform(locations.show, LocationQuery(HERE)).last_event_at is None
