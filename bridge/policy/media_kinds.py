"""The kind of a file from its first bytes, and from its tracks if the container is used for voice notes and videos. Pure.

MP4 and 3GP (ISO/IEC 14496-12) have a track's kind in `hdlr` boxes, Matroska and WebM (RFC 9559) in `TrackType` elements. Damaged
files raise no error: their first bytes decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.model import MediaKind

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGE, AUDIO, VIDEO = MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO


@dataclass(frozen=True, slots=True)
class FileType:
    """A file's kind, its media type, and the file ending for services."""

    kind: MediaKind
    mime: str
    ending: str


UNKNOWN = FileType(MediaKind.FILE, "application/octet-stream", "bin")
# First bytes (`?` stands for any), from the formats' own documents.
_STARTS: tuple[tuple[bytes, FileType], ...] = (
    (b"\xff\xd8\xff", FileType(IMAGE, "image/jpeg", "jpg")),
    (b"\x89PNG\r\n\x1a\n", FileType(IMAGE, "image/png", "png")),
    (b"GIF8", FileType(IMAGE, "image/gif", "gif")),
    (b"RIFF????WEBP", FileType(IMAGE, "image/webp", "webp")),
    (b"RIFF????WAVE", FileType(AUDIO, "audio/wav", "wav")),
    (b"OggS", FileType(AUDIO, "audio/ogg", "ogg")),
    (b"ID3", FileType(AUDIO, "audio/mpeg", "mp3")),
    (b"fLaC", FileType(AUDIO, "audio/flac", "flac")),
    (b"#!AMR-WB\n", FileType(AUDIO, "audio/amr-wb", "awb")),
    (b"#!AMR\n", FileType(AUDIO, "audio/amr", "amr")),
    (b"caff", FileType(AUDIO, "audio/x-caf", "caf")),
)
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})
# Theora and other videos in Ogg; the codec's name is in the first page.
_OGG_VIDEO = b"\x80theora"
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia"})
_SEGMENT, _TRACKS, _TRACK, _TRACK_TYPE = 0x18538067, 0x1654AE6B, 0xAE, 0x83
_TRACK_KINDS = {1: VIDEO, 2: AUDIO}
# Limits of elements and depth, because a file may be made to be slow to parse.
_MOST_ELEMENTS, _DEEPEST = 2_000, 4


def file_type(data: bytes) -> FileType:
    """The type of a complete file; UNKNOWN if its first bytes match no format."""
    if data[4:8] == b"ftyp":
        return _iso(data)
    if data.startswith(b"\x1aE\xdf\xa3"):
        return _matroska(data)
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0 and data[:3] != b"\xff\xd8\xff":  # noqa: PLR2004 - MPEG sync
        return FileType(AUDIO, "audio/aac", "aac") if data[1] & 0x06 == 0 else FileType(AUDIO, "audio/mpeg", "mp3")
    found = next((each for start, each in _STARTS if _begins(data, start)), UNKNOWN)
    return FileType(VIDEO, "video/ogg", "ogv") if found.ending == "ogg" and _OGG_VIDEO in data[:512] else found


def _begins(data: bytes, start: bytes) -> bool:
    return len(data) >= len(start) and all(wanted in (b"?"[0], given) for given, wanted in zip(data, start, strict=False))


def _iso(data: bytes) -> FileType:
    brand = data[8:12]
    if brand in _HEIC:
        return FileType(IMAGE, "image/heic", "heic")
    if brand in {b"avif", b"avis"}:
        return FileType(IMAGE, "image/avif", "avif")
    tracks = set(_handlers(data, 0, len(data), iter(range(_MOST_ELEMENTS)), _DEEPEST))
    if b"vide" in tracks or b"soun" not in tracks:
        return FileType(VIDEO, "video/mp4", "mp4")
    return FileType(AUDIO, "audio/mp4", "m4a")


def _handlers(data: bytes, start: int, end: int, steps: Iterator[int], depth: int) -> Iterator[bytes]:
    """The handler types of all tracks between two offsets."""
    for _ in steps:
        if start + 8 > end or not depth:
            return
        size, name, head = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        stop = min(start + size, end) if size >= head else end
        if name in _CONTAINERS:
            yield from _handlers(data, start + head, stop, steps, depth - 1)
        elif name == b"hdlr":
            yield data[start + head + 8 : start + head + 12]
        start = stop


def _matroska(data: bytes) -> FileType:
    kinds = set(_track_kinds(data, 0, len(data), iter(range(_MOST_ELEMENTS)), _DEEPEST))
    if AUDIO in kinds and VIDEO not in kinds:
        return FileType(AUDIO, "audio/webm", "webm")
    return FileType(VIDEO, "video/webm", "webm")


def _track_kinds(data: bytes, start: int, end: int, steps: Iterator[int], depth: int) -> Iterator[MediaKind]:
    """The kinds of all tracks between two offsets. Live recordings have elements without a size."""
    for _ in steps:
        id_, start = _number(data, start, keep_marker=True)
        size, start = _number(data, start, keep_marker=False)
        if start > end or id_ < 0 or start >= len(data) or not depth:
            return
        stop = end if size < 0 else min(start + size, end)
        if id_ in {_SEGMENT, _TRACKS, _TRACK}:
            yield from _track_kinds(data, start, stop, steps, depth - 1)
        elif id_ == _TRACK_TYPE and (kind := _TRACK_KINDS.get(int.from_bytes(data[start:stop], "big"))):
            yield kind
        if id_ == _TRACKS:
            return
        start = stop


def _number(data: bytes, at: int, *, keep_marker: bool) -> tuple[int, int]:
    """A variable-length number and its end; -1 if there is none, or if it means an unknown size."""
    first = data[at] if at < len(data) else 0
    if not first:
        return -1, len(data) + 1
    length = 9 - first.bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    if not keep_marker:
        value -= 1 << (7 * length)
        value = -1 if value == (1 << (7 * length)) - 1 else value
    return value, at + length
