"""Files of messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MediaKind(StrEnum):
    """The kind of a file, from its address or its first bytes."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    CONTACT_CARD = "contact_card"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message: its temporary download address, and its kind."""

    url: str
    kind: MediaKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The result of reading a file: its kind from its bytes, and a transcript, a picture as a `data:` URL, or why neither."""

    kind: MediaKind
    transcript: str = ""
    image: str = ""
    why: str = ""
