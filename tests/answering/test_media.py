"""Pictures, voice notes and other files, against a real other side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.model import Channel
from bridge.operating.sentences import sentence
from bridge.store.lanes.inbox import accepted_event
from bridge.store.redis.connection import key
from tests.stored import LANE, accept, message
from tests.world import COMPLETE, opened

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
    """The provider is told in one line what came, and that it has not seen it."""
    world.write(text="", attachments=(PICTURE,))
    world.work()
    assert (world.inputs(), world.posts(), world.status()) == ([UNSEEN], ["answer 1"], ("replied", ""))


def test_a_text_with_files_brings_the_line_along(world: World) -> None:
    """The line stands below the texts of the whole turn, once."""
    world.write("m1", text="Is this", attachments=(PICTURE,))
    world.write("m2", text="normal?", attachments=(NOTE,))
    world.work()
    assert world.inputs() == ["Is this\nnormal?\n[The contact sent 1 picture and 1 voice note; you have not seen them.]"]


def test_a_dead_letters_files_are_told_of_with_the_newer_message(world: World) -> None:
    """A newer message takes the files of a dead letter along like its texts."""
    world.refusing[COMPLETE] = 400
    world.write("m1", text="", attachments=(PICTURE,))
    world.work()
    del world.refusing[COMPLETE]
    world.write("m2", text="Hello?")
    world.work()
    assert world.inputs()[-1] == f"Hello?\n{UNSEEN}"


def test_files_are_ignored_where_that_is_wanted(world: World) -> None:
    """With `media = "ignore"` a text is answered as if it came alone."""
    world.keep(media="ignore")
    world.write(text="Hello", attachments=(PICTURE,))
    world.work()
    assert world.inputs() == ["Hello"]


def test_the_line_is_no_word_of_the_contact(world: World) -> None:
    """It stands neither in the record of what was said nor in the stored message, and three pictures in a row are no loop."""
    for number in range(1, 5):
        world.write(f"m{number}", text="", attachments=(PICTURE,))
        world.work()
    assert world.status("m4") == ("replied", "")
    assert world.inputs() == [UNSEEN] * 4
    kept = " ".join(map(str, world.redis.zrange(key("said", str(LANE)), 0, -1)))
    assert "answer 1" in kept
    assert "picture" not in kept


def test_a_stop_word_with_a_picture_stops(world: World) -> None:
    """The stop word is the whole text, whatever came beside it."""
    assert accept(world.redis, message(text="STOP", attachments=(PICTURE,))) == ["stop_word"]


def test_the_timeline_tells_files_by_kind() -> None:
    """By kind and never by address, also in words."""
    one = message(text="", attachments=(PICTURE, "https://files.example.com/1.webp"), channel=Channel.WHATSAPP)
    event = accepted_event(one)
    assert event["files"] == ["image", "sticker"]
    assert sentence(event).endswith("0 characters, files: image, sticker")
    assert "example.com" not in str(event)
    assert "files" not in accepted_event(message())
