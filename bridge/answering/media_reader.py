"""Reads one file: downloads it, detects its kind from its bytes, and has a voice note transcribed. The file is not stored."""

from __future__ import annotations

from base64 import b64encode
from threading import Semaphore
from typing import TYPE_CHECKING

from bridge.addresses import PLAIN_HTTP, may_be_asked
from bridge.completion import transcription
from bridge.errors import BridgeError
from bridge.model import MediaKind, Reading
from bridge.policy.media_kinds import file_type
from bridge.wire.requests import Upload

if TYPE_CHECKING:
    from bridge.locations import Location
    from bridge.policy.media_kinds import FileType
    from bridge.store.limits.media_reads import MediaReads
    from bridge.wire.calls import Wire
    from bridge.wire.downloads import Downloads

MOST_BYTES = 25 * 1024 * 1024
DOWNLOAD_SECONDS, TRANSCRIPTION_SECONDS = 15.0, 60.0
# Each may hold a file of 25 MiB in memory twice, for the download and the upload.
AT_ONCE = 2
PATIENCE_SECONDS = 60.0
# Picture types that vision models accept; with others, such as HEIC, they refuse the question.
SEEN = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


class MediaReader:
    """Reads files for all turns of a process, two at a time.

    `wire` connects only to addresses that providers may have; `allow_private` allows plain http to a transcription service.
    """

    def __init__(self, downloads: Downloads, wire: Wire, reads: MediaReads, *, allow_private: bool) -> None:
        self._downloads = downloads
        self._wire = wire
        self._reads = reads
        self._allow_private = allow_private
        self._slots = Semaphore(AT_ONCE)

    def read(self, url: str, kind: MediaKind, location: Location, *, images: bool) -> tuple[Reading, bool]:
        """Read a file. Returns the result, and whether the address has expired. Raises Unavailable if Redis can't be reached."""
        if not self._slots.acquire(timeout=PATIENCE_SECONDS):
            return Reading(kind=kind, why=f"{AT_ONCE} other files are being read"), False
        try:
            if not self._reads.acquire(location.location_id, location.media_reads_per_day):
                return Reading(kind=kind, why=f"media_reads_per_day = {location.media_reads_per_day} is used up"), False
            file = self._downloads.get(url, seconds=DOWNLOAD_SECONDS, max_bytes=MOST_BYTES)
            if file.why:
                return Reading(kind=kind, why=file.why), file.stale
            return self._understand(file.content, location, images=images), False
        finally:
            self._slots.release()

    def _understand(self, content: bytes, location: Location, *, images: bool) -> Reading:
        type_ = file_type(content)
        if type_.kind is MediaKind.AUDIO:
            return self._transcribe(content, type_, location)
        if type_.kind is MediaKind.IMAGE and images and type_.mime in SEEN:
            return Reading(kind=type_.kind, image=f"data:{type_.mime};base64,{b64encode(content).decode()}")
        return Reading(kind=type_.kind, why=f"{type_.mime} can't be read")

    def _transcribe(self, content: bytes, type_: FileType, location: Location) -> Reading:
        transcriber = transcription.of(location)
        if transcriber is None:
            return Reading(kind=type_.kind, why="no transcription service is set (transcription.base_url)")
        if not (self._allow_private or may_be_asked(transcriber.url)):
            return Reading(kind=type_.kind, why=f"transcription.base_url {PLAIN_HTTP}")
        file = Upload("file", f"voice.{type_.ending}", content, type_.mime)
        try:
            answer = self._wire.call(
                "POST",
                transcriber.url,
                headers=transcriber.headers,
                form=transcriber.form,
                upload=file,
                seconds=TRANSCRIPTION_SECONDS,
            )
        except BridgeError as error:
            return Reading(kind=type_.kind, why=f"transcription: {error}")
        text, why = transcription.transcript_of(answer.status, answer.body)
        return Reading(kind=type_.kind, transcript=text, why=why)
