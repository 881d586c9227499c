"""Files of a message: kinds by name, and the line that mentions them to a provider."""

from __future__ import annotations

import pytest

from bridge.model import Attachment, Channel, MediaKind
from bridge.policy.media import (
    attachments_of,
    counted,
    kind_of,
    linked_line,
    may_look,
    next_look,
    unseen_line,
    wants_answer,
)
from tests.stored import message

IMAGE, AUDIO, VIDEO, FILE = MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO, MediaKind.FILE
CARD, STICKER = MediaKind.CONTACT_CARD, MediaKind.STICKER


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://storage.googleapis.com/msgsndr/abc/media/1.jpeg", IMAGE),
        ("https://x/IMG_0001.HEIC?sig=a.mp3", IMAGE),
        ("https://x/photo%2Ejpg", IMAGE),
        ("https://x/voice.ogg", AUDIO),
        ("https://x/a/ptt.opus#t=1", AUDIO),
        ("https://x/memo.amr", AUDIO),
        ("https://x/clip.mp4", VIDEO),
        ("https://x/clip.3gp", VIDEO),
        ("https://x/invoice.pdf", FILE),
        ("https://scontent.cdninstagram.com/v/t1?bytestart=0", FILE),
        ("https://x/anna.vcf", CARD),
        ("https://x.jpg/", FILE),
        ("https://x/a.jpg/download", FILE),
        ("https://[/a.jpg", FILE),
        ("", FILE),
        ("no address", FILE),
    ],
)
def test_a_file_is_what_its_name_says(url: str, kind: MediaKind) -> None:
    """The extension of the path decides, in any case; without one it is a file."""
    assert kind_of(url, Channel.SMS) is kind


@pytest.mark.parametrize(("channel", "kind"), [(Channel.WHATSAPP, STICKER), (Channel.IG, IMAGE), (Channel.SMS, IMAGE)])
def test_webp_is_a_sticker_on_whatsapp_alone(channel: Channel, kind: MediaKind) -> None:
    """WhatsApp uses WebP only for stickers; elsewhere it is a picture."""
    assert kind_of("https://x/1.webp", channel) is kind


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ([], ""),
        ([IMAGE], "1 picture"),
        ([IMAGE, IMAGE], "2 pictures"),
        ([AUDIO, IMAGE], "1 picture and 1 voice note"),
        ([FILE, CARD, STICKER, VIDEO], "1 video, 1 file, 1 contact card and 1 sticker"),
    ],
)
def test_files_are_counted_by_kind(kinds: list[MediaKind], words: str) -> None:
    """It is plain words, always in the same order."""
    assert counted(kinds) == words


def test_the_line_says_what_came_and_that_it_was_not_seen() -> None:
    """It is one line in plain words, singular or plural; without files there is none."""
    picture, note = Attachment("https://x/1.jpg", IMAGE), Attachment("https://x/1.ogg", AUDIO)
    assert unseen_line([picture]) == "[The contact sent 1 picture; you have not seen it.]"
    assert unseen_line([note, picture]) == "[The contact sent 1 picture and 1 voice note; you have not seen them.]"
    assert linked_line([picture]) == "[The contact sent 1 picture; see attachments.]"
    assert unseen_line([]) == linked_line([]) == ""


@pytest.mark.parametrize(
    ("names", "wanted"),
    [([], False), (["a.vcf"], False), (["a.vcf", "b.vcf"], False), (["a.vcf", "b.jpg"], True), (["a"], True), (["a.ogg"], True)],
)
def test_a_contact_card_alone_wants_no_answer(names: list[str], wanted: bool) -> None:
    """Any other file is answered, known or not."""
    one = message(attachments=tuple(f"https://x/{name}" for name in names))
    assert wants_answer(one) is wanted
    assert [each.url for each in attachments_of(one)] == list(one.attachments)


@pytest.mark.parametrize(
    ("channel", "passed", "due", "again"),
    [
        (Channel.WHATSAPP, 0, False, 3),
        (Channel.WHATSAPP, 2.9, True, 7.1),
        (Channel.WHATSAPP, 5, True, 5),
        (Channel.WHATSAPP, 10, True, 20),
        (Channel.WHATSAPP, 30, True, None),
        (Channel.WHATSAPP, 3600, True, None),
        (Channel.SMS, 0, False, 3),
        (Channel.SMS, 3, True, None),
    ],
)
def test_looks_are_due_by_the_time_since_the_webhook(channel: Channel, passed: float, due: bool, again: float | None) -> None:
    """A late turn looks at once; further looks are scheduled from the webhook."""
    now = 1_000_000 + round(passed * 1000)
    assert may_look(channel, 1_000_000, now) is due
    assert next_look(channel, 1_000_000, now) == (None if again is None else pytest.approx(again))
