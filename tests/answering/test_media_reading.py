"""Reading voice notes and pictures, with a media host and a transcription service on real sockets."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bridge.answering import media_reader
from bridge.locations import Location
from bridge.model import Channel, LocationId, MediaKind
from bridge.store.limits.media_reads import MediaReads
from bridge.store.redis.connection import text
from tests.keys import key
from tests.other_side import OtherSide, http
from tests.stored import HERE, LANE, dead_letters_of, media_reader_of, pass_time, standings_of
from tests.world import COMPLETE, TRANSCRIBE, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.other_side import Visit
    from tests.world import World

BYTES = {path.name: path.read_bytes() for path in (Path(__file__).parents[1] / "policy/media").iterdir()}
UNREAD = "[The contact sent 1 voice note; it could not be read; ask the contact to write instead.]"
MODEL = "/v1/chat/completions"


@pytest.fixture
def world(redis: Redis) -> Iterator[World]:
    with opened(redis) as world:
        reading(world)
        world.spoken = "Do you open on Sunday?"
        yield world


def reading(world: World, **settings: Any) -> None:
    """Let files be read, with a transcription service."""
    service = {"base_url": f"{world.url}/v1", "model": "whisper", "token": "tr"}
    world.keep(**{"media": "read", "transcription": service, **settings})


def sees(world: World, **settings: Any) -> None:
    """Let a model that accepts pictures answer."""
    reading(world, provider="openai", openai={"base_url": f"{world.url}/v1", "model": "eyes", "token": "t"}, **settings)


def sends(world: World, *names: str, id_: str = "m1", **fields: Any) -> None:
    """Let the contact send files of these names from the media host."""
    for name in names:
        world.files.setdefault(f"/media/{name}", http(200, BYTES.get(name, b"%PDF-1.7")))
    urls = tuple(f"{world.url}/media/{name}" for name in names)
    world.write(id_, **{"text": "", "attachments": urls, **fields})


def reads(world: World) -> list[str]:
    """The timeline's entries about files that were read."""
    return [event.details["outcome"] for event in world.events() if event.step == "read"]


def downloads(world: World, name: str) -> int:
    """How often a file was downloaded."""
    return len(world.asked(f"/media/{name}"))


# Voice notes


@pytest.mark.parametrize("name", ["audio.ogg", "audio.mp4", "audio_fragmented.mp4", "audio.3gp", "audio.amr"])
def test_a_voice_note_is_the_contacts_words(world: World, name: str) -> None:
    """It is transcribed whatever its container, and the question contains it like a written text."""
    sends(world, name)
    world.work()
    assert (world.inputs(), world.status()) == (["Do you open on Sunday?"], ("replied", ""))
    (request,) = world.asked(TRANSCRIBE)
    assert request.headers["authorization"] == "Bearer tr"
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert BYTES[name] in request.body
    assert b'name="model"\r\n\r\nwhisper' in request.body
    assert reads(world) == ["22 characters"]


def test_words_stand_in_the_order_in_which_they_came(world: World) -> None:
    """Written and spoken texts are in the order in which they arrived."""
    world.write("m1", text="Hello")
    sends(world, "audio.ogg", id_="m2")
    world.write("m3", text="Thanks")
    world.work()
    assert world.inputs() == ["Hello\nDo you open on Sunday?\nThanks"]


def test_a_transcript_is_bought_once(world: World) -> None:
    """It is stored before the question is asked: neither a retry nor a replay downloads or transcribes again."""
    world.refusing[COMPLETE] = 500
    sends(world, "audio.ogg")
    world.work(delays=(1.0,))
    pass_time(world.redis, 2)
    world.work(delays=(1.0,))
    world.refusing.clear()
    dead_letters_of(world.redis).replay(world.dead_letter(), force=False)
    world.work()
    assert (downloads(world, "audio.ogg"), len(world.asked(TRANSCRIBE))) == (1, 1)
    assert world.inputs()[-1] == "Do you open on Sunday?"


def test_an_earlier_voice_note_is_its_words_in_the_history(world: World) -> None:
    """A file with a transcript is not mentioned in the history."""
    sees(world)
    sends(world, "audio.ogg")
    world.work()
    world.write("m2", text="And?")
    world.work()
    told = [one["content"] for one in world.asked(MODEL)[-1]["messages"] if one["role"] == "user"]
    assert told == ["Do you open on Sunday?", "And?"]


def test_a_transcript_is_kept_as_texts_are(world: World) -> None:
    """The transcript keeps it for the retention time; the message's copy is deleted with its answer; bytes are never stored."""
    sends(world, "audio.ogg")
    world.work()
    assert "Do you open on Sunday?" in " ".join(map(str, world.redis.zrange(key("said", str(LANE)), 0, -1)))
    assert world.redis.hget(key("message", HERE, "m1"), "body") is None
    held = [name for name in world.redis.scan_iter("*") if b"OggS" in (world.redis.dump(name) or b"")]
    assert held == []


def test_an_address_that_is_out_of_date_is_asked_for_anew(world: World) -> None:
    """If an address has expired, GHL's record has a new one."""
    world.files["/media/old.ogg"] = http(403)
    world.files["/media/new.ogg"] = http(200, BYTES["audio.ogg"])
    world.records["m1"] = {"body": "", "attachments": [f"{world.url}/media/new.ogg"]}
    sends(world, "old.ogg")
    world.work()
    assert world.inputs() == ["Do you open on Sunday?"]


def test_no_token_leaves_with_a_download(world: World) -> None:
    """The host of a file may be anybody's, so the request contains neither GHL's token nor a cookie."""
    sends(world, "audio.ogg")
    world.work()
    (headers,) = world.asked("/media/audio.ogg")
    assert {"authorization", "cookie", "version"} & set(headers) == set()


# What can't be read

FAILURES: dict[str, tuple[bytes, str]] = {
    "gone": (http(404), "its host answered HTTP 404"),
    "empty": (http(200, b""), "it is empty"),
    "cut": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nOggS",
        "it is larger than 26214400 bytes, or did not arrive within 15 s",
    ),
    "elsewhere": (http(302, b"", {"Location": "https://169.254.169.254/latest/meta-data"}), "its address is not public"),
    "inside": (http(302, b"", {"Location": "http://10.0.0.1/"}), "its address is not https"),
    "round": (http(302, b"", {"Location": "/media/2.ogg"}), "more than 3 redirects"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_what_cannot_be_read_is_said_to_model_and_operator(world: World, name: str) -> None:
    """The turn does not fail: the model is told to ask for a text, and the timeline says why."""
    world.files["/media/2.ogg"], why = FAILURES[name]
    world.cut |= {"/media/2.ogg"} if name == "cut" else set()
    sends(world, "2.ogg")
    world.work()
    assert (world.inputs(), world.status()) == ([UNREAD], ("replied", ""))
    assert reads(world)[0].startswith(why)


def test_a_redirect_to_another_public_place_is_followed(world: World) -> None:
    """Each redirect is checked like the first address."""
    world.files["/media/1.ogg"] = http(307, b"", {"Location": "/media/audio.ogg"})
    world.files["/media/audio.ogg"] = http(200, BYTES["audio.ogg"])
    sends(world, "1.ogg")
    world.work()
    assert world.inputs() == ["Do you open on Sunday?"]


def test_an_empty_transcript_is_no_transcript(world: World) -> None:
    """A 200 with an empty text means that the engine understood nothing."""
    world.spoken = " "
    sends(world, "audio.ogg")
    world.work()
    assert (world.inputs(), reads(world)) == ([UNREAD], ["no speech was recognised in it"])


@pytest.mark.parametrize(
    ("settings", "why"), [({}, "answered HTTP 401"), ({"transcription": {}}, "no transcription service is set")]
)
def test_a_transcription_service_that_fails_is_named(world: World, settings: dict[str, Any], why: str) -> None:
    """After a refused or missing login the turn continues, and the operator sees what to do."""
    reading(world, **settings)
    world.refusing[TRANSCRIBE] = 401
    sends(world, "audio.ogg")
    world.work()
    assert world.inputs() == [UNREAD]
    assert why in reads(world)[0]


def test_at_most_five_files_are_read(world: World) -> None:
    """The five oldest files are read; the others are mentioned."""
    for number in range(6):
        world.files[f"/media/{number}.ogg"] = http(200, BYTES["audio.ogg"])
    sends(world, *(f"{number}.ogg" for number in range(6)))
    world.work()
    assert len(world.asked(TRANSCRIBE)) == 5
    assert reads(world)[-1] == "more than 5 files"
    assert world.inputs()[0].endswith(UNREAD)


def test_a_retry_reads_no_further_files(world: World) -> None:
    """Files that an earlier attempt has read count among the five."""
    for number in range(6):
        world.files[f"/media/{number}.ogg"] = http(200, BYTES["audio.ogg"])
    world.refusing[COMPLETE] = 500
    sends(world, *(f"{number}.ogg" for number in range(6)))
    world.work(delays=(1.0,))
    world.refusing.clear()
    pass_time(world.redis, 2)
    world.work(delays=(1.0,))
    assert (len(world.asked(TRANSCRIBE)), downloads(world, "5.ogg"), world.status()) == (5, 0, ("replied", ""))


@pytest.mark.parametrize(("more", "read"), [(0, ["22 characters"]), (1, ["it is larger than 26214400 bytes"])])
def test_a_file_has_so_many_bytes(world: World, more: int, read: list[str]) -> None:
    """25 MiB are read and passed on completely; one byte more is not, whatever the length header says."""
    note = BYTES["audio.ogg"].ljust(25 * 1024 * 1024 + more, b"\0")
    world.files["/media/long.ogg"] = http(200, note)
    sends(world, "long.ogg")
    world.work()
    assert [told.partition(",")[0] for told in reads(world)] == read
    assert [note in request.body for request in world.asked(TRANSCRIBE)] == [True] * (1 - more)


def test_a_process_reads_two_files_at_a_time(world: World) -> None:
    """However many turns want to read, a third file is read when one of two is done."""
    inside, lock, pair = [0, 0], threading.Lock(), threading.Barrier(2)

    def hold(visit: Visit) -> None:
        while visit.request():
            with lock:
                inside[0] += 1
                inside[1] = max(inside)
            pair.wait(30)  # two are here at once
            with lock:
                inside[0] -= 1
            visit.send(http(404))

    reader, location = media_reader_of(world.redis), Location(id=HERE)
    with OtherSide(hold) as side, ThreadPoolExecutor(6) as turns:
        wanted = [turns.submit(reader.read, f"{side.url}/{n}.ogg", MediaKind.AUDIO, location, images=False) for n in range(6)]
        assert [one.result()[0].why for one in wanted] == ["its host answered HTTP 404"] * 6
    assert inside == [0, 2]


def test_a_file_waits_so_long_for_its_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that finds two others in progress all that time is reported as not read, and costs none of the day's reads."""
    assert media_reader.PATIENCE_SECONDS == 60
    monkeypatch.setattr(media_reader, "PATIENCE_SECONDS", 0.3)
    held, done = threading.Barrier(3), threading.Event()

    def hold(visit: Visit) -> None:
        while visit.request():
            held.wait(30)
            done.wait(30)
            visit.send(http(404))

    reader, location = media_reader_of(world.redis), Location(id=HERE, media_reads_per_day=3)
    with OtherSide(hold) as side, ThreadPoolExecutor(2) as turns:
        first = [turns.submit(reader.read, f"{side.url}/{n}.ogg", MediaKind.AUDIO, location, images=False) for n in range(2)]
        held.wait(30)
        assert reader.read(f"{side.url}/3.ogg", MediaKind.AUDIO, location, images=False)[0].why == "2 other files are being read"
        done.set()
        assert [one.result()[0].why for one in first] == ["its host answered HTTP 404"] * 2
    assert MediaReads(world.redis).acquire(HERE, 3)


@pytest.mark.nightly
def test_a_download_takes_so_long_at_most(world: World) -> None:
    """Fifteen seconds, however steadily its bytes come."""

    def trickle(visit: Visit) -> None:
        while visit.request():
            visit.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
            with suppress(OSError):
                while True:
                    visit.send(b"x")
                    time.sleep(0.5)

    with OtherSide(trickle) as side:
        began = time.monotonic()
        reading, _ = media_reader_of(world.redis).read(f"{side.url}/1.ogg", MediaKind.AUDIO, Location(id=HERE), images=False)
        assert reading.why
        assert 14 < time.monotonic() - began < 25


def test_one_locations_budget_is_no_others(world: World) -> None:
    """A location that has used its budget does not affect the others, and has a new one the next day."""
    budget = MediaReads(world.redis)
    here, there = LocationId("here"), LocationId("there")
    assert [budget.acquire(here, 2) for _ in range(3)] == [True, True, False]
    assert budget.acquire(there, 2)
    (today,) = world.redis.keys(key("media_reads", here, "*"))
    assert 24 * 3600 < world.redis.ttl(today) <= 48 * 3600
    day = int(text(today).rpartition(":")[2])
    world.redis.rename(today, key("media_reads", here, str(day - 1)))
    assert budget.acquire(here, 2)


def test_a_day_has_so_many_reads(world: World) -> None:
    """A location has a number of reads per day; further files are not downloaded."""
    reading(world, media_reads_per_day=1)
    for id_ in ("m1", "m2"):
        sends(world, "audio.ogg", id_=id_)
        world.work()
    assert downloads(world, "audio.ogg") == 1
    assert reads(world) == ["22 characters", "media_reads_per_day = 1 is used up"]


def test_a_film_is_told_of_and_not_read(world: World) -> None:
    """A file with a video track is mentioned, and not treated as a voice note, whatever its name."""
    world.files["/media/audio.mp4"] = http(200, BYTES["video.mp4"])
    sends(world, "audio.mp4")
    world.work()
    assert world.asked(TRANSCRIBE) == []
    assert world.inputs() == ["[The contact sent 1 video; it could not be read; ask the contact to write instead.]"]


# Silence and a fixed answer


def test_silence_about_what_nobody_could_read_has_its_own_reason(world: World) -> None:
    """The reason shows the operator that the file was the cause."""
    world.completion = {"output": ""}
    world.spoken = ""
    sends(world, "audio.ogg")
    world.work()
    assert (world.status(), world.posts()) == (("skipped", "unreadable_media"), [])
    assert world.redis.hget(key("message", HERE, "m1"), "facts") == "audio: no speech was recognised in it"


def test_a_fixed_answer_is_given_without_asking(world: World) -> None:
    """With `media_message` the text is sent once without a completion, and counts as a reply of the day."""
    reading(world, media_message="Please write to us.", max_replies_per_day=1)
    world.spoken = ""
    sends(world, "audio.ogg")
    world.work()
    assert (world.status(), world.posts(), world.inputs()) == (("skipped", "unreadable_media"), ["Please write to us."], [])
    sends(world, "audio.ogg", id_="m2")
    world.work()
    assert (world.status("m2"), len(world.posts())) == (("skipped", "reply_cap"), 1)


def test_a_text_beside_an_unreadable_file_is_answered(world: World) -> None:
    """`media_message` is only for messages without a text."""
    reading(world, media_message="Please write to us.")
    world.spoken = ""
    sends(world, "audio.ogg", text="Hello")
    world.work()
    assert (world.inputs(), world.posts()) == ([f"Hello\n{UNREAD}"], ["answer 1"])


# Stop


def test_a_spoken_stop_stops(world: World) -> None:
    """A voice note that says only STOP opts the contact out, and `contacts allow` lifts that."""
    world.spoken = "Stop."
    sends(world, "audio.ogg", channel=Channel.WHATSAPP, message_type_string="TYPE_WHATSAPP")
    world.work()
    assert (world.status(), world.inputs(), world.posts()) == (("skipped", "stop_word"), [], [])
    (stopped,) = [event for event in world.events() if event.step == "stopped"]
    assert stopped.details["how"] == "stop spoken"
    assert standings_of(world.redis).allow(LANE) == ("WhatsApp",)


@pytest.mark.parametrize("spoken", ["Stop it please", "End", "Cancel", "quit", "stop stop stop now"])
def test_other_words_stop_nothing(world: World, spoken: str) -> None:
    """Neither a sentence nor an ambiguous word opts out, because an engine may hear a word in silence."""
    world.spoken = spoken
    sends(world, "audio.ogg")
    world.work()
    assert (world.status(), world.inputs()) == (("replied", ""), [spoken])


# Pictures


def test_a_model_with_eyes_is_shown_pictures(world: World) -> None:
    """A model that accepts pictures gets them as data after the texts, and no line that mentions them."""
    sees(world)
    sends(world, "image.png", text="What is it?")
    world.work()
    (question,) = world.asked(MODEL)
    words, picture = question["messages"][-1]["content"]
    assert words == {"type": "text", "text": "What is it?"}
    assert picture["image_url"]["url"].startswith("data:image/png;base64,iVBORw0KGgo")
    assert reads(world) == ["shown to the model"]


def test_who_has_no_eyes_is_told_of_a_picture(world: World) -> None:
    """A provider that accepts no pictures gets a line, and the picture is not downloaded."""
    sends(world, "image.png")
    world.work()
    assert world.inputs() == ["[The contact sent 1 picture; you have not seen it.]"]
    assert downloads(world, "image.png") == 0
