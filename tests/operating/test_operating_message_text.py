"""A message's text is shown on request, wherever it is, and the request is noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import Closed, DidNotWork, NotKnown, Retryable
from bridge.model import Ended, MessageId, Status
from bridge.operating import audit, locations, message_text
from bridge.operating.local import LocalOperations
from bridge.operating.message_text import MessageQuery, WordsQuery, newest_words
from bridge.operating.services import AdminServices
from bridge.settings import from_environment
from tests.other_side import OtherSide, answering, http
from tests.stored import FERNET_KEY, LANE, accept, keep, lanes_of, message, part, posted, take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from bridge.operating.operation import Operations


@pytest.fixture
def ghl() -> Iterator[OtherSide]:
    """A GHL with one text."""
    with OtherSide(answering(http(200, {"id": "m1", "body": "what GHL has"}))) as side:
        yield side


@pytest.fixture
def operations(redis_url: str, redis: Redis, ghl: OtherSide) -> Iterator[Operations]:
    """The operations with that GHL."""
    keep(redis, ghl_token="pit-1")
    admin_services = AdminServices(
        from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "GHL_API_URL": ghl.url})
    )
    yield LocalOperations(admin_services, who="console")
    admin_services.close()


def answered(redis: Redis) -> None:
    """A message and its reply; its text is no longer stored."""
    lanes = lanes_of(redis)
    accept(redis, message("m1", text="hello there"))
    turn = take(lanes)
    lanes.sent(turn, posted(part("0"), [MessageId("r1")], at_ms=1, how="posted"))
    lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(MessageId("m1"),), reply_message_ids=(MessageId("r1"),)))


def test_a_text_that_is_kept_is_read_here(redis: Redis, operations: Operations, ghl: OtherSide) -> None:
    """GHL is not asked for it."""
    accept(redis, message("m1", text="hello there"))
    told = operations(message_text.text, MessageQuery("m1"))
    assert (told.text, told.source, ghl.requests) == ("hello there", "bridge", [])


@pytest.mark.parametrize("id_", ["m1", "r1"])
def test_a_text_that_is_gone_is_read_from_ghl(redis: Redis, operations: Operations, ghl: OtherSide, id_: str) -> None:
    """It is read with the location's token; a reply's text too."""
    answered(redis)
    told = operations(message_text.text, MessageQuery(id_))
    assert (told.text, told.source) == ("what GHL has", "ghl")
    assert ghl.requests[0].target == f"/conversations/messages/{id_}"
    assert ghl.requests[0].headers["authorization"] == "Bearer pit-1"


def test_who_read_a_text_is_noted(redis: Redis, operations: Operations) -> None:
    """The entry has the id and not the text."""
    accept(redis, message("m1", text="hello there"))
    operations(message_text.text, MessageQuery("m1"))
    (change,) = operations(audit.audit, audit.AuditQuery()).changes
    assert (change.who, change.what, change.ids, change.outcome) == ("console", "messages.text", ("m1",), "done")


def test_a_text_of_nobody_is_not_known(operations: Operations) -> None:
    """GHL is not asked about an unknown id."""
    with pytest.raises(NotKnown, match="m9 is not known here"):
        operations(message_text.text, MessageQuery("m9"))


def test_without_its_location_a_text_can_not_be_read(redis: Redis, operations: Operations) -> None:
    """Without the location there is no token for GHL."""
    answered(redis)
    operations(locations.remove, locations.LocationQuery(LANE.location_id))
    with pytest.raises(DidNotWork, match="its location was removed"):
        operations(message_text.text, MessageQuery("m1"))


def test_a_ghl_that_does_not_answer_is_told(redis: Redis, redis_url: str) -> None:
    """The error is shown unchanged."""
    keep(redis, ghl_token="pit-1")
    answered(redis)
    admin_services = AdminServices(
        from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "GHL_API_URL": "http://127.0.0.1:1"})
    )
    with pytest.raises(Retryable):
        LocalOperations(admin_services, who="console")(message_text.text, MessageQuery("m1"))
    admin_services.close()


def test_texts_can_be_switched_off(redis: Redis, redis_url: str) -> None:
    """Then no text is shown, stored or not."""
    keep(redis)
    accept(redis, message("m1", text="hello there"))
    admin_services = AdminServices(
        from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "BRIDGE_CONSOLE_SHOW_TEXT": "0"})
    )
    with pytest.raises(Closed, match="BRIDGE_CONSOLE_SHOW_TEXT=0"):
        LocalOperations(admin_services, who="console")(message_text.text, MessageQuery("m1"))
    admin_services.close()


def test_the_newest_words_of_a_contact_are_read_here(redis: Redis, operations: Operations, ghl: OtherSide) -> None:
    """They are read while they wait, and from the transcript after the answer; each reading is noted."""
    answered(redis)
    assert operations(newest_words, WordsQuery(LANE.contact_id)).text == "hello there"
    accept(redis, message("m2", text="and parking?"))
    told = operations(newest_words, WordsQuery("conversation-contact"))
    assert (told.message_id, told.text, ghl.requests) == ("m2", "and parking?", [])
    assert [one.what for one in operations(audit.audit, audit.AuditQuery()).changes] == ["conversations.words"] * 2


def test_words_of_somebody_who_wrote_nothing_are_not_known(operations: Operations, ghl: OtherSide) -> None:
    """A sentence says so, and GHL is not asked."""
    with pytest.raises(NotKnown, match="no message of nobody"):
        operations(newest_words, WordsQuery("nobody"))
    assert ghl.requests == []
