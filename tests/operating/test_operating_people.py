"""People: names from GHL, encrypted, and found by what an operator remembers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from bridge import flow
from bridge.model import Contact, ContactId, Lane
from bridge.operating.contacts import ContactQuery, erase
from bridge.operating.conversation_lists import ConversationsQuery, list_
from bridge.operating.conversations import ConversationQuery, show
from bridge.operating.key_rotation import rotate
from bridge.operating.local import LocalOperations
from bridge.operating.operation import Nothing
from bridge.operating.people import ContactSearch, find
from bridge.operating.services import AdminServices
from bridge.settings import from_environment
from bridge.store.lanes.people import ContactNames
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.stored import FERNET_KEY, HERE, LANE, RETENTION_MS, accept, claim, keep, lanes_of, message
from tests.world import CONTACT

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations
    from tests.world import World

JANE = {"firstName": "Jané", "lastName": "Müller-Doe", "phone": "+1 (555) 123-4567", "email": "Jane@Example.com"}


def people_of(redis: Redis, *fernet_keys: str) -> ContactNames:
    """The people of these contacts."""
    return ContactNames(redis, fernet_keys=fernet_keys or [FERNET_KEY], retention_ms=RETENTION_MS)


def knows(redis: Redis, contact: str, name: str, **more: Any) -> Lane:
    """A contact that wrote, and whose name is known."""
    one = message(f"m-{contact}", contact, date_added_ms=now_ms(redis))
    accept(redis, one)
    note(redis, one.lane, name, **more)
    return one.lane


def note(redis: Redis, lane: Lane, name: str, **more: Any) -> None:
    """Store who a contact is."""
    people = people_of(redis)
    people.keep(lane, people.sealed(lane, Contact(id=lane.contact_id, name=name, **more), known=""))


def answer(world: World) -> None:
    """Run the lane's turn once, like a worker that stores names."""
    assert LANE in claim(lanes_of(world.redis))
    flow.answer(LANE, replace(world.services(), people=people_of(world.redis)))


def found(perform: Operations, query: str, **more: str) -> list[str]:
    """The contacts that a search finds."""
    return [one.contact_id for one in perform(find, ContactSearch(q=query, **more)).contacts]


def everything(redis: Redis) -> str:
    """All readable data in Redis."""
    dumped: list[Any] = []
    for name in redis.scan_iter("*"):
        kind = redis.type(name)
        dumped += [name, redis.get(name) if kind == "string" else redis.hgetall(name) if kind == "hash" else ""]
        dumped += redis.lrange(name, 0, -1) if kind == "list" else redis.zrange(name, 0, -1) if kind == "zset" else []
    return str(dumped).casefold()


def test_a_contact_is_called_as_ghl_told(world: World, perform: Operations, redis: Redis) -> None:
    """The name comes from the look-up before a reply; Redis has it encrypted, and it expires."""
    world.keep(contact_lookup=True)
    world.contact = JANE
    world.write("m1")
    answer(world)
    (row,) = perform(list_, ConversationsQuery()).conversations
    assert row.name == "Jané Müller-Doe"
    assert perform(show, ConversationQuery("m1")).name == "Jané Müller-Doe"
    assert 0 < redis.pttl(key("person", str(LANE))) <= RETENTION_MS
    for word in ("müller", "muller", "5551234567", "example.com"):
        assert word not in everything(redis)


def test_who_is_known_is_not_written_again(world: World, redis: Redis) -> None:
    """The same name needs no write at a later reply; another name replaces it."""
    world.keep(contact_lookup=True)
    world.contact = JANE
    stored = set()
    for number in range(2):
        world.write(f"m{number}")
        answer(world)
        stored.add(redis.get(key("person", str(LANE))))
    assert len(stored) == 1
    assert world.asked(CONTACT)
    world.contact = {**JANE, "firstName": "Joan"}
    world.write("m9")
    answer(world)
    assert people_of(redis).read([LANE])[LANE].name == "Joan Müller-Doe"


@pytest.mark.parametrize(
    "query",
    ["jane", "MULLER", "Müller doe", "doe jane", "+15551234567", "1 555 123 4567", "001-555-123-4567", " jane@example.COM "],
)
def test_a_contact_is_found_by_what_is_remembered(perform: Operations, redis: Redis, query: str) -> None:
    """Words of the name in any order and case and without accents, the number in any notation, or the address are found."""
    keep(redis)
    knows(redis, "jane", "Jané Müller-Doe", phone="+15551234567", email="jane@example.com")
    knows(redis, "john", "John Doe", phone="+15559999999", email="john@example.com")
    assert found(perform, query) == ["jane"]


@pytest.mark.parametrize(
    ("known", "query"),
    [
        ("+5215512345678", "+52 55 1234 5678"),
        ("+525512345678", "+52 1 55 1234 5678"),
        ("+5491158749895", "+54 11 5874-9895"),
        ("+541158749895", "0054 9 11 5874 9895"),
        ("+559281723241", "+55 (92) 98172-3241"),
        ("+5592981723241", "+55 92 8172 3241"),
        ("+5592981723241", "+55 92 98172 3241"),
    ],
)
def test_a_number_is_found_by_its_whatsapp_id(perform: Operations, redis: Redis, known: str, query: str) -> None:
    """Mexico's, Argentina's and Brazil's numbers are found with and without the digit in which WhatsApp's ids differ."""
    keep(redis)
    knows(redis, "ana", "Ana", phone=known)
    knows(redis, "rui", "Rui", phone=known[:-1] + "0")
    assert found(perform, query) == ["ana"]


@pytest.mark.parametrize("query", ["jan", "smith", "jane smith", "+15551234568", "jane@example.org", "!"])
def test_what_does_not_fit_is_not_found(perform: Operations, redis: Redis, query: str) -> None:
    """Parts of words, other words and other numbers are not found: digests match only whole words."""
    keep(redis)
    knows(redis, "jane", "Jane Doe", phone="+15551234567", email="jane@example.com")
    assert found(perform, query) == []


def test_a_search_goes_through_all_contacts_and_locations(perform: Operations, redis: Redis) -> None:
    """It searches any number of contacts; with a location it searches only that one."""
    keep(redis, "here", "there")
    now = now_ms(redis)
    redis.zadd(key("recorded", HERE), {f"c{number}": now - number for number in range(5000)})
    for location in ("here", "there"):
        lane = Lane(message(location=location).location_id, ContactId("c4999"))
        redis.zadd(key("recorded", location), {"c4999": now - 4999})
        note(redis, lane, "Jane Doe")
    assert found(perform, "jane") == ["c4999", "c4999"]
    assert found(perform, "jane", location_id="there") == ["c4999"]


def test_an_erased_contact_has_no_name(perform: Operations, redis: Redis) -> None:
    """It can't be found either."""
    keep(redis)
    lane = knows(redis, "jane", "Jane Doe")
    perform(erase, ContactQuery(lane.location_id, lane.contact_id))
    assert not redis.exists(key("person", str(lane)))
    assert found(perform, "jane") == []


def test_names_are_off_where_texts_are(redis_url: str, redis: Redis) -> None:
    """With BRIDGE_CONSOLE_SHOW_TEXT=0 they are neither shown nor found."""
    keep(redis)
    knows(redis, "jane", "Jane Doe")
    environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "BRIDGE_CONSOLE_SHOW_TEXT": "0"}
    admin_services = AdminServices(from_environment(environ))
    perform = LocalOperations(admin_services, who="cli")
    assert found(perform, "jane") == []
    assert [row.name for row in perform(list_, ConversationsQuery()).conversations] == [None]
    admin_services.close()


def test_a_rotation_seals_names_anew(redis_url: str, redis: Redis) -> None:
    """They are found with both keys before it, and with only the new one after it."""
    new = Fernet.generate_key().decode()
    keep(redis)
    knows(redis, "jane", "Jane Doe")
    both = AdminServices(from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": f"{new},{FERNET_KEY}"}))
    assert found(LocalOperations(both, who="cli"), "jane") == ["jane"]
    assert LocalOperations(both, who="cli")(rotate, Nothing()).unreadable == ()
    alone = AdminServices(from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": new}))
    assert found(LocalOperations(alone, who="cli"), "jane") == ["jane"]
    both.close()
    alone.close()


@pytest.mark.parametrize(
    ("domain", "begins"), [("", "https://app.gohighlevel.com/v2/"), ("https://app.acme.example", "https://app.acme.example/v2/")]
)
def test_a_conversation_leads_into_ghl(perform: Operations, redis: Redis, domain: str, begins: str) -> None:
    """The link uses the location's own domain, if it has one."""
    keep(redis, app_domain=domain)
    accept(redis, message("m1"))
    url = perform(show, ConversationQuery("m1")).ghl_url
    assert url == f"{begins}location/here/conversations/conversations/conversation-contact"


def test_what_is_kept_for_lists_and_search_is_small(world: World, redis: Redis) -> None:
    """A contact's name and the ends of its messages need at most 0.6 KB."""
    world.keep(contact_lookup=True)
    world.contact = JANE
    world.write("m1")
    answer(world)
    record = key("lane", str(LANE))
    whole = redis.memory_usage(record) or 0
    redis.hdel(record, *[str(name) for name in redis.hkeys(record) if str(name).startswith("ended")])
    ends = whole - (redis.memory_usage(record) or 0)
    assert ends + (redis.memory_usage(key("person", str(LANE))) or 0) <= 600
