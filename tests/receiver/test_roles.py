"""Named operators: every operation and page with each role, and no access to other locations."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bridge.model import ContactId, Ended, Lane, LocationId, MessageId, Operator, Reason, Role, Status
from bridge.operating.reach import everywhere
from bridge.operating.registry import OPERATIONS
from bridge.receiver.console.app import CHANGES, FILES, PAGES
from bridge.store.operators.operators import Operators
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.receiver.console.test_console_pages import dead_lettered
from tests.served import ADMIN_TOKEN, served
from tests.stored import accept, keep, lanes_of, locations_of, message, take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from bridge.operating.operation import Operation

LASTS_MS = 3_600_000
# What is another location's has this in its ids.
OTHER = "zzz"
LOWER = {Role.READ: None, Role.OPERATE: Role.READ, Role.ADMIN: Role.OPERATE}
# What questions ask for, by the name of the field, and by operation where that says too little. `{}` is the location.
BY_FIELD: dict[str, Any] = {
    "location_id": "{}",
    "location": "{}",
    "contact_id": "contact-{}",
    "id": "m1-{}",
    "name": "jane",
    "role": "read",
    "q": "{}",
}
BY_OPERATION: dict[str, dict[str, Any]] = {
    "locations.apply": {"locations": {"{}": {"mode": "off"}}},
    "dead_letters.show": {"id": "{}00000"},
    "dead_letters.replay": {"ids": ["{}00000"]},
    "dead_letters.drop": {"ids": ["{}00000"]},
    "excerpts.text": {"id": "{}00000"},
    "conversations.replay_undelivered": {"ids": ["lost-{}"]},
    "operators.add": {"name": "new"},
}


@pytest.fixture(scope="module")
def url(redis_url: str) -> Iterator[str]:
    """One receiver for all tests of this file."""
    with served(redis_url) as url:
        yield url


@pytest.fixture
def filled(redis: Redis) -> Redis:
    """Two locations with equal data, and an operator of each role; `client` is an admin of one of the two."""
    keep(redis, "own", OTHER)
    for location in ("own", OTHER):
        end(redis, location, "contact", Status.REPLIED, "m1")
        end(redis, location, "skipped", Status.SKIPPED, "m2")
        dead_lettered(redis, 1, location)
        redis.zadd(key("undelivered"), {f"{location}:contact-{location} lost-{location} SMS": now_ms(redis)})
    operators = Operators(redis)
    for role in Role:
        operators.add(role, role, (), f"token-{role}", lasts_ms=LASTS_MS)
    operators.add("client", Role.ADMIN, ("own",), "token-client", lasts_ms=LASTS_MS)
    operators.add("jane", Role.READ, (), "token-jane", lasts_ms=LASTS_MS)
    return redis


def end(redis: Redis, location: str, contact: str, status: Status, id_: str) -> None:
    """A message with its outcome."""
    name = MessageId(f"{id_}-{location}")
    accept(redis, message(name, f"{contact}-{location}", location))
    lane = Lane(LocationId(location), ContactId(f"{contact}-{location}"))
    reason = Reason.DND if status is Status.SKIPPED else None
    lanes_of(redis).end(take(lanes_of(redis), lane), Ended(status=status, message_ids=(name,), reason=reason, facts="dnd is on"))


def _filled_in(value: Any, location: str) -> Any:
    match value:
        case str():
            return value.replace("{}", location)
        case dict():
            return {_filled_in(name, location): _filled_in(one, location) for name, one in value.items()}
        case list():
            return [_filled_in(one, location) for one in value]
        case _:
            return value


def ask(url: str, operation: Operation[Any, Any], token: str, *, location: str, bare: bool = False) -> httpx.Response:
    """Call an operation for a location; `bare`: without its optional fields."""
    named = BY_OPERATION.get(operation.name, {})
    asked: dict[str, Any] = {}
    for field in fields(operation.asks):
        is_needed = field.default is MISSING and field.default_factory is MISSING
        known = field.name in named or field.name in BY_FIELD
        assert known or not is_needed, f"{operation.name} asks for {field.name}: say in BY_OPERATION what to ask"
        if is_needed or (known and not bare):
            asked[field.name] = _filled_in(named.get(field.name, BY_FIELD.get(field.name)), location)
    path = operation.path.format(**asked)
    headers = {"Authorization": f"Bearer {token}"}
    query = {name: asked[name] for name in operation.in_query if name in asked}
    body = {name: asked[name] for name in operation.in_body if name in asked} if operation.in_body else None
    return httpx.request(operation.method, f"{url}/api/v1{path}", params=query, json=body, headers=headers, timeout=60)


def code(answer: httpx.Response) -> str:
    """The code of a refusal; empty for an answer."""
    return "" if answer.status_code == 200 else str(answer.json()["error"]["code"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_every_operation_has_a_role_and_a_reach(operation: Operation[Any, Any]) -> None:
    """A new operation must name who may run it, and for which locations."""
    assert operation.role is not None
    assert operation.reach is not None


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_every_operation_is_for_its_role(url: str, filled: Redis, operation: Operation[Any, Any]) -> None:
    """The role below gets 403 and changes nothing; the role itself may run it."""
    del filled
    assert operation.role is not None
    lower = LOWER[operation.role]
    if lower:
        assert code(ask(url, operation, f"token-{lower}", location="own")) == "forbidden"
    assert code(ask(url, operation, f"token-{operation.role}", location="own")) not in {"forbidden", "unauthorized"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_every_operation_keeps_to_the_operators_locations(url: str, filled: Redis, operation: Operation[Any, Any]) -> None:
    """Another location's data is neither shown nor changed by any operation; the operator's own location works."""
    before = snapshot(filled)
    if operation.reach is everywhere:
        assert code(ask(url, operation, "token-client", location="own")) == "forbidden"
        return
    foreign = ask(url, operation, "token-client", location=OTHER)
    assert foreign.status_code in {200, 403, 404}
    assert OTHER not in foreign.text
    assert snapshot(filled) == before
    own = [ask(url, operation, "token-client", location="own", bare=bare) for bare in (True, False)]
    assert all(OTHER not in each.text for each in own)
    assert code(own[1]) not in {"forbidden", "unauthorized"}


def snapshot(redis: Redis) -> dict[str, object]:
    """All stored data of the other location."""
    return {name: redis.dump(name) for name in sorted(redis.scan_iter(f"*{OTHER}*"))}


@contextmanager
def log_in(url: str, token: str) -> Iterator[httpx.Client]:
    """A browser with an operator's login."""
    with httpx.Client(base_url=f"{url}/console", follow_redirects=True) as client:
        assert client.post("/login", data={"token": token}).status_code == 200
        yield client


def addresses(path: str, location: str) -> list[str]:
    """The addresses of a page about a location."""
    if "{id}" not in path:
        return [path, f"{path}?location={location}", f"{path}?location_id={location}", f"{path}?q={location}"]
    ids = [location] if path.startswith("/locations") else [f"contact-{location}", f"m1-{location}", f"lost-{location}"]
    return [path.replace("{id}", id_) for id_ in ids]


@pytest.mark.parametrize("path", [*PAGES, *FILES])
def test_every_page_keeps_to_the_operators_locations(url: str, filled: Redis, path: str) -> None:
    """Pages of its own location exist; no page names anything of another one."""
    del filled
    with log_in(url, "token-client") as client:
        for address in addresses(path, "own")[:1]:
            assert client.get(address).status_code in ({403} if path in {"/operators", "/audit"} else {200})
        for address in addresses(path, OTHER) + addresses(path, "own"):
            shown = client.get(address).text
            # The filter that was asked for stands on the page.
            for echo in (address, f"?location={OTHER}", f"?location_id={OTHER}", f'"{OTHER}"', f">{OTHER}</span>", f"q={OTHER}"):
                shown = shown.replace(echo, "")
            assert OTHER not in shown, address


# What a form sends beside its path: each change with its role.
FORMS: dict[str, tuple[Role, dict[str, str]]] = {
    "/conversations/words": (Role.READ, {"contact": "contact-own"}),
    "/conversations/{id}/text": (Role.READ, {"message": "m1-own"}),
    "/conversations/{id}/said": (Role.READ, {"excerpt": "own00000"}),
    "/conversations/{id}/{change}": (Role.OPERATE, {}),
    "/undelivered": (Role.OPERATE, {"id": "lost-own"}),
    "/dead-letters": (Role.OPERATE, {"action": "replay", "id": "own00000"}),
    "/dead-letters/said": (Role.READ, {"excerpt": "own00000"}),
    "/locations/{id}/check-provider": (Role.OPERATE, {}),
    "/locations/{id}/set-up": (Role.ADMIN, {"provider": "webhook", "url": "https://n8n.example/x"}),
    "/locations/{id}/{change}": (Role.OPERATE, {}),
    "/operators": (Role.ADMIN, {"name": "new", "role": "read"}),
    "/operators/{name}/remove": (Role.ADMIN, {}),
}


@pytest.mark.parametrize("path", CHANGES)
def test_every_form_is_for_its_role(url: str, filled: Redis, path: str) -> None:
    """The role below gets 403 and changes nothing; a form with a new path needs its role here."""
    del filled
    role, form = FORMS[path]
    id_ = "own" if path.startswith("/locations") else "contact-own"
    address = path.replace("{id}", id_).replace("{change}", "pause").replace("{name}", "jane")
    lower = LOWER[role]
    for asking, refused in ((lower, True), (role, False)):
        if asking:
            with log_in(url, f"token-{asking}") as client:
                csrf = client.get("/live").text.partition('name="csrf" value="')[2].partition('"')[0]
                assert (client.post(address, data={"csrf": csrf, **form}).status_code == 403) is refused


def test_the_operators_name_is_in_the_audit_log(url: str, filled: Redis) -> None:
    """It is there with the interface; changes with the admin token have only the interface."""
    del filled
    pause = next(each for each in OPERATIONS if each.name == "locations.pause")
    ask(url, pause, "token-operate", location="own")
    ask(url, pause, ADMIN_TOKEN, location="own")
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    changes = httpx.get(f"{url}/api/v1/audit", headers=headers).json()["changes"]
    assert [each["who"] for each in changes] == ["token", "token:operate"]
    with log_in(url, ADMIN_TOKEN) as client:
        text = client.get("/audit").text
    assert "operate <span" in text
    assert "locations.pause" in text


def test_a_removed_operator_is_out_at_once(url: str, filled: Redis) -> None:
    """Token and logins become invalid; a new operator of the same name gets neither."""
    operators = Operators(filled)
    with log_in(url, "token-jane") as client:
        assert "Log out" in client.get("/live").text
        assert operators.remove("jane")
        assert "Admin token" in client.get("/live").text
        operators.add("jane", Role.ADMIN, (), "another", lasts_ms=LASTS_MS)
        assert "Admin token" in client.get("/live").text
    assert httpx.get(f"{url}/api/v1/locations", headers={"Authorization": "Bearer token-jane"}).status_code == 401


def test_what_is_kept_of_operators_expires(filled: Redis) -> None:
    """It expires with the last of them, and no token is stored."""
    names = [*filled.scan_iter("*operator*")]
    assert len(names) > 2
    assert all(0 < filled.pttl(name) <= LASTS_MS for name in names)
    stored = "".join(str(filled.dump(name)) for name in names)
    assert "token-client" not in stored


def test_an_operator_of_all_locations_is_not_limited(filled: Redis) -> None:
    """It has no list of locations."""
    found = Operators(filled).of_token("token-client")
    assert found is not None
    assert found.location_ids == frozenset({LocationId("own")})
    every = Operators(filled).of_token("token-read")
    assert every == Operator(name="read", role=Role.READ, location_ids=None, mark=every.mark if every else "")
    assert locations_of(filled).ids() == ("own", OTHER)
