"""The console's pages: their content with an empty and with a full store, and their actions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
import orjson
import pytest

from bridge.ghl.access import Need
from bridge.ghl.rate_limit_headers import Limits
from bridge.locations import Location
from bridge.model import Again, Completion, Dead, Ended, LocationId, MessageId, Reason, Status
from bridge.operating.reasons import REASONS
from bridge.receiver.console.dead_letters import AT_ONCE, ON_A_PAGE
from bridge.receiver.console.locations import ON_A_PAGE as LOCATIONS_ON_A_PAGE
from bridge.store.limits.budget import Budgets
from bridge.store.redis.connection import now_ms
from bridge.store.redis.partitions import HOME, key_at
from tests.keys import key
from tests.operating.test_operating_dead_letters import write_dead_letter
from tests.other_side import OtherSide, answering, http
from tests.receiver.console.conftest import opened, words
from tests.served import ADMIN_TOKEN, served
from tests.stored import (
    HERE,
    accept,
    claim,
    dead_letters_of,
    excerpts_of,
    keep,
    lanes_of,
    locations_of,
    message,
    part,
    posted,
    take,
)

if TYPE_CHECKING:
    from redis import Redis

    from tests.receiver.console.conftest import Browser

M1, R1 = MessageId("m1"), MessageId("r1")
SECRET = "a text that nobody asked for"


EVIDENCE = {"warnings": ["session_lost"], "model": "gpt<b>", "knowledge": [["k1", 0.87]], "tokens": {"total": 9}}


def answered(redis: Redis) -> None:
    """A message, its outcome, and its reply."""
    lanes = lanes_of(redis)
    accept(redis, message("m1", text=SECRET))
    turn = take(lanes)
    lanes.asking(turn, [M1], at_ms=1, may_deliver=False, provider="assistable", circuit="c", seconds=1)
    lanes.answered(turn, [M1], Completion(text="yes", trace_id="run_7", evidence=EVIDENCE), at_ms=2, seconds=1.5)
    lanes.sent(turn, posted(part("0"), [R1], at_ms=4, how="posted"))
    lanes.end(turn, Ended(status=Status.REPLIED, message_ids=(M1,), reply_message_ids=(R1,)))


def skipped(redis: Redis, id_: str = "m2") -> None:
    """A message that is skipped."""
    lanes = lanes_of(redis)
    accept(redis, message(id_))
    ended = Ended(
        status=Status.SKIPPED, message_ids=(MessageId(id_),), reason=Reason.HUMAN_TAKEOVER, facts="usr_1 wrote 5 min ago"
    )
    lanes.end(take(lanes), ended)


def dead_lettered(redis: Redis, count: int, location: str = HERE, *, error: str = "Assistable: HTTP 500") -> list[str]:
    """This many dead letters, written by the scripts."""
    ids = [f"{location}{number:05}" for number in range(count)]
    now = now_ms(redis)
    pipe = redis.pipeline(transaction=False)
    for number, id_ in enumerate(ids):
        dead_letter = {"id": id_, "location_id": location, "contact_id": f"contact{number}", "conversation_id": f"v{number}"}
        rest = {"channel": "SMS", "error": error, "attempts": 3, "failed_at": now - 5000, "answer": "", "answered": "[]"}
        stored = {**dead_letter, **rest, "message_ids": [f"m{number}"], "answered_at": now, "asks": 0}
        pipe.set(key_at(HOME, "dead", id_), orjson.dumps(stored))
        pipe.zadd(key_at(HOME, "dead"), {id_: now - count + number})
    pipe.execute()
    return ids


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/", "No workers"),
        ("/conversations", "No conversation yet"),
        ("/dead-letters", "No dead letters"),
        ("/locations", "No locations yet"),
        ("/live", "No events yet"),
    ],
)
async def test_an_empty_store_has_a_word_on_every_page(operator: Browser, path: str, says: str) -> None:
    """No page has only empty tables."""
    answer = await operator.see(path)
    assert answer.status_code == 200
    assert says in words(answer)


async def test_the_overview_tells_what_waits_and_what_became_of_messages(operator: Browser, redis: Redis) -> None:
    """If nothing is wrong, it says so."""
    keep(redis)
    answered(redis)
    skipped(redis)
    accept(redis, message("m3", "other"))
    said = words(await operator.see("/"))
    assert "No problems" in said
    assert re.search(r"Waiting 1 .* Received 3 .* Replied 1 .* Skipped 1 ", said)
    assert "human takeover The conversation is left to people." in said
    text = (await operator.see("/")).text
    assert re.search(r'aria-label="Last hour, by minute: 1 replied, 0 without a reply, 1 skipped, 0 dead"', text)
    assert re.search(r"<title[^>]*>\d\d:\d\d: 1 replied, 1 skipped</title>", text)


async def test_the_overview_tells_what_needs_somebody(operator: Browser, redis: Redis) -> None:
    """It has the first command, and counts dead letters beside their page."""
    keep(redis)
    dead_lettered(redis, 3)
    answer = await operator.see("/")
    assert "Needs attention (2)" in words(answer)
    assert "3 dead letters need a decision" in words(answer)
    assert re.search(r'id="dead-letters-count" data-live>3<', answer.text)


@pytest.mark.parametrize("id_", ["m1", "r1", "contact", "conversation-contact"])
async def test_a_conversation_is_found_by_any_of_its_ids(operator: Browser, redis: Redis, id_: str) -> None:
    """It shows every step, its duration, the provider's trace and GHL's id of the reply."""
    keep(redis)
    answered(redis)
    answer = await operator.see(f"/conversations?q={id_}")
    assert answer.url.path == f"/console/conversations/{id_}"
    said = words(answer)
    for detail in ("Answered.", "m1", "r1", "after 1.5 s", "trace run_7", "posted"):
        assert detail in said
    for detail in (
        "Why did it say that?",
        "model gpt<b>",
        "knowledge k1 0.87",
        "tokens total 9",
        "has lost the conversation's history",
    ):
        assert detail in said
    assert '<details class="evidence"><summary>' in answer.text
    assert SECRET not in said


async def test_why_a_message_was_not_answered_is_said_first(operator: Browser, redis: Redis) -> None:
    """It has the reason, its meaning and the facts of the rule."""
    keep(redis)
    skipped(redis)
    said = words(await operator.see("/conversations/m2"))
    assert "Skipped: The conversation is left to people." in said
    assert "human_takeover" in said
    assert "usr_1 wrote 5 min ago" in said


async def test_why_the_provider_chose_silence_is_told(operator: Browser, redis: Redis) -> None:
    """The conversation's page, the overview and the live page have it with its meaning, and how the answer was read."""
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, message("m1"))
    turn = take(lanes)
    answer = Completion(text="", why_silent=Reason.FILTERED, notes=("removed: thoughts",))
    lanes.answered(turn, [M1], answer, at_ms=2, seconds=1.5)
    lanes.end(turn, Ended(status=Status.NO_REPLY, message_ids=(M1,), reason=Reason.FILTERED))
    meaning = REASONS[Reason.FILTERED]
    conversation = words(await operator.see("/conversations/m1"))
    assert f"No reply needed: the provider gave no reply. {meaning}" in conversation
    assert f"filtered {meaning}" in conversation
    assert "0 characters after 1.5 s; removed: thoughts" in conversation
    overview = words(await operator.see("/"))
    assert "No reply needed 1 the provider gave no reply: filtered" in overview
    assert f"Why the provider gave no reply filtered {meaning} 1" in overview
    assert f"the provider gave no reply: filtered. {meaning}" in words(await operator.see("/live"))


async def test_every_reason_has_a_sentence() -> None:
    """No reason is shown as a bare code."""
    assert set(REASONS) == set(Reason)


async def test_an_id_that_is_not_known_is_told(operator: Browser, redis: Redis) -> None:
    """The error is beside the input, which can be corrected there."""
    keep(redis)
    answer = await operator.see("/conversations?q=nobody%3Cb%3E")
    assert answer.status_code == 404
    assert "nobody<b> is not known here" in words(answer)
    assert 'value="nobody&lt;b&gt;"' in answer.text


async def test_a_text_is_shown_only_when_it_is_asked_for(operator: Browser, redis: Redis) -> None:
    """Only one message's text is shown, once; no address and no other page contains it."""
    keep(redis)
    accept(redis, message("m1", text=SECRET), message("m2", text="another"))
    assert SECRET not in (await operator.see("/conversations/m1")).text
    shown = await operator.submit("/conversations/contact/text", message="m1")
    assert SECRET in words(shown)
    assert "another" not in words(shown)
    assert SECRET not in (await operator.see("/conversations/contact")).text


MARKUP = "<script>alert(1)</script>"


async def test_what_others_wrote_is_never_markup(operator: Browser, redis: Redis) -> None:
    """A message's text, a location's name, a provider's error and a search text are shown as they were written."""
    locations_of(redis).apply([Location(id=HERE, debounce_seconds=0, name=MARKUP)])
    accept(redis, message("m1", text=MARKUP))
    dead_lettered(redis, 1, error=MARKUP)
    paths = ("/locations", "/locations/here", "/dead-letters", f"/conversations?q={quote(MARKUP)}")
    shown = [await operator.see(path) for path in paths]
    shown.append(await operator.submit("/conversations/contact/text", message="m1"))
    for answer in shown:
        assert MARKUP in words(answer), answer.url
        assert "<script>alert" not in answer.text


async def test_a_text_that_can_not_be_read_is_no_broken_page(redis_url: str, redis: Redis) -> None:
    """The page says why, beside the message."""
    keep(redis, ghl_token="pit-1")
    answered(redis)
    with OtherSide(answering(http(404, {"message": "no"}))) as ghl:
        async with opened(redis_url, GHL_API_URL=ghl.url) as browser:
            await browser.log_in()
            answer = await browser.submit("/conversations/contact/text", message="m1")
    assert answer.status_code == 200
    assert "404" in words(answer)


async def test_texts_can_be_switched_off(redis_url: str, redis: Redis) -> None:
    """There is no button then, and a request shows no text."""
    keep(redis)
    accept(redis, message("m1", text=SECRET))
    async with opened(redis_url, BRIDGE_CONSOLE_SHOW_TEXT="0") as browser:
        await browser.log_in()
        page = await browser.see("/conversations/m1")
        assert "Show the text" not in words(page)
        assert "BRIDGE_CONSOLE_SHOW_TEXT=0" in words(page)
        assert SECRET not in (await browser.submit("/conversations/contact/text", message="m1")).text


@pytest.mark.parametrize("page", ["/dead-letters", "/conversations/c1"])
async def test_what_the_service_said_is_shown_only_when_it_is_asked_for(operator: Browser, redis: Redis, page: str) -> None:
    """The dead letter and the timeline have a button; the original text is on no other page."""
    keep(redis)
    id_ = write_dead_letter(redis, 1, said=f"{MARKUP} {SECRET}")
    write_dead_letter(redis, 2)
    before = await operator.see(page)
    assert before.text.count("Show what the service said") == 1
    assert SECRET not in before.text
    shown = await operator.submit(f"{page}/said", excerpt=id_)
    assert f"{MARKUP} {SECRET}" in words(shown)
    assert "<script>alert" not in shown.text
    assert SECRET not in (await operator.see(page)).text


async def test_what_the_service_said_can_be_switched_off(redis_url: str, redis: Redis) -> None:
    """They are off together with texts: there is no button, and a request gets the reason."""
    keep(redis)
    id_ = write_dead_letter(redis, 1, said=SECRET)
    async with opened(redis_url, BRIDGE_CONSOLE_SHOW_TEXT="0") as browser:
        await browser.log_in()
        for page in ("/dead-letters", "/conversations/c1"):
            assert "Show what the service said" not in words(await browser.see(page))
            shown = await browser.submit(f"{page}/said", excerpt=id_)
            assert SECRET not in shown.text
            assert "BRIDGE_CONSOLE_SHOW_TEXT=0" in words(shown)


async def test_a_timeline_offers_only_what_is_kept(operator: Browser, redis: Redis) -> None:
    """A turn that failed twice stores only the last answer, so the step before has no button."""
    keep(redis)
    lanes = lanes_of(redis)
    accept(redis, message("m1"))
    for text in ("first words", "second words"):
        said = excerpts_of(redis).seal(text, provider="assistable")
        lanes.again(take(lanes), [M1], Again(wait=0, why="busy"), excerpt=said)
    assert (await operator.see("/conversations/m1")).text.count("Show what the service said") == 1


async def test_a_conversation_is_paused_and_resumed(operator: Browser, redis: Redis) -> None:
    """The page shows the current state."""
    keep(redis)
    answered(redis)
    paused = await operator.submit("/conversations/m1/pause")
    assert "Paused: messages are skipped" in words(paused)
    assert "by an operator" in words(paused)
    assert "Resumed: the next message is answered" in words(await operator.submit("/conversations/contact/resume"))
    assert "There was none" not in words(await operator.submit("/conversations/contact/allow"))
    assert (await operator.submit("/conversations/contact/forget")).status_code == 422


async def test_long_stories_are_shown_from_their_end(operator: Browser, redis: Redis) -> None:
    """A link leads to the earlier events."""
    keep(redis)
    for number in range(70):
        skipped(redis, f"m{number}")
    page = await operator.see("/conversations/contact")
    assert "Show 80 earlier events" in words(page)
    assert "m5," not in words(page)
    assert "m5," in words(await operator.see("/conversations/contact?all=1"))


async def test_dead_letters_are_filtered_by_location(operator: Browser, redis: Redis) -> None:
    """The list has their errors, and each of them is on one page."""
    keep(redis, HERE, "there")
    dead_lettered(redis, ON_A_PAGE + 1)
    dead_lettered(redis, 2, "there", error="<b>bold</b>")
    page = await operator.see("/dead-letters?location=there")
    assert page.text.count('name="id"') == 2
    assert "<b>bold</b>" not in page.text
    assert "<b>bold</b>" in words(page)
    first = await operator.see("/dead-letters")
    assert first.text.count('name="id"') == ON_A_PAGE
    following = re.search(r'href="/console(/dead-letters\?[^"]+)" rel="next"', first.text)
    assert following
    second = await operator.see(following[1].replace("&amp;", "&"))
    assert second.text.count('name="id"') == 3


async def test_ten_thousand_dead_letters_are_no_burden(operator: Browser, redis: Redis) -> None:
    """A page is quick, also with a filter that matches few of them."""
    keep(redis, HERE, "there")
    dead_lettered(redis, 10_000)
    dead_lettered(redis, 1, "there")
    for path in ("/dead-letters", "/dead-letters?location=there", "/"):
        answer = await operator.see(path)
        assert answer.elapsed.total_seconds() < 3
        assert "10,001" in words(answer)


async def test_a_dead_letter_is_replayed(operator: Browser, redis: Redis) -> None:
    """Only the selected ones are replayed; the next page shows the results, once."""
    keep(redis)
    ids = dead_lettered(redis, 3)
    answer = await operator.submit("/dead-letters", action="replay", id=ids[:2])
    assert "2 replayed." in words(answer)
    assert [dead_letter.id for dead_letter in dead_letters_of(redis).all()] == ids[2:]
    assert "2 replayed." not in words(await operator.see("/dead-letters"))


async def test_a_dry_run_changes_nothing(operator: Browser, redis: Redis) -> None:
    """It offers to continue."""
    keep(redis)
    ids = dead_lettered(redis, 3)
    answer = await operator.submit("/dead-letters", action="dry_run", id=ids[:2])
    assert "2 would be replayed." in words(answer)
    assert len(list(dead_letters_of(redis).all())) == 3
    assert all(f'name="id" value="{id_}"' in answer.text for id_ in ids[:2])


async def test_a_drop_is_asked_about_first(operator: Browser, redis: Redis) -> None:
    """Only the confirmation drops it."""
    keep(redis)
    ids = dead_lettered(redis, 3)
    question = await operator.submit("/dead-letters", action="drop", id=ids[:2])
    assert "Drop 2 dead letters?" in words(question)
    assert len(list(dead_letters_of(redis).all())) == 3
    answer = await operator.submit("/dead-letters", action="drop", sure="1", id=ids[:2])
    assert "2 dropped." in words(answer)
    assert [dead_letter.id for dead_letter in dead_letters_of(redis).all()] == ids[2:]


async def test_all_of_a_location_are_replayed_in_helpings(operator: Browser, redis: Redis) -> None:
    """Five hundred are replayed at once, and those of other locations stay."""
    keep(redis, HERE, "there")
    dead_lettered(redis, AT_ONCE + 1)
    dead_lettered(redis, 2, "there")
    answer = await operator.submit("/dead-letters", action="replay", scope="all", location=HERE)
    assert f"{AT_ONCE} replayed. There are more" in words(answer)
    answer = await operator.submit("/dead-letters", action="replay", scope="all", location=HERE)
    assert "1 replayed." in words(answer)
    assert {dead_letter.lane.location_id for dead_letter in dead_letters_of(redis).all()} == {"there"}


async def test_a_letter_that_somebody_else_closed_is_told(operator: Browser, redis: Redis) -> None:
    """It is not replayed a second time."""
    keep(redis)
    ids = dead_lettered(redis, 1)
    await operator.submit("/dead-letters", action="replay", id=ids)
    assert "1 closed before." in words(await operator.submit("/dead-letters", action="replay", id=ids))


@pytest.mark.parametrize(
    "fields", [{"action": "replay"}, {"action": "burn", "id": "here00000"}, {"action": "replay", "scope": "all"}]
)
async def test_nothing_chosen_is_nothing_done(operator: Browser, redis: Redis, fields: dict[str, str]) -> None:
    """The page says so."""
    keep(redis)
    assert (await operator.submit("/dead-letters", **fields)).status_code == 422


async def test_locations_tell_what_ghl_still_takes(operator: Browser, redis: Redis) -> None:
    """They show how much of the rate limit is left, that a location waits for it, and that the day's limit is nearly used."""
    keep(redis, "busy", "waits", "spent")
    budgets = Budgets(redis)
    for _ in range(13):
        budgets.acquire(LocationId("busy"), Need.POST)
    budgets.rate_limited(LocationId("waits"), 8, Limits())
    budgets.learn_limits(LocationId("spent"), Limits(most_daily=200_000, left_daily=1500))
    budgets.acquire(LocationId("spent"), Need.POST)
    said = words(await operator.see("/locations"))
    assert "87 of 100" in said
    assert "waits 8 s" in said
    assert "1,499 today" in said
    assert "87 of 100 and 199,987 of 200,000 today" in words(await operator.see("/locations/busy"))


async def test_locations_that_need_somebody_come_first(operator: Browser, redis: Redis) -> None:
    """Locations on hold come first, then failing ones, then the others by name; the search finds a name or an id."""
    named = {"zulu": "Zulu", "held": "Yankee", "fails": "Xray", "alpha": "<Alpha>"}
    locations_of(redis).apply([Location(id=id_, name=name) for id_, name in named.items()])
    redis.hset(key("location", "held"), mapping={"hold": now_ms(redis), "hold_why": "ghl"})
    redis.hset(key("tally", "fails"), mapping={"failing": 4, "answered_at": now_ms(redis) - 60_000})
    said = words(await operator.see("/locations"))
    assert re.search(r"Yankee .*GHL refused the login.* Xray .*1 min ago.* 4 .* <Alpha> .* Zulu ", said)
    found = words(await operator.see("/locations?q=YAN"))
    assert "Yankee" in found
    assert "Zulu" not in found
    assert "No location matches" in words(await operator.see("/locations?q=nothing"))


async def test_a_location_is_paused_and_resumed(operator: Browser, redis: Redis) -> None:
    """The list and its own page have the buttons; a hold ends in the same way."""
    keep(redis)
    assert "here is paused" in words(await operator.submit("/locations/here/pause"))
    assert redis.hget(key("location", HERE), "paused") == "1"
    back = await operator.submit("/locations/here/resume", back="one")
    assert back.url.path == "/console/locations/here"
    assert redis.hget(key("location", HERE), "paused") == "0"
    lanes = lanes_of(redis)
    accept(redis, *(message(f"m{number}", f"c{number}") for number in range(3)))
    for turn in [turn for lane in claim(lanes) if (turn := lanes.lease(lane))]:
        lanes.write_dead_letter(turn, [one.id for one in turn.messages], Dead(error="no", refused="ghl"), answer=None, at_ms=1)
    assert "on hold" in words(await operator.see("/locations/here"))
    assert "3 dead letter(s) are replayed" in words(await operator.submit("/locations/here/resume"))
    assert (await operator.submit("/locations/here/remove")).status_code == 422
    assert (await operator.submit("/locations/unknown/pause")).status_code == 404


async def test_a_locations_page_shows_its_settings_and_no_secret(operator: Browser, redis: Redis) -> None:
    """It has the keys of the file, without the tables of other providers."""
    keep(redis, ghl_token="pit-very-secret", off_tags=("no_bot", "vip"), assistable={"assistant_id": "a1", "token": "hush"})
    page = await operator.see("/locations/here")
    said = words(page)
    for detail in (
        "ghl_token set",
        "off_tags no_bot, vip",
        "assistable.assistant_id a1",
        "contact_lookup yes",
        "max_age_seconds 6 h",
    ):
        assert detail in said
    assert "very-secret" not in page.text
    assert "hush" not in page.text
    assert "openai." not in said


async def test_many_locations_come_in_pages(operator: Browser, redis: Redis) -> None:
    """Each is on one page."""
    keep(redis, *(f"l{number:04}" for number in range(LOCATIONS_ON_A_PAGE + 5)))
    first = await operator.see("/locations")
    assert first.text.count('<td data-label="Location"') == LOCATIONS_ON_A_PAGE
    assert f"1 to {LOCATIONS_ON_A_PAGE} of {LOCATIONS_ON_A_PAGE + 5}" in words(first)
    second = await operator.see(f"/locations?from={LOCATIONS_ON_A_PAGE}")
    assert second.text.count('<td data-label="Location"') == 5


async def test_live_shows_what_happened_last(operator: Browser, redis: Redis) -> None:
    """The newest is first, filtered by step or location, without text."""
    keep(redis, HERE, "there")
    answered(redis)
    accept(redis, message("m9", "other", "there"))
    page = await operator.see("/live")
    assert re.findall(r'class="badge \w+">(\w+)', page.text)[:2] == ["accepted", "replied"]
    assert SECRET not in page.text
    assert "other" not in words(await operator.see("/live?step=answered"))
    assert "other" in words(await operator.see("/live?location=there"))


@pytest.mark.timeout(60)
def test_open_pages_are_told_when_something_happened(redis_url: str, redis: Redis) -> None:
    """Server-sent events begin at the browser's last one, and end by themselves; a stranger gets none."""
    keep(redis)
    accept(redis, message("m1"))
    with served(redis_url) as url, httpx.Client(base_url=url) as client:
        assert client.get("/console/events").status_code == 401
        assert client.post("/console/login", data={"token": ADMIN_TOKEN}).status_code == 303
        with client.stream("GET", "/console/events", timeout=20) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.iter_lines()
            first = next(line for line in lines if line.startswith("id: "))
            accept(redis, message("m2"))
            second = next(line for line in lines if line.startswith("id: "))
            assert first != second
            assert not any(line.startswith("id: ") for line in lines)
        with client.stream(
            "GET", "/console/events", headers={"Last-Event-ID": second.removeprefix("id: ")}, timeout=20
        ) as stream:
            lines = stream.iter_lines()
            assert next(lines)
            accept(redis, message("m3"))
            assert next(line for line in lines if line.startswith("id: ")) not in {first, second}
