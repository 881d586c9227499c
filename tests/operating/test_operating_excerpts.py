"""A service's answer is shown on request, and the audit log notes the request."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Closed, Misconfigured, NotKnown
from bridge.operating import audit, dead_letters, excerpts
from bridge.operating.explain import ExplainQuery, explain
from bridge.operating.local import LocalOperations
from bridge.operating.services import AdminServices
from bridge.settings import from_environment
from tests.keys import key
from tests.operating.test_operating_dead_letters import write_dead_letter
from tests.stored import FERNET_KEY, keep

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations

SAID = "The model 'gpt-9' does not exist"
OTHER_KEY = "OTk5OTk5OTk5OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def test_what_the_service_said_is_shown_under_the_dead_letters_id(redis: Redis, perform: Operations) -> None:
    """It has its source and time; the dead letter and its event only have the id."""
    keep(redis)
    id_ = write_dead_letter(redis, 1, said=SAID)

    told = perform(excerpts.text, excerpts.OfTurn(id_))

    assert (told.id, told.provider, told.text) == (id_, "assistable", SAID)
    assert datetime.fromisoformat(told.at or "").tzinfo
    dead_letter, story = perform(dead_letters.show, dead_letters.DeadLetterQuery(id_)), perform(explain, ExplainQuery("m1"))
    assert (dead_letter.excerpt_id, story.events[-1]["excerpt_id"]) == (id_, id_)
    assert SAID not in str((dead_letter, story))


def test_who_looked_is_noted(redis: Redis, perform: Operations) -> None:
    """Each read is noted with the id and without the text; a read of something that is not stored is not noted."""
    keep(redis)
    id_ = write_dead_letter(redis, 1, said=SAID)
    for _ in range(2):
        perform(excerpts.text, excerpts.OfTurn(id_))
    with pytest.raises(NotKnown):
        perform(excerpts.text, excerpts.OfTurn("nobody"))
    changes = perform(audit.audit, audit.AuditQuery()).changes
    assert [(one.who, one.what, one.ids, one.outcome) for one in changes] == [("cli", "excerpts.text", (id_,), "done")] * 2
    assert SAID not in str(redis.zrange(key("audit"), 0, -1))


def test_a_service_that_said_nothing_is_told_so(redis: Redis, perform: Operations) -> None:
    """Nothing was stored, or it has expired."""
    keep(redis)
    silent, expired = write_dead_letter(redis, 1), write_dead_letter(redis, 2, said=SAID)
    assert perform(dead_letters.show, dead_letters.DeadLetterQuery(silent)).excerpt_id is None
    redis.delete(key("excerpt", expired))
    for id_ in (silent, expired):
        with pytest.raises(NotKnown, match="no error text is stored for"):
            perform(excerpts.text, excerpts.OfTurn(id_))


def test_it_can_be_switched_off(redis: Redis, redis_url: str) -> None:
    """It is off together with the texts of messages."""
    keep(redis)
    id_ = write_dead_letter(redis, 1, said=SAID)
    admin_services = AdminServices(
        from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, "BRIDGE_CONSOLE_SHOW_TEXT": "0"})
    )
    with pytest.raises(Closed, match="BRIDGE_CONSOLE_SHOW_TEXT=0"):
        LocalOperations(admin_services, who="console")(excerpts.text, excerpts.OfTurn(id_))
    admin_services.close()


def test_without_its_key_it_can_not_be_read(redis: Redis, perform: Operations) -> None:
    """The error names the setting, and the rest of the dead letter is shown."""
    keep(redis)
    id_ = write_dead_letter(redis, 1, said=SAID, fernet_key=OTHER_KEY)
    with pytest.raises(Misconfigured, match="BRIDGE_SECRET_KEY does not decrypt the service's error text"):
        perform(excerpts.text, excerpts.OfTurn(id_))
    assert perform(dead_letters.show, dead_letters.DeadLetterQuery(id_)).error == "no"


def test_a_letter_of_an_older_version_has_none(redis: Redis, perform: Operations) -> None:
    """Its record has no such field."""
    keep(redis)
    id_ = write_dead_letter(redis, 1)
    stored = str(redis.get(key("dead", id_))).replace(',"excerpt_id":""', "")
    assert "excerpt_id" not in stored
    redis.set(key("dead", id_), stored)
    assert perform(dead_letters.show, dead_letters.DeadLetterQuery(id_)).excerpt_id is None
