"""A real speech recogniser as a transcription service, and a synthesiser: `pocketsphinx`, `ffmpeg` and `flite` of Debian."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.other_side import OtherSide, http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.other_side import Visit

PROGRAMS = ("ffmpeg", "flite", "pocketsphinx_continuous")
PATH = "/v1/audio/transcriptions"
# The synthesiser's voice that the recogniser understands best.
VOICE = "rms"
_BOUNDARY = re.compile(r"boundary=(\S+)")
_PART = re.compile(rb'name="file"; filename="[^"]+"\r\n(?:[^\r\n]+\r\n)*\r\n(.*)\r\n$', re.DOTALL)


def need_speech() -> None:
    """Skip if the programs are not installed; fail then with REQUIRE_SPEECH."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing and os.environ.get("REQUIRE_SPEECH"):
        pytest.fail(f"{', '.join(missing)}: not installed, and REQUIRE_SPEECH says that these tests must run")
    if missing:
        pytest.skip(f"{', '.join(missing)}: not installed; Debian has pocketsphinx, pocketsphinx-en-us, ffmpeg and flite")


def speak(text: str, ending: str) -> bytes:
    """A voice note of a text, in the container of this extension: `ogg` like WhatsApp, `mp4` like Instagram."""
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder, "spoken.wav")
        _run("flite", "-voice", VOICE, "-t", text, str(spoken))
        return _encode(folder, ending, "-i", str(spoken))


def noise(seconds: float, *, loud: float, colour: str = "pink") -> bytes:
    """A voice note without speech; `loud` is 0 to 1."""
    source = f"anoisesrc=r=16000:a={loud}:c={colour}:d={seconds}:seed=1"
    with tempfile.TemporaryDirectory() as folder:
        return _encode(folder, "ogg", "-f", "lavfi", "-i", source)


def heard(recording: bytes) -> str:
    """The recogniser's text of a recording in any container."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "given").write_bytes(recording)
        plain = Path(folder, "plain.wav")
        _run("ffmpeg", "-loglevel", "error", "-i", str(Path(folder, "given")), "-ar", "16000", "-ac", "1", str(plain))
        said = _run("pocketsphinx_continuous", "-infile", str(plain), "-logfn", os.devnull)
    return " ".join(said.split())


@contextmanager
def listening() -> Iterator[OtherSide]:
    """A server of `POST /v1/audio/transcriptions` in OpenAI's format, with the recogniser's text."""
    with OtherSide(_serve) as side:
        yield side


def _serve(visit: Visit) -> None:
    while request := visit.request():
        boundary = _BOUNDARY.search(request.headers.get("content-type", ""))
        parts = request.body.split(b"--" + boundary[1].encode()) if boundary else []
        files = [found[1] for part in parts if (found := _PART.search(part))]
        if request.target != PATH or len(files) != 1:
            visit.send(http(400, {"error": {"message": "one file is required", "type": "invalid_request_error"}}))
        else:
            visit.send(http(200, {"text": heard(files[0])}))


def _encode(folder: str, ending: str, *source: str) -> bytes:
    written = Path(folder, f"note.{ending}")
    codec = {"ogg": "libopus", "mp4": "aac"}[ending]
    _run("ffmpeg", "-loglevel", "error", *source, "-ac", "1", "-c:a", codec, "-b:a", "24k", str(written))
    return written.read_bytes()


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
