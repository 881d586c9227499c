"""The console's lists: filters, pages, links to them, and actions in a row."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, get_args

import pytest

from bridge.model import Again, Dead, Ended, MessageId, Reason, Status
from bridge.operating.conversation_lists import Wanted
from bridge.receiver.console.conversation_lists import ON_A_PAGE, STATUSES
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.receiver.console.conftest import words
from tests.receiver.console.test_console_pages import dead_lettered
from tests.stored import HERE, accept, claim, dead_letters_of, keep, lanes_of, message

if TYPE_CHECKING:
    from redis import Redis

    from tests.receiver.console.conftest import Browser


def came(redis: Redis, contact: str, *, ago: float = 0.0, **outcome: object) -> None:
    """A message that arrived `seconds` ago, and its outcome, if it has one."""
    accept(redis, message(f"m-{contact}", contact, date_added_ms=now_ms(redis) - round(ago * 1000)))
    if not outcome:
        return
    lanes = lanes_of(redis)
    (lane,) = [one for one in claim(lanes) if one.contact_id == contact]
    turn = lanes.lease(lane)
    assert turn
    lanes.end(turn, Ended(message_ids=(MessageId(f"m-{contact}"),), **outcome))  # type: ignore[arg-type]


def rows(text: str) -> list[str]:
    """The contacts in the list, in its order."""
    table = text.partition('id="list"')[2]
    return re.findall(r'data-label="Contact"><a class="id" href="/console/conversations/([^"]+)"', table)


def test_every_status_that_can_be_asked_for_has_a_name() -> None:
    """It is used in the filter and in headings."""
    assert set(STATUSES) == set(get_args(Wanted)) - {""}


async def test_a_list_is_filtered_and_goes_on_page_by_page(operator: Browser, redis: Redis) -> None:
    """The next page keeps the filter."""
    keep(redis)
    for number in range(ON_A_PAGE + 3):
        came(redis, f"c{number}", ago=number, status=Status.SKIPPED, reason=Reason.DND)
    came(redis, "other", status=Status.REPLIED)
    first = await operator.see("/conversations?status=skipped&reason=dnd")
    assert rows(first.text) == [f"c{number}" for number in range(ON_A_PAGE)]
    following = re.search(r'href="/console(/conversations\?[^"]+)" rel="next"', first.text)
    assert following
    second = await operator.see(html.unescape(following[1]))
    assert rows(second.text) == [f"c{number}" for number in range(ON_A_PAGE, ON_A_PAGE + 3)]
    assert 'rel="next"' not in second.text
    assert rows((await operator.see("/conversations?status=replied")).text) == ["other"]


async def test_every_tile_leads_to_what_it_counts(operator: Browser, redis: Redis) -> None:
    """Each number of the overview has its list."""
    keep(redis)
    came(redis, "skipped", status=Status.SKIPPED, reason=Reason.DND)
    came(redis, "waits")
    overview = (await operator.see("/")).text
    tiles = re.findall(r'<li class="tile[^"]*"><a href="([^"]+)"><span class="tile-label">([^<]+)<', overview)
    lists = {label: html.unescape(path).removeprefix("/console") for path, label in tiles}
    assert {"Waiting", "Answering", "Retrying", "On hold", "Oldest overdue", "Undelivered", "Skipped", "Dead"} <= set(lists)
    for path in lists.values():
        assert (await operator.see(path)).status_code == 200
    assert rows((await operator.see(lists["Waiting"])).text) == ["waits"]
    assert rows((await operator.see(lists["Skipped"])).text) == ["skipped"]
    reason = re.search(r'href="/console(/conversations\?reason=dnd[^"]*)"', overview)
    assert reason
    assert rows((await operator.see(html.unescape(reason[1]))).text) == ["skipped"]


async def test_a_trouble_leads_to_its_page(operator: Browser, redis: Redis) -> None:
    """It is a link if there is a page, and otherwise a command."""
    keep(redis)
    dead_lettered(redis, 2)
    text = (await operator.see("/")).text
    assert 'href="/console/dead-letters">Show the dead letters<' in text
    assert "ghl-bridge dead-letters list" not in text
    assert "<code>ghl-bridge doctor</code>" in text


async def test_what_is_tried_again_is_tried_now(operator: Browser, redis: Redis) -> None:
    """The button is in its row, and the list is shown again."""
    keep(redis)
    came(redis, "failed")
    lanes = lanes_of(redis)
    (lane,) = claim(lanes)
    turn = lanes.lease(lane)
    assert turn
    lanes.again(turn, [turn.messages[0].id], Again(wait=1000, why="HTTP 500"))
    told = await operator.submit("/conversations/failed/try", here="/console/conversations?status=retrying")
    assert (told.url.path, "It is tried now." in words(told)) == ("/console/conversations", True)
    assert claim(lanes) == (lane,)


async def test_what_can_not_be_done_is_told_where_it_was_tried(operator: Browser, redis: Redis) -> None:
    """The page with the form says why."""
    keep(redis)
    came(redis, "quiet", status=Status.REPLIED)
    told = await operator.submit("/conversations/quiet/try", here="/console/conversations/quiet")
    assert (told.status_code, told.url.path) == (200, "/console/conversations/quiet")
    assert "Nothing waits in the conversation of quiet." in words(told)
    assert 'class="problem" role="alert"' in told.text
    nothing = await operator.submit("/dead-letters", action="replay", here="/console/dead-letters")
    assert "No dead letter is selected" in words(nothing)
    elsewhere = await operator.submit("/dead-letters", action="replay", here="https://elsewhere.example/")
    assert elsewhere.status_code == 422


async def test_a_filter_that_can_not_be_is_told_in_its_place(operator: Browser, redis: Redis) -> None:
    """The list's own page has the error."""
    keep(redis)
    told = await operator.see("/conversations?day=2026-02-31")
    assert (told.status_code, "2026-02-31 is not a day" in words(told)) == (200, True)
    assert "status: must be" in words(await operator.see("/conversations?status=sleeping"))


async def test_a_dead_letter_is_replayed_from_its_conversation(operator: Browser, redis: Redis) -> None:
    """The button is beside its message."""
    keep(redis)
    accept(redis, message("m1"))
    lanes = lanes_of(redis)
    (lane,) = claim(lanes)
    turn = lanes.lease(lane)
    assert turn
    lanes.write_dead_letter(turn, [MessageId("m1")], Dead(error="HTTP 422"), answer=None, at_ms=1)
    page = await operator.see("/conversations/m1")
    assert f'name="letter" value="{turn.id}"' in page.text
    told = await operator.submit("/conversations/contact/replay", letter=turn.id, here="/console/conversations/m1")
    assert "The dead letter: replayed." in words(told)
    assert list(dead_letters_of(redis).all()) == []


async def test_a_skipped_message_and_a_draft_have_their_buttons(operator: Browser, redis: Redis) -> None:
    """Other messages have none."""
    keep(redis)
    came(redis, "skipped", status=Status.SKIPPED, reason=Reason.OFF_TAG)
    came(redis, "replied", status=Status.REPLIED)
    assert "Answer anyway" in words(await operator.see("/conversations/skipped"))
    assert "Answer anyway" not in words(await operator.see("/conversations/replied"))
    sending = [
        b'{"step":"sending","part":"0","type":"InternalComment"}',
        b'{"step":"sent","part":"0","how":"posted","reply_ids":["d1"]}',
    ]
    redis.rpush(key("timeline", f"{HERE}:replied"), *(f"{now_ms(redis)} {one.decode()}" for one in sending))
    redis.hset(key("message", HERE, "m-replied"), "replies", '["d1"]')
    page = await operator.see("/conversations/replied")
    assert "Draft in GHL, for staff only d1" in words(page)
    assert 'name="draft" value="d1"' in page.text


async def test_dead_letters_are_replayed_by_their_cause(operator: Browser, redis: Redis) -> None:
    """All dead letters of one cause are replayed, and no others."""
    keep(redis, "here", "there")
    dead_lettered(redis, 3, "here", error="Assistable: HTTP 500")
    others = dead_lettered(redis, 2, "there", error="GHL: HTTP 400")
    page = await operator.see("/dead-letters")
    assert re.search(r"By cause .*Assistable: HTTP 500 3 here .*GHL: HTTP 400 2 there", words(page))
    cause = re.search(r'href="/console/dead-letters\?cause=(\w+)">Assistable: HTTP 500<', page.text)
    assert cause
    only = words(await operator.see(f"/dead-letters?cause={cause[1]}"))
    assert ("Assistable: HTTP 500 · All causes" in only, "GHL: HTTP 400" in only) == (True, False)
    told = await operator.submit("/dead-letters", action="replay", scope="all", cause=cause[1])
    assert "3 replayed." in words(told)
    assert sorted(each.id for each in dead_letters_of(redis).all()) == others


@pytest.mark.parametrize("status", STATUSES)
async def test_an_empty_list_has_a_word(operator: Browser, redis: Redis, status: str) -> None:
    """This holds for every status."""
    keep(redis)
    assert "None matches the filter." in words(await operator.see(f"/conversations?status={status}"))
