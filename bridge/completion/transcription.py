"""Any service that speaks OpenAI's `POST /audio/transcriptions` (https://platform.openai.com/docs/api-reference/audio). Pure.

It accepts 25 MiB as multipart/form-data, and no address; `json` is the only response format that all compatible servers support.
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
# An engine's text for sounds that are not words: [BLANK_AUDIO], (silence), *music*, <|nospeech|>, ♪
# (https://github.com/sk3llo/whisper_ggml/issues/29).
_SOUNDS = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|\*[^*]*\*|<\|[^|]*\|>")


@dataclass(frozen=True, slots=True)
class Transcriber:
    """A model at a base URL. `token` may be empty for local servers."""

    base_url: str
    model: str
    token: str

    @property
    def url(self) -> str:
        """The base URL with the path."""
        return self.base_url.rstrip("/").removesuffix(PATH) + PATH

    @property
    def headers(self) -> Mapping[str, str]:
        """The login, if there is one."""
        return bearer(self.token)

    @property
    def form(self) -> Mapping[str, str]:
        """The form fields besides the file."""
        return {"model": self.model, "response_format": "json"}


def transcript_of(status: int, body: bytes) -> tuple[str, str]:
    """The transcript, or the reason why there is none. For silence engines answer 200 with an empty text or a noise."""
    if not 200 <= status < 300:  # noqa: PLR2004 - the protocol's own numbers
        return "", f"the transcription service answered HTTP {status}"
    text = as_text((json_object(body) or {}).get("text")).strip()[:MOST_CHARACTERS]
    spoken = any(character.isalnum() for character in _SOUNDS.sub(" ", text))
    return (text, "") if spoken else ("", "no speech was recognised in it")


def of(location: Location) -> Transcriber | None:
    """The transcriber with this location's settings; None if it has none."""
    table = location.transcription
    return Transcriber(table.base_url, table.model, token_if_any(table.token)) if table.base_url else None
