"""Any service that speaks OpenAI's `POST /audio/transcriptions` (https://platform.openai.com/docs/api-reference/audio). Pure.

It takes 25 MiB as multipart/form-data and no address; `json` is the one form of an answer that all compatible servers know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.completion.logins import bearer, token_if_any
from bridge.wire.answers import as_text, json_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.locations import Location

PATH = "/audio/transcriptions"
MOST_CHARACTERS = 20_000
# What an engine writes of sounds that are no words: [BLANK_AUDIO], (silence), *music*, <|nospeech|>, ♪
# (https://github.com/sk3llo/whisper_ggml/issues/29).
_SOUNDS = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|\*[^*]*\*|<\|[^|]*\|>")


@dataclass(frozen=True, slots=True)
class Transcriber:
    """A model behind a base URL. `token` may be empty for local servers."""

    base_url: str
    model: str
    token: str

    @property
    def url(self) -> str:
        """The base with its path, once."""
        return self.base_url.rstrip("/").removesuffix(PATH) + PATH

    @property
    def headers(self) -> Mapping[str, str]:
        """The login, if there is one."""
        return bearer(self.token)

    @property
    def form(self) -> Mapping[str, str]:
        """What goes along with the file."""
        return {"model": self.model, "response_format": "json"}


def transcript_of(status: int, body: bytes) -> tuple[str, str]:
    """What was said, or in words why it can't be known. For silence engines answer 200 with nothing, or name the noise."""
    if not 200 <= status < 300:  # noqa: PLR2004 - the protocol's own numbers
        return "", f"the transcription service answered HTTP {status}"
    text = as_text((json_object(body) or {}).get("text")).strip()[:MOST_CHARACTERS]
    spoken = any(character.isalnum() for character in _SOUNDS.sub(" ", text))
    return (text, "") if spoken else ("", "nothing was understood in it")


def of(location: Location) -> Transcriber | None:
    """The transcriber that this location wants; None if it wants none."""
    table = location.transcription
    return Transcriber(table.base_url, table.model, token_if_any(table.token)) if table.base_url else None
