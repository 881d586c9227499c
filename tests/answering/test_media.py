"""Pictures, voice notes and other files, with real servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import Channel
from bridge.operating.sentences import sentence
from bridge.store.lanes.inbox import accepted_event
from bridge.store.redis.connection import now_ms
from tests.keys import key
from tests.stored import HERE, LANE, accept, due_ms, message, pass_time, standings_of
from tests.world import AGENCII, COMPLETE, POST, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.world import World

PICTURE, NOTE = "https://files.example.com/1.jpg", "https://files.example.com/2.ogg"
UNSEEN = "[The contact sent 1 picture; you have not seen it.]"


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        yield world


# Mention


def test_a_picture_alone_is_answered(world: World) -> None:
    """One line tells the provider what arrived, and that it can't see it."""
    world.write(text="", attachments=(PICTURE,))
    world.work()
    assert (world.inputs(), world.posts(), world.status()) == ([UNSEEN], ["answer 1"], ("replied", ""))


def test_a_text_with_files_brings_the_line_along(world: World) -> None:
    """The line is below the texts of the whole turn, once."""
    world.write("m1", text="Is this", attachments=(PICTURE,))
    world.write("m2", text="normal?", attachments=(NOTE,))
    world.work()
    assert world.inputs() == ["Is this\nnormal?\n[The contact sent 1 picture and 1 voice note; you have not seen them.]"]


def test_a_dead_letters_files_are_told_of_with_the_newer_message(world: World) -> None:
    """A newer message includes the files of a dead letter, like its texts."""
    world.refusing[COMPLETE] = 400
    world.write("m1", text="", attachments=(PICTURE,))
    world.work()
    del world.refusing[COMPLETE]
    world.write("m2", text="Hello?")
    world.work()
    assert world.inputs()[-1] == f"Hello?\n{UNSEEN}"


def test_files_are_ignored_where_that_is_wanted(world: World) -> None:
    """With `media = "ignore"` a text is answered as if it had no file."""
    world.keep(media="ignore")
    world.write(text="Hello", attachments=(PICTURE,))
    world.work()
    assert world.inputs() == ["Hello"]


def test_the_line_is_no_word_of_the_contact(world: World) -> None:
    """It is neither in the transcript nor in the stored message, and ten pictures in a row are not a loop."""
    for number in range(1, 11):
        world.write(f"m{number}", text="", attachments=(PICTURE,))
        world.work()
    assert world.status("m10") == ("replied", "")
    assert world.inputs() == [UNSEEN] * 10
    kept = " ".join(map(str, world.redis.zrange(key("said", str(LANE)), 0, -1)))
    assert "answer 1" in kept
    assert "picture" not in kept


MODEL = "/v1/chat/completions"
EARLIER = "[The contact sent 1 picture here; it is not shown to you.]"


def asks_model(world: World, **settings: Any) -> None:
    """Let a service without its own history answer."""
    world.keep(provider="openai", openai={"base_url": f"{world.url}/v1", "model": "m", "token": "t"}, **settings)


def earlier(world: World) -> list[str]:
    """The contact's messages before the newest question, as the model gets them."""
    told = world.asked(MODEL)[-1]["messages"]
    return [one["content"] for one in told if one["role"] == "user"][:-1]


@pytest.mark.parametrize(("media", "told"), [("mention", [EARLIER, f"Look\n{EARLIER}"]), ("ignore", ["Look"])])
def test_an_earlier_picture_stands_in_the_history(world: World, media: str, told: list[str]) -> None:
    """It is a line at its place in the history, with its text, from the bridge's own record."""
    asks_model(world, media=media)
    world.write("m1", text="", attachments=(PICTURE,))
    world.work()
    world.write("m2", text="Look", attachments=(PICTURE,))
    world.work()
    world.write("m3", text="And?")
    world.work()
    assert earlier(world) == told


def test_a_picture_that_came_before_our_time_stands_in_the_history(world: World) -> None:
    """It comes from GHL's list; once that is stored, the next turn contains it too."""
    asks_model(world)
    before = now_ms(world.redis) - 60_000
    world.listed = [world.row("", "p0", direction="inbound", source="", attachments=[PICTURE], dateAdded=before)]
    for number in (1, 2):
        world.write(f"m{number}", text=f"And {number}?")
        world.work()
        assert earlier(world)[0] == EARLIER
    kept = str(world.redis.zrange(key("said", str(LANE)), 0, -1))
    assert ("p0" in kept, "image" in kept, "contact sent" in kept, PICTURE in kept) == (True, True, False, False)


def test_a_stop_word_with_a_picture_stops(world: World) -> None:
    """A stop word that is the whole text counts, whatever file comes with it."""
    assert accept(world.redis, message(text="STOP", attachments=(PICTURE,))) == ["stop_word"]


def test_the_timeline_tells_files_by_kind() -> None:
    """It names files by kind and never by address, also in sentences."""
    one = message(text="", attachments=(PICTURE, "https://files.example.com/1.webp"), channel=Channel.WHATSAPP)
    event = accepted_event(one)
    assert event["files"] == ["image", "sticker"]
    assert sentence(event).endswith("0 characters, files: image, sticker")
    assert "example.com" not in str(event)
    assert "files" not in accepted_event(message())


# Look first

WHATSAPP = {"channel": Channel.WHATSAPP, "message_type": "WhatsApp", "message_type_string": "TYPE_WHATSAPP"}


def empty(world: World, id_: str = "m1", **fields: Any) -> None:
    """Let a webhook arrive without text and file."""
    world.write(id_, **{"text": "", **WHATSAPP, **fields})


def looks(world: World, id_: str = "m1") -> int:
    """The number of reads of a message's own record in GHL."""
    return len(world.asked(f"{POST}/{id_}"))


def waits(world: World, seconds: float) -> bool:
    """Whether the lane is due in `seconds`, minus the time that the test has taken."""
    due = due_ms(world.redis)
    return due is not None and seconds - 2.5 < (due - now_ms(world.redis)) / 1000 <= seconds + 0.3


def test_whatsapps_files_are_looked_for(world: World) -> None:
    """Three seconds after an empty webhook, the file is in GHL's record; the wait does not count as an attempt."""
    empty(world)
    world.work()
    assert (looks(world), world.status("m1"), waits(world, 3)) == (0, ("waiting", ""), True)
    world.records["m1"] = {"body": "", "attachments": [PICTURE]}
    pass_time(world.redis, 3)
    world.work()
    assert (looks(world), world.inputs(), world.status("m1")) == (1, [UNSEEN], ("replied", ""))
    (resolved,) = [event for event in world.events() if event.step == "resolved"]
    assert (resolved.details["how"], resolved.details["files"]) == ("read from GHL: 1 picture", ["image"])
    assert [event.details["failed_attempts"] for event in world.events() if event.step == "retrying"] == [0]


def test_three_looks_and_then_it_is_blank(world: World) -> None:
    """The looks are at 3, 10 and 30 seconds; then the reason says that GHL had no content."""
    empty(world)
    for passed, until in ((0, 3), (3, 7), (7, 20)):
        pass_time(world.redis, passed)
        world.work()
        assert (world.status(), waits(world, until)) == (("waiting", ""), True)
    pass_time(world.redis, 20)
    world.work()
    assert (looks(world), world.status(), world.asked(COMPLETE)) == (3, ("skipped", "blank"), [])
    assert world.redis.hget(key("message", HERE, "m1"), "facts") == "GHL gave neither text nor file"
    assert due_ms(world.redis) is None


def test_elsewhere_one_look_is_enough(world: World) -> None:
    """Webhooks of other channels contain their files, so one look is made in case a file is missing."""
    empty(world, channel=Channel.IG, message_type="IG", message_type_string="TYPE_INSTAGRAM")
    world.work()
    pass_time(world.redis, 3)
    world.work()
    assert (looks(world), world.status()) == (1, ("skipped", "blank"))


def test_a_late_worker_looks_once(world: World) -> None:
    """A message that was accepted a minute ago is looked up at once, for the last time."""
    empty(world)
    pass_time(world.redis, 60)
    world.work()
    assert (looks(world), world.status()) == (1, ("skipped", "blank"))


def test_a_newer_text_ends_the_wait(world: World) -> None:
    """A contact that writes on does not wait: one look is made now, and the text is answered."""
    empty(world)
    pass_time(world.redis, 5)
    world.work()
    assert world.status("m1") == ("waiting", "")
    world.write("m2", **WHATSAPP)
    world.work()
    assert (world.inputs(), world.status("m1"), world.status("m2")) == (["text of m2"], ("skipped", "blank"), ("replied", ""))


def test_a_text_that_comes_during_a_look_ends_the_wait_too(world: World) -> None:
    """If a text arrives while GHL is read, the lane is due at once."""
    empty(world)
    pass_time(world.redis, 5)
    world.during[f"{POST}/m1", 1] = lambda: world.write("m2", **WHATSAPP)
    world.work()
    world.work()
    assert (world.inputs(), world.status("m2")) == (["text of m2"], ("replied", ""))


def test_a_file_that_is_found_goes_along_with_the_text_before_it(world: World) -> None:
    """A text and the picture that it refers to are one question."""
    world.write("m1", **WHATSAPP)
    empty(world, "m2")
    world.records["m2"] = {"body": "", "attachments": [PICTURE]}
    world.work()
    assert world.asked(COMPLETE) == []
    pass_time(world.redis, 3)
    world.work()
    assert world.inputs() == [f"text of m1\n{UNSEEN}"]


def test_a_stop_that_only_ghls_record_holds_stops(world: World) -> None:
    """A stop word that only GHL's record contains counts like one in a webhook."""
    world.records["m1"] = {"body": "STOP", "attachments": []}
    empty(world)
    pass_time(world.redis, 3)
    world.work()
    assert (world.status(), world.asked(COMPLETE)) == (("skipped", "stop_word"), [])
    assert standings_of(world.redis).allow(LANE) == ("WhatsApp",)
    assert "stopped" in world.steps()


def test_nothing_is_looked_for_where_files_are_ignored(world: World) -> None:
    """Nothing is looked up where files are ignored, or after a takeover."""
    world.keep(media="ignore")
    empty(world)
    world.work()
    assert (looks(world), world.status()) == (0, ("skipped", "blank"))


def test_a_ghl_that_is_down_is_asked_at_the_next_look(world: World) -> None:
    """Only a fault of the last look counts as a failed attempt."""
    empty(world)
    world.refusing[f"{POST}/m1"] = 500
    pass_time(world.redis, 5)
    world.work()
    assert [event.details["failed_attempts"] for event in world.events() if event.step == "retrying"] == [0]
    pass_time(world.redis, 60)
    world.work()
    assert [event.details["failed_attempts"] for event in world.events() if event.step == "retrying"] == [0, 1]


@pytest.mark.parametrize(("fields", "status"), [(WHATSAPP, ("dead", "")), ({}, ("skipped", "blank"))])
def test_a_token_that_may_not_read_messages_loses_no_whatsapp_file(
    world: World, fields: dict[str, Any], status: tuple[str, str]
) -> None:
    """An empty WhatsApp message certainly has content, so a dead letter says what to do; on other channels it is blank."""
    empty(world, **{"channel": Channel.SMS, "message_type": "SMS", "message_type_string": "TYPE_SMS", **fields})
    world.refusing[f"{POST}/m1"], world.refused = 401, {"message": "The token is not authorized for this scope."}
    pass_time(world.redis, 40)
    world.work()
    assert world.status() == status


# Links


def test_a_webhook_gets_the_addresses(world: World) -> None:
    """With `media = "links"` its question has each file's address and kind, and the line refers to them."""
    world.keep(media="links", provider="webhook", webhook={"url": world.url + AGENCII, "reply_path": "chatId"})
    world.write(text="Look", attachments=(PICTURE,))
    world.work()
    (question,) = world.asked(AGENCII)
    assert question["chatInput"] == "Look\n[The contact sent 1 picture; see attachments.]"
    assert question["attachments"] == [{"url": PICTURE, "kind": "image"}]
    assert world.posts() == ["chat1"]


FRESH = "https://files.example.com/fresh.jpg"


def links(world: World, *, minutes: float) -> list[str]:
    """The addresses in the webhook provider's question, for a picture from `minutes` ago."""
    world.keep(media="links", provider="webhook", webhook={"url": world.url + AGENCII, "reply_path": "chatId"})
    world.write(text="", attachments=(PICTURE,), date_added_ms=now_ms(world.redis) - round(minutes * 60_000))
    world.work()
    return [each["url"] for question in world.asked(AGENCII) for each in question["attachments"]]


def test_an_address_that_may_have_expired_is_asked_for_anew(world: World) -> None:
    """If a file waited for more than five minutes, its current address is read from GHL's record."""
    world.records["m1"] = {"body": "", "attachments": [FRESH]}
    assert (links(world, minutes=5.1), looks(world)) == ([FRESH], 1)


def test_a_young_address_is_as_good_as_a_fresh_one(world: World) -> None:
    """A usual turn does not read GHL for a file's address."""
    world.records["m1"] = {"body": "", "attachments": [FRESH]}
    assert (links(world, minutes=4.5), looks(world)) == ([PICTURE], 0)


@pytest.mark.parametrize(
    ("status", "held"), [(500, [FRESH]), (404, [FRESH]), (401, [FRESH]), (200, []), (200, [FRESH, FRESH])], ids=str
)
def test_an_address_that_ghl_cannot_tell_stays_as_it_came(world: World, status: int, held: list[str]) -> None:
    """If GHL is down, lacks the message or has a record with other files, the contact is answered anyway."""
    world.records["m1"] = {"body": "", "attachments": held}
    if status != 200:
        world.refusing[f"{POST}/m1"] = status
    assert (links(world, minutes=60), world.status()) == ([PICTURE], ("replied", ""))


def test_whoever_takes_no_links_is_told_what_came(world: World) -> None:
    """Other providers get only the line, even with `links`."""
    world.keep(media="links")
    world.write(text="", attachments=(PICTURE,))
    world.work()
    assert world.inputs() == [UNSEEN]
