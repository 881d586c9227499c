"""Names of contacts from GHL: encrypted like tokens, and found by keyed digests of the search terms.

`person:LANE` contains digests of the words of the name, of the phone number and of the e-mail address, and after a space the same
data encrypted. Without BRIDGE_SECRET_KEY, nobody can read it or guess it by trying.
"""

from __future__ import annotations

import hmac
from base64 import b64encode, urlsafe_b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from bridge.model import Lane
from bridge.policy.searching import of_person, of_query
from bridge.store.redis.connection import reaching, text
from bridge.store.redis.lua import script
from bridge.store.redis.partitions import ANY, key, prefix_of, split_key
from bridge.store.redis.sealing import Seal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.model import Contact
    from bridge.store.redis.connection import Redis
    from bridge.store.redis.sealing import Resealed

BATCH = 1000
# A digest of this many bytes has eight characters.
DIGEST_BYTES = 6


@dataclass(frozen=True, slots=True)
class Person:
    """A contact's name, phone number and e-mail address; each may be empty."""

    name: str = ""
    phone: str = ""
    email: str = ""

    @property
    def called(self) -> str:
        """The name for lists, else the number or the address."""
        return self.name or self.phone or self.email


class ContactNames:
    """Raises Unavailable when Redis can't be reached."""

    def __init__(self, redis: Redis, fernet_keys: Iterable[str], retention_ms: int) -> None:
        self._redis = redis
        self._find = redis.register_script(script("find_people"))
        self._keys = tuple(fernet_keys)
        self._seal = Seal(self._keys)
        self._retention_ms = retention_ms

    def sealed(self, lane: Lane, contact: Contact, *, known: str) -> str:
        """A contact's encrypted names, for storing; empty if there are none, or if their digests equal `known`."""
        return self._sealed(lane, Person(contact.name, contact.phone, contact.email), known=known)

    def keep(self, lane: Lane, sealed: str) -> None:
        """Store a contact's names, as `sealed` returned them; a question to a provider stores them too (`Lanes.asking`)."""
        with reaching(f"note who {lane} is"):
            self._redis.set(key("person", str(lane)), sealed, px=self._retention_ms)

    def _sealed(self, lane: Lane, person: Person, *, known: str) -> str:
        digests = self._digests(self._keys[0], lane.location_id, of_person(person.name, person.phone, person.email))
        if not person.called or digests == known:
            return ""
        return f"{digests} {self._seal.close(orjson.dumps([person.name, person.phone, person.email]))}"

    def read(self, lanes: Sequence[Lane]) -> dict[Lane, Person]:
        """The names of these contacts, if stored and decryptable."""
        with reaching("read the names of contacts"):
            found = self._redis.mget([key("person", str(lane)) for lane in lanes]) if lanes else []
        people = {lane: self._open(text(stored)) for lane, stored in zip(lanes, found, strict=True) if stored}
        return {lane: person for lane, person in people.items() if person}

    def find(self, query: str, location_ids: Sequence[str], *, most: int) -> tuple[Lane, ...]:
        """The contacts that match a name, a number or an address, newest message first in each location."""
        wanted = of_query(query)
        if not wanted:
            return ()
        found: list[Lane] = []
        for location in location_ids:
            groups = [self._digests(one, location, terms) for one in self._keys for terms in wanted]
            start = 0
            while start >= 0 and len(found) < most:
                with reaching("look for contacts"):
                    start, *some = self._find(keys=[prefix_of(location)], args=[location, start, most - len(found), *groups])
                found += [Lane.parse(text(one)) for one in some]
        return tuple(found)

    def lanes(self) -> tuple[Lane, ...]:
        """The contacts with a stored name."""
        with reaching("list the names of contacts"):
            found = self._redis.scan_iter(f"{ANY}person:*", count=BATCH)
            return tuple(sorted((Lane.parse(split_key(text(name))[1].removeprefix("person:")) for name in found), key=str))

    def reseal(self, lane: Lane) -> Resealed:
        """Re-encrypt a contact's data with the newest key, with new digests for the search."""
        with reaching(f"read who {lane} is"):
            stored = text(self._redis.get(key("person", str(lane))) or "")
        sealed = stored.partition(" ")[2]
        if not stored:
            return "gone"
        if self._seal.is_current(sealed):
            return "current"
        person = self._open(stored)
        if person is None:
            return "unreadable"
        if anew := self._sealed(lane, person, known=""):
            self.keep(lane, anew)
        return "resealed"

    def _open(self, stored: str) -> Person | None:
        opened = self._seal.open(stored.partition(" ")[2])
        return Person(*orjson.loads(opened)) if opened else None

    @staticmethod
    def _digests(fernet_key: str, location_id: str, words: Sequence[str]) -> str:
        """A digest of eight characters for each word, from the key, the location and the word."""
        secret = urlsafe_b64decode(fernet_key)
        made = (hmac.digest(secret, f"person\0{location_id}\0{word}".encode(), "sha256")[:DIGEST_BYTES] for word in words)
        return "".join(b64encode(one).decode() for one in made)
