"""Kinds of files by their bytes: real files of ffmpeg 9.0 (`tests/policy/media`), damaged and hostile ones."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from bridge.model import MediaKind
from bridge.policy.media_kinds import UNKNOWN, file_type

FILES = {path.name: path.read_bytes() for path in sorted((Path(__file__).parent / "media").iterdir())}
FTYP = b"\x00\x00\x00\x18ftypisom" + bytes(12)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_its_tracks_say(name: str) -> None:
    """A voice note in MP4, 3GP or WebM has no picture track, also in fragmented and streamed files."""
    assert file_type(FILES[name]).kind == name.partition(".")[0].partition("_")[0]


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        (FILES["audio.mp4"], "audio/mp4"),
        (FILES["video.webm"], "video/webm"),
        (FILES["image.png"], "image/png"),
        (b"ID3\x04" + bytes(20), "audio/mpeg"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(12), "image/heic"),
        (b"\x00\x00\x00\x18ftypavif" + bytes(12), "image/avif"),
        (b"#!AMR-WB\n" + bytes(8), "audio/amr-wb"),
        (b"caff\x00\x01", "audio/x-caf"),
        (FTYP, "video/mp4"),
        (b"%PDF-1.7", UNKNOWN.mime),
        (b"<html>", UNKNOWN.mime),
        (b"", UNKNOWN.mime),
        (b"\xff", UNKNOWN.mime),
    ],
)
def test_the_media_type_is_told(data: bytes, mime: str) -> None:
    """An unknown type is a file; a container without tracks counts as a video, which is not read."""
    assert file_type(data).mime == mime


def test_damaged_files_raise_nothing() -> None:
    """Three thousand files with random cuts and changes cause no error."""
    chance = random.Random(17)
    for _ in range(3000):
        data = bytearray(chance.choice(list(FILES.values())))
        for _ in range(chance.randrange(1, 30)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        assert file_type(bytes(data[: chance.randrange(len(data))])).kind in MediaKind


@pytest.mark.parametrize(
    "data",
    [
        FTYP + b"\x00\x00\x00\x08moov" * 1_000_000,
        FTYP + b"\x00\x00\x00\x00moov" * 1_000_000,
        FTYP + b"\x00\x00\x00\x00trak" * 1_000_000,
        b"\x1aE\xdf\xa3\x80" + b"\x18\x53\x80\x67\xff" * 1_000_000,
        b"\x1aE\xdf\xa3\x80\x18\x53\x80\x67\xff" + b"\xec\x80" * 1_000_000,
    ],
    ids=["flat", "nested", "tracks", "segments", "elements"],
)
def test_a_file_that_is_made_to_be_slow_is_not(data: bytes) -> None:
    """A million boxes, or as many nested ones, take no time, because the number and the depth are limited."""
    began = time.process_time()
    file_type(data)
    assert time.process_time() - began < 0.5
