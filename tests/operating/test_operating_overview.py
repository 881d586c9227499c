"""The overview: waiting messages, the last day's outcomes, problems; and the newest events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.model import ContactId, Dead, Ended, Lane, MessageId, Reason, Status
from bridge.operating import events, locations, overview
from bridge.operating.operation import Nothing
from tests.operating.test_operating_dead_letters import write_dead_letter
from tests.stored import HERE, accept, keep, lanes_of, message, pass_time, take

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations


def a_day(redis: Redis) -> None:
    """Two replies, one of them the provider's, a message without a reply, two skips and one that waits."""
    keep(redis)
    lanes = lanes_of(redis)
    ends = [
        (Status.REPLIED, None),
        (Status.DELIVERED_BY_PROVIDER, None),
        (Status.NO_REPLY, Reason.REFUSAL),
        (Status.SKIPPED, Reason.DND),
        (Status.SKIPPED, Reason.DND),
    ]
    for number, (status, reason) in enumerate(ends):
        lane = Lane(HERE, ContactId(f"c{number}"))
        accept(redis, message(f"m{number}", lane.contact_id))
        if number == 0:
            pass_time(redis, 10)
        lanes.end(take(lanes, lane), Ended(status=status, message_ids=(MessageId(f"m{number}"),), reason=reason))
    accept(redis, message("waits", "waiting"))


def test_the_last_day_is_told(redis: Redis, perform: Operations) -> None:
    """It has outcomes of 24 hours by hour and of one by minute, the reasons, and the mean time to a reply."""
    a_day(redis)
    seen = perform(overview.overview, Nothing())
    assert (seen.day.received, seen.day.replied, seen.day.delivered_by_provider) == (6, 1, 1)
    assert (seen.day.no_reply, seen.day.skipped, seen.day.dead, seen.day.in_work) == (1, 2, 0, 1)
    assert seen.skipped_by_reason == {"dnd": 2}
    assert seen.no_reply_by_reason == {"refusal": 1}
    assert seen.reply_seconds == pytest.approx(5, abs=1)
    assert (len(seen.minutes), len(seen.hours)) == (60, 24)
    assert sum(each.replied for each in seen.minutes) == sum(each.replied for each in seen.hours) == 1
    assert (seen.waiting, seen.answering, seen.retrying, seen.locations) == (1, 0, 0, 1)


def test_an_empty_bridge_has_nothing_to_tell(redis: Redis, perform: Operations) -> None:
    """It has zeros, no mean, and says that there is no worker and no location."""
    del redis
    seen = perform(overview.overview, Nothing())
    assert (seen.day.received, seen.reply_seconds, seen.skipped_by_reason, seen.dead_letters) == (0, None, {}, 0)
    assert [trouble.name for trouble in seen.troubles] == ["No location", "No workers"]
    assert perform(events.events, events.EventsQuery()).events == ()


def test_events_are_told_as_they_happen(redis: Redis, perform: Operations) -> None:
    """They are newest first, with their conversation and its details."""
    a_day(redis)
    newest = perform(events.events, events.EventsQuery(limit=2)).events
    assert [(each.step, each.contact_id, each.location_id) for each in newest] == [
        ("accepted", "waiting", HERE),
        ("skipped", "c4", HERE),
    ]
    assert newest[1].details["reason"] == "dnd"
    assert newest[0].at


def test_a_location_tells_when_it_last_answered_and_how_long_it_fails(redis: Redis, perform: Operations) -> None:
    """A location that never answered has no such time."""
    keep(redis, "new")
    a_day(redis)
    before = perform(locations.show, locations.LocationQuery("here"))
    assert (bool(before.last_answered_at), before.failing) == (True, 0)
    write_dead_letter(redis, 7)
    write_dead_letter(redis, 8)
    listed = {each.id: each for each in perform(locations.list_, locations.LocationsQuery()).locations}
    assert (listed["here"].failing, listed["new"].failing, listed["new"].last_answered_at) == (2, 0, None)


def test_a_dead_message_is_told_by_day(redis: Redis, perform: Operations) -> None:
    """It is counted with the others."""
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, message())
    lanes.write_dead_letter(take(lanes), [MessageId("m1")], Dead(error="no"), answer=None, at_ms=1)
    seen = perform(overview.overview, Nothing())
    assert (seen.day.dead, seen.dead_letters) == (1, 1)
