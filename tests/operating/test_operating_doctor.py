"""`doctor`: each login is tested without a change, and an end-to-end test is visible only to staff."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import NotKnown
from bridge.metrics import WEBHOOKS, Tally
from bridge.operating.doctor.end_to_end import QUESTION, SendTest, plan, send_test
from bridge.operating.doctor.installation import DoctorQuery, examine
from bridge.operating.local import LocalOperations
from bridge.operating.services import AdminServices
from bridge.policy.guards import DEAF_AFTER
from bridge.settings import from_environment
from bridge.store.figures.counts import Counts
from bridge.store.redis.connection import now_ms
from bridge.time_zones import releases
from tests.keys import key
from tests.other_side import OtherSide, Visit, http
from tests.stored import FERNET_KEY, HERE, accept, keep, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from bridge.operating.doctor.findings import Finding
    from tests.other_side import Received

SEARCH, MESSAGE, CONTACT, POST = "/conversations/search", "/conversations/messages/", "/contacts/", "/conversations/messages"
NO_SCOPE = {"statusCode": 401, "message": "The token is not authorized for this scope."}
NO_TOKEN = {"statusCode": 401, "message": "Invalid token: access token is invalid"}
NOT_THERE = {"statusCode": 404, "message": "Not Found"}
LISTED = [{"id": "r1", "direction": "outbound"}, {"id": "m2", "direction": "inbound"}, {"id": "m1", "direction": "inbound"}]
ANSWERS: dict[str, dict[str, Any]] = {
    SEARCH: {"conversations": [{"id": "v1", "contactId": "c1"}], "total": 1},
    "/conversations/v1/messages": {"messages": {"messages": LISTED, "nextPage": False}},
    "/contacts/c1": {"contact": {"id": "c1", "tags": []}},
    "/complete": {"run": {"output": "It works."}},
}
ASKED = SendTest(location_id=HERE, contact_id="c1")


@dataclass(slots=True)
class Services:
    """GHL and a completion service; `refusing` answers paths with this beginning with a status and a body."""

    refusing: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    calls: list[Received] = field(default_factory=list)

    def serve(self, visit: Visit) -> None:
        while request := visit.request():
            self.calls.append(request)
            visit.send(self._answer(request))

    def _answer(self, request: Received) -> bytes:
        path = request.target.partition("?")[0]
        for begin, (status, body) in self.refusing.items():
            if path.startswith(begin) and (request.method == "POST") == (begin in {POST, "/complete"}):
                return http(status, body)
        if path == POST and request.method == "POST":
            return http(201, {"messageId": "comment1", "conversationId": "v1"})
        return http(200, ANSWERS[path]) if path in ANSWERS else http(404, NOT_THERE)

    def posted(self) -> list[dict[str, Any]]:
        return [each.document for each in self.calls if each.target == POST and each.method == "POST"]


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def doctor(services: Services, redis: Redis, redis_url: str) -> Iterator[LocalOperations]:
    """The operations with those services, for one location."""
    with OtherSide(services.serve) as side:
        assistable = {"assistant_id": "a", "token": "t", "url": f"{side.url}/complete", "delivery": "bridge"}
        keep(redis, ghl_token="pit", assistable=assistable)
        environ = {"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "GHL_API_URL": side.url}
        admin_services = AdminServices(from_environment(environ))
        yield LocalOperations(admin_services, who="cli")
        admin_services.close()


def by_name(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    return {each.what.removeprefix(f"location {HERE} "): each for each in findings}


def look(doctor: LocalOperations) -> dict[str, Finding]:
    return by_name(doctor(examine, DoctorQuery(location_id=HERE)).findings)


SCOPES = {
    SEARCH: "scope conversations.readonly",
    MESSAGE: "scope conversations/message.readonly",
    CONTACT: "scope contacts.readonly",
}


def test_a_token_with_all_scopes_is_well(doctor: LocalOperations, services: Services) -> None:
    """The token and each read scope are tested with a read; a missing record is not a refusal."""
    found = look(doctor)

    assert found["ghl_token"].ok
    assert all(found[scope].ok for scope in SCOPES.values())
    assert {each.method for each in services.calls} <= {"GET", "OPTIONS"}


def test_the_release_of_the_time_zones_is_told(doctor: LocalOperations) -> None:
    """It names the release for business hours, and its source."""
    at_hand = releases()
    assert f"release {max(at_hand.package, at_hand.system)}, from the " in look(doctor)["time zones"].says


@pytest.mark.parametrize(("path", "scope"), SCOPES.items(), ids=SCOPES.values())
def test_a_missing_scope_is_named(doctor: LocalOperations, services: Services, path: str, scope: str) -> None:
    """Only that scope is named, with what to do."""
    services.refusing[path] = 401, NO_SCOPE

    found = look(doctor)

    assert [name for name in SCOPES.values() if not found[name].ok] == [scope]
    assert "lacks a scope" in found[scope].says
    assert found["ghl_token"].ok


def test_a_refused_token_is_one_problem(doctor: LocalOperations, services: Services) -> None:
    """It is one problem, not one per scope."""
    for path in SCOPES:
        services.refusing[path] = 401, NO_TOKEN

    found = look(doctor)

    assert not found["ghl_token"].ok
    assert not any(name in found for name in SCOPES.values())
    assert "pit" not in str(found)


def test_the_last_event_and_the_last_refused_call_are_told(doctor: LocalOperations, redis: Redis) -> None:
    """Both have their age; neither is a problem by itself."""
    none = look(doctor)["events"]
    assert (none.note, none.says) == (False, "none yet; GHL is searched for messages every 10 min")
    accept(redis, message("m1"))
    tally = Tally()
    tally.count(WEBHOOKS, "unauthorized", "")
    Counts(redis).add(tally)

    found = look(doctor)

    assert "s ago" in found["events"].says
    assert "unauthorized" in found["refused webhooks"].says
    assert found["refused webhooks"].note


STATES = {
    "hold": ({"hold": 1, "hold_why": "ghl"}, False, "refused three logins"),
    "pause": ({"paused": 1}, True, "paused by an operator"),
    "neither": ({}, True, "not on hold"),
}


@pytest.mark.parametrize(("fields", "ok", "says"), STATES.values(), ids=STATES)
def test_what_stands_in_the_way_is_told(
    doctor: LocalOperations, redis: Redis, fields: dict[str, Any], ok: bool, says: str
) -> None:
    """A hold is a problem; a pause is intended."""
    for name, value in fields.items():
        redis.hset(key("location", HERE), name, value)

    state = look(doctor)["state"]

    assert (state.ok, says in state.says) == (ok, True)


HEARING: dict[str, tuple[int, float, dict[str, Any], bool]] = {
    "no event of its replies": (DEAF_AFTER, 1, {}, True),
    "too few replies to tell": (DEAF_AFTER - 1, 1, {}, False),
    "no events any more, so that GHL is read": (DEAF_AFTER, 8, {}, False),
    "takeovers don't count": (DEAF_AFTER, 1, {"takeover_seconds": 0}, False),
    "drafts": (DEAF_AFTER, 1, {"mode": "draft"}, False),
}


@pytest.mark.parametrize("name", HEARING)
def test_a_location_that_hears_nobody_step_in_is_told_of(doctor: LocalOperations, redis: Redis, name: str) -> None:
    """If the app is not subscribed to OutboundMessage, events never report persons, and that is noted."""
    unheard, days, settings, warned = HEARING[name]
    keep(redis, **settings)
    at = now_ms(redis) - round(days * 24 * 3600 * 1000)
    redis.hset(key("location", HERE), mapping={"unheard": unheard, "marketplace_at": at})

    found = look(doctor)

    assert ("takeover" in found) == warned
    if warned:
        assert found["takeover"].note
        assert "OutboundMessage" in found["takeover"].says


def test_a_plan_is_said_before_anything_is_done(doctor: LocalOperations, services: Services) -> None:
    """It is in sentences, and no request is made."""
    says = " ".join(doctor(plan, ASKED).says)

    assert QUESTION in says
    assert "only staff see" in says
    assert "by itself" not in says
    assert services.calls == []


def test_a_plan_warns_of_a_provider_that_may_deliver(doctor: LocalOperations, redis: Redis) -> None:
    """Its answer could reach the contact."""
    keep(redis, ghl_token="pit", assistable={"assistant_id": "a", "token": "t"})

    assert "to the contact by itself" in " ".join(doctor(plan, ASKED).says)


def test_the_whole_way_ends_in_a_comment_that_only_staff_see(doctor: LocalOperations, services: Services) -> None:
    """Contact, completion and comment are findings; the question is the contact's newest message, and the comment is posted."""
    found = doctor(send_test, ASKED).findings

    assert [(each.what, each.ok) for each in found] == [("contact", True), ("completion", True), ("comment", True)]
    (posted,) = services.posted()
    assert posted["type"] == "InternalComment"
    assert "It works." in posted["message"]
    assert posted["contactId"] == "c1"
    (asked,) = [each.document for each in services.calls if each.target == "/complete"]
    assert (asked["conversation_id"], asked["last_message_id"]) == ("v1", "m2")


STOPS = {
    "a contact that GHL does not know": (CONTACT, 404, ["contact"]),
    "a completion that is refused": ("/complete", 401, ["contact", "completion"]),
    "a comment that is refused": (POST, 422, ["contact", "completion", "comment"]),
    "a comment of unknown outcome": (POST, 500, ["contact", "completion", "comment"]),
}


@pytest.mark.parametrize(("path", "status", "steps"), STOPS.values(), ids=STOPS)
def test_the_first_step_that_fails_is_the_last(
    doctor: LocalOperations, services: Services, path: str, status: int, steps: list[str]
) -> None:
    """The finding names the error, and no step follows."""
    services.refusing[path] = status, {}

    found = doctor(send_test, ASKED).findings

    assert [each.what for each in found] == steps
    assert [each.ok for each in found] == [True] * (len(steps) - 1) + [False]
    assert found[-1].says


def test_an_unknown_location_can_not_be_examined_or_tested(doctor: LocalOperations) -> None:
    """It is wrong input, before any request."""
    for operation in (plan, send_test):
        with pytest.raises(NotKnown):
            doctor(operation, SendTest(location_id="nobody", contact_id="c1"))
    with pytest.raises(NotKnown):
        doctor(examine, DoctorQuery(location_id="nobody"))


AGENTS = "/conversation-ai/agents/search"


@pytest.mark.parametrize(
    ("answer", "says", "noted"),
    [
        ((200, {"agents": [{"name": "Nora", "mode": "auto-pilot", "channels": ["SMS"]}]}), "Nora is on auto-pilot (SMS)", True),
        ((200, {"agents": [{"name": "Nora", "mode": "suggestive"}]}), "none is on auto-pilot", False),
        ((401, NO_SCOPE), "not known (conversation-ai.readonly)", False),
    ],
)
def test_ghls_own_bot_is_told_before_the_first_message(
    doctor: LocalOperations, services: Services, answer: tuple[int, dict[str, Any]], says: str, noted: bool
) -> None:
    """A bot that answers by itself is noted, because contacts would get two answers; without the scope this is unknown."""
    services.refusing[AGENTS] = answer

    found = look(doctor)["GHL's bot"]

    assert (found.ok, found.note, says in found.says) == (True, noted, True)
