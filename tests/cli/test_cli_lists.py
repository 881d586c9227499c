"""`ghl-bridge conversations list`, `conversations try`, `messages` and `dead-letters causes`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bridge.model import Ended, MessageId, Reason, Status
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.operating.test_operating_dead_letters import write_dead_letter
from tests.receiver.console.test_console_pages import dead_lettered
from tests.stored import FERNET_KEY, accept, due_ms, keep, lanes_of, message, take

if TYPE_CHECKING:
    from redis import Redis

    from tests.cli.conftest import Run

WITH_KEY = {"BRIDGE_SECRET_KEY": FERNET_KEY}


def skipped(redis: Redis) -> None:
    """A conversation whose message was skipped."""
    keep(redis)
    accept(redis, message("m1", date_added_ms=now_ms(redis)))
    lanes_of(redis).end(take(lanes_of(redis)), Ended(status=Status.SKIPPED, message_ids=(MessageId("m1"),), reason=Reason.DND))


def test_conversations_are_listed_by_filter(run: Run, redis: Redis) -> None:
    """One row is one line, or all is one JSON document; an impossible filter is refused with a sentence."""
    skipped(redis)
    rows = run("conversations", "list", "--reason", "dnd", "--since", "2h", **WITH_KEY)
    assert rows.stdout.split("\t")[:5] == ["contact", "here", "", "skipped: dnd", "SMS"]
    document = json.loads(run("conversations", "list", "--status", "skipped", "--json", **WITH_KEY).stdout)
    assert [(one["contact_id"], one["status"], one["reason"]) for one in document] == [("contact", "skipped", "dnd")]
    assert json.loads(run("conversations", "list", "--status", "replied", "--json", **WITH_KEY).stdout) == []
    wrong = run("conversations", "list", "--status", "sleeping", **WITH_KEY)
    assert (wrong.returncode, "--status: must be" in wrong.stderr) == (2, True)
    no_day = run("conversations", "list", "--day", "2026-02-31", **WITH_KEY)
    assert (no_day.returncode, "2026-02-31 is not a day" in no_day.stderr) == (2, True)


def test_a_conversation_is_tried_at_once(run: Run, redis: Redis) -> None:
    """A waiting conversation is due at once; where nothing waits, the output says so."""
    keep(redis, debounce=500.0, most=1000.0)
    accept(redis, message("m1", date_added_ms=now_ms(redis)))
    done = run("conversations", "try", "contact", **WITH_KEY)
    assert (done.returncode, done.stdout.strip()) == (0, "contact is tried now")
    assert (due_ms(redis) or 0) <= now_ms(redis)
    redis.delete(key("waiting", "here:contact"))
    nothing = run("conversations", "try", "contact", **WITH_KEY)
    assert (nothing.returncode, "nothing waits" in nothing.stderr) == (1, True)


def test_messages_that_can_not_be_answered_are_refused(run: Run, redis: Redis) -> None:
    """The exit code is 2, with a sentence, before GHL is read."""
    skipped(redis)
    unknown = run("messages", "answer", "nobody", **WITH_KEY)
    assert (unknown.returncode, "message nobody is not known here" in unknown.stderr) == (2, True)
    no_draft = run("messages", "send-draft", "m1", **WITH_KEY)
    assert (no_draft.returncode, "m1 is not known here as a reply" in no_draft.stderr) == (2, True)


def test_dead_letters_are_grouped_and_replayed_by_cause(run: Run, redis: Redis) -> None:
    """The id of a cause selects its dead letters."""
    keep(redis, "here", "there")
    dead_lettered(redis, 2, "there", error="GHL: HTTP 400")
    id_ = write_dead_letter(redis, 1)
    groups = json.loads(run("dead-letters", "causes", "--json", **WITH_KEY).stdout)
    assert [(one["error"], one["dead_letters"]) for one in groups] == [("GHL: HTTP 400", 2), ("no", 1)]
    listed = run("dead-letters", "list", "--cause", groups[1]["id"], **WITH_KEY)
    assert listed.stdout.split("\t")[0] == id_
    replayed = json.loads(run("dead-letters", "replay", "--all", "--cause", groups[1]["id"], "--json", **WITH_KEY).stdout)
    assert replayed == [{"id": id_, "result": "replayed"}]
    both = run("dead-letters", "replay", id_, "--cause", groups[0]["id"], **WITH_KEY)
    assert (both.returncode, "--cause needs --all" in both.stderr) == (2, True)
