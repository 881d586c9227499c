"""What a message holds beside its text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MediaKind(StrEnum):
    """What a file is, as far as its address or its first bytes tell."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    CONTACT_CARD = "contact_card"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message: where it can be downloaded, for some time, and its kind."""

    url: str
    kind: MediaKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was made of a file: its kind by its bytes, and what was said in it, a picture as a `data:` URL, or why neither."""

    kind: MediaKind
    transcript: str = ""
    image: str = ""
    why: str = ""
