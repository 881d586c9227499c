"""Files of a message: their kinds, whether they need an answer, and the line that mentions them to a provider. Pure.

GHL sends only addresses, so a kind is a guess from the file name. For a file that is read, its first bytes decide.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bridge.model import Attachment, Channel, MediaKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.model import InboundMessage

_ENDINGS = {
    MediaKind.IMAGE: "jpg jpeg jfif png gif webp heic heif bmp tif tiff avif",
    MediaKind.AUDIO: "ogg oga opus mp3 m4a aac amr wav weba caf flac mpga awb wma",
    MediaKind.VIDEO: "mp4 mov m4v 3gp 3gpp 3g2 webm avi mkv mpg mpeg",
    MediaKind.CONTACT_CARD: "vcf vcard",
}
_KINDS = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
# Meta's WhatsApp API accepts JPEG and PNG for pictures, and WebP only for stickers
# (https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types).
_WHATSAPP_STICKER = "webp"
# Seconds after a webhook with neither text nor file. WhatsApp's are like that, and GHL's record has the files seconds later
# (https://github.com/GoHighLevel/highlevel-api-docs/issues/299, 2026-06-03).
LOOKS = (3.0, 10.0, 30.0)
# The tolerance of a wait, because clocks differ.
_SLACK = 0.25
# These alone need no answer.
_WANTS_NO_ANSWER = frozenset({MediaKind.CONTACT_CARD, MediaKind.STICKER})

_NAMES = {
    MediaKind.IMAGE: ("picture", "pictures"),
    MediaKind.AUDIO: ("voice note", "voice notes"),
    MediaKind.VIDEO: ("video", "videos"),
    MediaKind.FILE: ("file", "files"),
    MediaKind.CONTACT_CARD: ("contact card", "contact cards"),
    MediaKind.STICKER: ("sticker", "stickers"),
}


def kind_of(url: str, channel: Channel) -> MediaKind:
    """The kind from a file's address; `file` if it has no known ending."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:  # not a valid address
        return MediaKind.FILE
    ending = path.rpartition("/")[2].rpartition(".")[2].lower()
    if ending == _WHATSAPP_STICKER and channel is Channel.WHATSAPP:
        return MediaKind.STICKER
    return _KINDS.get(ending, MediaKind.FILE)


def attachments_of(message: InboundMessage) -> tuple[Attachment, ...]:
    """The files of a message, in GHL's order."""
    return tuple(Attachment(url, kind_of(url, message.channel)) for url in message.attachments)


def wants_answer(message: InboundMessage) -> bool:
    """Whether the files of a message need an answer even without a text."""
    return any(each.kind not in _WANTS_NO_ANSWER for each in attachments_of(message))


def next_look(channel: Channel, came_ms: int, now_ms: int) -> float | None:
    """Seconds until a message's files are read from GHL again; None: never."""
    passed = (now_ms - came_ms) / 1000
    return next((moment - passed for moment in _looks(channel) if moment - passed > _SLACK), None)


def may_look(channel: Channel, came_ms: int, now_ms: int) -> bool:
    """Whether the first read from GHL is due."""
    return (now_ms - came_ms) / 1000 >= _looks(channel)[0] - _SLACK


def _looks(channel: Channel) -> tuple[float, ...]:
    return LOOKS if channel is Channel.WHATSAPP else LOOKS[:1]


def counted(kinds: Iterable[MediaKind]) -> str:
    """The numbers of files by kind: `2 pictures and 1 voice note`; empty without files."""
    many = Counter(kinds)
    parts = [f"{many[kind]} {_NAMES[kind][many[kind] != 1]}" for kind in MediaKind if many[kind]]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def unseen_line(files: Sequence[Attachment]) -> str:
    """The line for a provider about files that it can't see; empty without files."""
    it = "it" if len(files) == 1 else "them"
    return f"[The contact sent {counted(each.kind for each in files)}; you have not seen {it}.]" if files else ""


def unread_line(kinds: Sequence[MediaKind]) -> str:
    """The line for a provider about files that could not be read; empty without files."""
    one = len(kinds) == 1
    ask = f"{'it' if one else 'they'} could not be read; ask the contact to write instead"
    return f"[The contact sent {counted(kinds)}; {ask}.]" if kinds else ""


def earlier_line(kinds: Sequence[MediaKind]) -> str:
    """The line for a provider about earlier files of the conversation; empty without files."""
    they = "it is" if len(kinds) == 1 else "they are"
    return f"[The contact sent {counted(kinds)} here; {they} not shown to you.]" if kinds else ""


def linked_line(files: Sequence[Attachment]) -> str:
    """The line for a provider that gets the files' addresses with the question; empty without files."""
    return f"[The contact sent {counted(each.kind for each in files)}; see attachments.]" if files else ""
