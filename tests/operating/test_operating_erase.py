"""`contacts erase`: no data of a contact is left, nobody else's data is lost, and opt-outs and pauses still hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from redis import Redis

from bridge.errors import Fenced, NotKnown
from bridge.model import (
    Again,
    Completion,
    ContactId,
    ConversationId,
    Dead,
    Ended,
    Lane,
    MessageId,
    OutboundMessage,
    PastMessage,
    Reason,
    Status,
)
from bridge.operating import contacts, conversations, locations
from bridge.operating.explain import ExplainQuery, explain
from bridge.store.figures.counts import Counts
from bridge.store.lanes.inbox import Inbox
from bridge.store.lanes.pseudonyms import digests
from bridge.store.operators.alerts import Alerts, Cause
from bridge.store.redis.connection import connect_async, now_ms
from tests.keys import key
from tests.operating.test_operating_dead_letters import write_dead_letter as bury_one
from tests.stored import (
    FERNET_KEY,
    HERE,
    RETENTION_MS,
    accept,
    check,
    claim,
    dead_letters_of,
    excerpts_of,
    keep,
    lanes_of,
    message,
    snapshot,
    standing_of,
    standings_of,
    take,
)

if TYPE_CHECKING:
    from bridge.operating.operation import Operations
    from bridge.operating.services import AdminServices
    from bridge.store.lanes.leases import Lanes

ID = "Er4sedC0ntact"
LANE = Lane(HERE, ContactId(ID))
OTHER = Lane(HERE, ContactId("somebody"))
CONVERSATION = ConversationId(f"conversation-{ID}")
WHO = contacts.ContactQuery(HERE, ID)


def write(redis: Redis, id_: str, **fields: Any) -> list[str]:
    return accept(redis, message(id_, ID, webhook_id=f"w-{id_}", date_added_ms=now_ms(redis), **fields))


def reply(redis: Redis, lanes: Lanes, id_: str, *, failing_first: bool = False) -> None:
    """Let a message be answered, in its second attempt with `failing_first`."""
    write(redis, id_, text=f"secret words {id_}")
    turn = take(lanes, LANE)
    if failing_first:
        said = excerpts_of(redis).seal("what the service said", provider="assistable")
        lanes.again(turn, [MessageId(id_)], Again(wait=0, why="busy"), excerpt=said)
        turn = take(lanes, LANE)
    lanes.asking(turn, [MessageId(id_)], at_ms=1, may_deliver=False, circuit="c", seconds=1, listed=[])
    lanes.answered(turn, [MessageId(id_)], Completion(text="answer"), at_ms=1, seconds=1.0)
    reply_id = MessageId(f"reply-{id_}")
    lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(MessageId(id_),), reply_message_ids=(reply_id,)))


def write_dead_letter(redis: Redis, lanes: Lanes, id_: str, *, refused: str = "") -> str:
    """Let a message end as a dead letter with a service's error text; returns its id."""
    write(redis, id_, text=f"secret words {id_}")
    turn, said = take(lanes, LANE), excerpts_of(redis).seal("what the service said", provider="assistable")
    dead = Dead(error="no", refused=refused)
    lanes.write_dead_letter(turn, [MessageId(id_)], dead, answer=Completion(text="answer"), at_ms=1, excerpt=said)
    return turn.id


def observe(redis: Redis, token: str = "") -> None:
    """Let a person write to the contact."""
    fields: dict[str, Any] = {"location_id": HERE, "contact_id": LANE.contact_id, "conversation_id": CONVERSATION}
    words = OutboundMessage(
        id=MessageId("h1"), type="TYPE_SMS", text="secret words of staff", date_added_ms=now_ms(redis), user_id="u1", **fields
    )
    standings_of(redis).observe(LANE, [words], token=token)


def fail(redis: Redis, id_: str) -> None:
    """Let GHL report that a reply did not reach the contact."""
    fields: dict[str, Any] = {"location_id": HERE, "contact_id": LANE.contact_id, "conversation_id": CONVERSATION}
    told = OutboundMessage(
        id=MessageId(id_), type="TYPE_SMS", text="answer", date_added_ms=now_ms(redis), status="failed", channel="SMS", **fields
    )
    standings_of(redis).observe(LANE, [told])


def live(redis: Redis, perform: Operations) -> None:
    """Let everything happen that can happen to a contact."""
    keep(redis)
    lanes = lanes_of(redis)
    reply(redis, lanes, "m1")
    reply(redis, lanes, "m0", failing_first=True)
    dropped, replayed = write_dead_letter(redis, lanes, "m2"), write_dead_letter(redis, lanes, "m3")
    dead_letters_of(redis).drop([dropped])
    dead_letters_of(redis).replay(replayed, force=True)
    write_dead_letter(redis, lanes, "m4", refused="ghl")
    standings_of(redis).begin_away(LANE, 1, "turn")
    observe(redis)
    fail(redis, "reply-m1")
    assert redis.exists(key("delivery", str(LANE)), key("undelivered")) == 2
    perform(conversations.pause, conversations.ConversationQuery(ID))
    perform(conversations.pause, conversations.ConversationQuery("never-heard-of"))
    perform(contacts.allow, WHO)
    redis.zadd(key("capped"), {str(LANE): now_ms(redis)})
    redis.zadd(key("untyped"), {str(LANE): now_ms(redis)})
    redis.zadd(key("spoken_stops"), {str(LANE): now_ms(redis)})
    redis.zadd(key("other_bot"), {str(LANE): now_ms(redis)})
    redis.hset(key("generated", str(LANE)), "m1", 1)
    redis.hset(key("circuit", "assistable", "faults"), "token", str(LANE))
    Alerts(redis).review([Cause("reply_cap", f"`ghl-bridge explain {ID}`")], every=1.0)
    write(redis, "m5", text="secret words m5")
    claim(lanes)


def everything(redis: Redis) -> str:
    """All names and values in Redis."""
    return str(snapshot(redis))


def stored_bytes(redis_url: str, name: str) -> bytes:
    """A value's stored bytes, with parts that no command shows."""
    with Redis.from_url(redis_url) as raw:
        raw.config_set("rdbcompression", "no")
        dumped = raw.dump(name)
    assert isinstance(dumped, bytes)
    return dumped


def test_nothing_of_an_erased_contact_is_left(redis: Redis, perform: Operations) -> None:
    """Neither its id nor its texts are in any name or value, and it can't be explained any more."""
    live(redis, perform)
    assert ID in everything(redis)
    assert len(redis.keys("*}:excerpt:*")) == 3

    assert perform(contacts.erase, WHO).records > 20

    assert not redis.keys("*}:excerpt:*")

    left = everything(redis)
    assert ID not in left
    assert "secret words" not in left
    for id_ in (ID, CONVERSATION, "m1", "reply-m1", "h1"):
        with pytest.raises(NotKnown):
            perform(explain, ExplainQuery(id_))
    assert claim(lanes_of(redis)) == ()


def test_newest_events_keep_no_bytes_of_an_erased_contact(redis: Redis, redis_url: str, perform: Operations) -> None:
    """It is neither among the lanes with the newest events nor in an older version's stream; others stay."""
    keep(redis)
    for number in range(3):
        write(redis, f"m{number}")
        accept(redis, message(f"o{number}", "somebody"))
        for lane in (LANE, OTHER):
            redis.xadd(key("live"), {"lane": str(lane), "event": "{}"})
    redis.pexpire(key("live"), RETENTION_MS)
    before: Any = redis.xrange(key("live"))
    for name in ("live", "recent"):
        assert ID.encode() in stored_bytes(redis_url, key(name))
    perform(contacts.erase, WHO)
    for name in ("live", "recent"):
        assert ID.encode() not in stored_bytes(redis_url, key(name))
    assert redis.zrange(key("recent"), 0, -1) == [str(OTHER)]
    assert redis.xrange(key("live")) == [entry for entry in before if entry[1]["lane"] != str(LANE)]
    assert redis.pttl(key("live")) > 0


def test_everybody_else_keeps_everything(redis: Redis, perform: Operations) -> None:
    """This includes contacts whose ids begin or end with the erased one."""
    keep(redis, HERE, "there")
    others = [("x" + ID, HERE), (ID + "x", HERE), ("x" + ID + "x", "there")]
    for number, (contact, location) in enumerate(others):
        accept(redis, message(f"o{number}", contact, location, text="other words"))
    bury_one(redis, 9)
    before = snapshot(redis, without=(key("live"), key("audit")))
    write(redis, "m1")

    perform(contacts.erase, WHO)

    after = snapshot(redis, without=(key("live"), key("audit")))
    moving = {key("totals"), key("counts"), key("location", "here"), key("due"), key("leader"), key("reported")}
    seen = {name for name in after if ":seen:" in name or ":chart:" in name}
    assert {name: value for name, value in after.items() if name not in moving | seen} == {
        name: value for name, value in before.items() if name not in moving | seen
    }


def test_erasing_is_noted_and_names_nobody(redis: Redis, perform: Operations) -> None:
    """The entry says that a contact of this location was erased, and older entries lose its ids."""
    live(redis, perform)
    perform(contacts.erase, WHO)

    entries = redis.zrange(key("audit"), 0, -1)

    assert "contacts.erase" in str(entries[-1])
    assert any("(erased)" in str(entry) for entry in entries)
    assert not any(ID in str(entry) for entry in entries)


def test_an_alert_is_told_all_the_same(redis: Redis, perform: Operations) -> None:
    """The alert is posted without naming the contact."""
    live(redis, perform)
    perform(contacts.erase, WHO)

    alert = Alerts(redis).next()
    assert alert is not None
    assert alert.document["text"] == "`ghl-bridge explain (erased)`"


def test_who_works_on_it_is_fenced_off(redis: Redis, perform: Operations) -> None:
    """A turn in progress can neither post nor write."""
    keep(redis)
    lanes = lanes_of(redis)
    write(redis, "m1")
    turn = take(lanes, LANE)

    perform(contacts.erase, WHO)

    with pytest.raises(Fenced):
        check(lanes, turn, seconds=1, revision=0)
    with pytest.raises(Fenced):
        lanes.answered(turn, [MessageId("m1")], Completion(text="hi"), at_ms=1, seconds=1.0)
    secret = [PastMessage("user", "secret words", MessageId("m1"), 1)]
    with pytest.raises(Fenced):
        lanes.asking(turn, [MessageId("m1")], at_ms=1, may_deliver=False, circuit="c", seconds=1, listed=secret)
    assert lanes.renew([turn]) == (LANE,)
    observe(redis, token=turn.token)
    standings = standings_of(redis)
    standings.remember(LANE, secret, token=turn.token)
    assert not standings.begin_away(LANE, 1, "turn", token=turn.token)
    assert ID not in everything(redis)


def test_what_is_not_kept_can_not_be_erased(redis: Redis, perform: Operations) -> None:
    """It is wrong input; so is a second erasure."""
    keep(redis)
    with pytest.raises(NotKnown):
        perform(contacts.erase, WHO)
    write(redis, "m1")
    perform(contacts.erase, WHO)
    with pytest.raises(NotKnown):
        perform(contacts.erase, WHO)


async def come_again(redis: Redis, redis_url: str, id_: str, text: str = "hello again") -> str:
    """Let the contact write to a receiver with a rotated key: the old key is behind the new one."""
    inbox = Inbox(connect_async(redis_url), retention_ms=RETENTION_MS, fernet_keys=[Fernet.generate_key().decode(), FERNET_KEY])
    try:
        return await inbox.accept(message(id_, ID, text=text, date_added_ms=now_ms(redis)))
    finally:
        await inbox.close()


async def test_a_stop_outlives_its_contact(redis: Redis, redis_url: str, perform: Operations) -> None:
    """It is stored under a digest that names nobody, and counts as soon as the contact writes, even years later."""
    keep(redis)
    assert write(redis, "m1", text="STOP") == ["stop_word"]
    assert perform(contacts.erase, WHO).stopped == ("SMS",)
    assert ID not in everything(redis)
    assert perform(contacts.show, WHO).stopped_before_erasure.keys() == {"SMS"}
    assert redis.ttl(key("erased", digests(LANE, [FERNET_KEY])[0])) == -1

    assert await come_again(redis, redis_url, "m2") == "accepted"

    assert standing_of(redis, LANE, CONVERSATION).stopped.keys() == {"SMS"}
    assert perform(contacts.show, WHO).stopped_before_erasure == {}
    assert not redis.keys(key("erased", "*"))


async def test_start_lifts_the_stop_of_an_erased_contact(redis: Redis, redis_url: str, perform: Operations) -> None:
    """START counts as always."""
    keep(redis)
    write(redis, "m1", text="STOP")
    perform(contacts.erase, WHO)

    await come_again(redis, redis_url, "m2", "START")

    assert standing_of(redis, LANE, CONVERSATION).stopped == {}


async def test_allow_lifts_the_stop_of_an_erased_contact(redis: Redis, redis_url: str, perform: Operations) -> None:
    """The operator only needs the contact's id."""
    keep(redis)
    write(redis, "m1", text="STOP")
    perform(contacts.erase, WHO)

    assert perform(contacts.allow, WHO).channels == ("SMS",)

    await come_again(redis, redis_url, "m2")
    assert standing_of(redis, LANE, CONVERSATION).stopped == {}


async def test_a_pause_outlives_its_contact_too(redis: Redis, redis_url: str, perform: Operations) -> None:
    """A takeover holds too, for as long as takeovers last."""
    keep(redis, takeover_seconds=100.0)
    write(redis, "m1")
    observe(redis)
    perform(conversations.pause, conversations.ConversationQuery(ID))
    perform(contacts.erase, WHO)

    await come_again(redis, redis_url, "m2")

    standing = standing_of(redis, LANE, CONVERSATION)
    assert standing.paused_at_ms
    assert standing.human_at_ms


def test_a_takeover_alone_is_forgotten_in_time(redis: Redis, perform: Operations) -> None:
    """Nothing else was forbidden, so nothing has to stay."""
    keep(redis, takeover_seconds=100.0)
    write(redis, "m1")
    observe(redis)
    perform(contacts.erase, WHO)

    assert 0 < redis.pttl(key("erased", digests(LANE, [FERNET_KEY])[0])) <= 100_000


def test_who_comes_while_it_is_erased_is_answered(redis: Redis, admin_services: AdminServices, perform: Operations) -> None:
    """A message that is accepted after the erasure began is complete, with all data for its answer."""
    keep(redis)
    write(redis, "m1")
    begun = admin_services.erasures.begin(LANE)
    write(redis, "m2", text="new words")

    admin_services.erasures.finish(LANE, begun)

    turn = take(lanes_of(redis), LANE)
    assert [one.id for one in turn.messages] == ["m2"]
    assert perform(explain, ExplainQuery("m2")).messages[0].status == Status.WAITING
    assert perform(explain, ExplainQuery(CONVERSATION)).messages
    with pytest.raises(NotKnown):
        perform(explain, ExplainQuery("m1"))


def test_a_removed_locations_contact_can_be_erased(redis: Redis, perform: Operations) -> None:
    """Contacts of a removed location can be erased too."""
    live(redis, perform)
    perform(locations.remove, locations.LocationQuery(HERE))

    perform(contacts.erase, WHO)

    assert ID not in everything(redis)


def test_the_reason_of_a_skip_names_nobody(redis: Redis) -> None:
    """Counts contain reasons, not contacts."""
    keep(redis)
    write(redis, "m1", text="STOP")
    assert Reason.STOP_WORD in str(Counts(redis).totals())
    assert ID not in str(Counts(redis).totals())
