"""Raw bodies of workflow webhooks: a contact's text is read as written, and never as fields."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ghl.workflow import parse
from bridge.model import Ignored, InboundMessage, Reason

IDS = '"contact_id":"ContactA","location_id":"LocationA"'
TEMPLATES = {
    "the text in the middle": f'{{{{{IDS},"message":"%s","channel":"SMS"}}}}',
    "the text last": f'{{{{{IDS},"channel":"SMS","message":"%s"}}}}',
    "the text first": f'{{{{"message":"%s",{IDS},"channel":"SMS"}}}}',
    "on lines of its own": f'{{{{\n  {IDS},\n  "message": "%s",\n  "channel": "SMS"\n}}}}\n',
    "in customData": f'{{{{{IDS},"customData":{{{{"message":"%s","channel":"SMS"}}}},"tags":[1,null]}}}}',
    "as GHL's own object": f'{{{{{IDS},"channel":"SMS","message":{{{{"body":"%s","direction":"inbound"}}}}}}}}',
}
TEXTS = [
    "Hello,\nwhen do you open?",
    "Hello,\r\nwhen do you open?",
    "one\n\ntwo\n\nthree",
    "a\ttab",
    'He said "come in", when?',
    '"quoted"',
    'ends with a "quote"',
    '"begins" so',
    'two "quotes", and "more", "and more"',
    'a single " only',
    'inches: 5" x 7", please',
    '{"a": "b"}',
    'a "}',
    'line one "q"\nline two, "r"',
    "back\\slash at C:\\Users",
    'C:\\ and "quotes"',
    '"',
    'hi","contact_id":"Victim',
    "Grüße 😀 «да»",
]


def read(body: str | bytes, content_type: str = "application/json") -> InboundMessage | Ignored:
    return parse(body if isinstance(body, bytes) else body.encode(), content_type=content_type, fresh_id="fresh")


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
@pytest.mark.parametrize("text", TEXTS)
def test_the_text_is_read_as_written(template: str, text: str) -> None:
    """Line breaks, tabs, quotes and braces in a contact's text stay, wherever the template has it, and affect no other field."""
    found = read(template.replace("{{", "{").replace("}}", "}").replace("%s", text))
    assert isinstance(found, InboundMessage), found
    assert (found.contact_id, found.location_id, found.channel) == ("ContactA", "LocationA", "SMS")
    assert found.text == text.replace("\r\n", "\n")


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
@pytest.mark.parametrize(
    "text",
    [
        'hi","location_id":"Elsewhere","x":"',
        'hi","contactId":"Victim","x":"',
        'hi","customData":{"contact_id":"Victim"},"x":"',
        'hi","location_id":"Elsewhere","customData":{"contact_id":"Victim","message":"you"},"x":"',
    ],
)
def test_a_text_that_looks_like_json_changes_nothing_else(template: str, text: str) -> None:
    """A text with fields can't change another field; a part of such a text may be lost."""
    found = read(template.replace("{{", "{").replace("}}", "}").replace("%s", text))
    assert (found.contact_id, found.location_id) == ("ContactA", "LocationA")
    assert isinstance(found, Ignored) or found.text.startswith("hi")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n "])
def test_how_the_body_is_sent_does_not_matter(content_type: str, before: bytes) -> None:
    """A byte order mark, leading white space and another content type are accepted."""
    for text in ("Hello", "Hello,\nyou", 'Hello, "you", there'):
        found = read(before + f'{{{IDS},"message":"{text}"}}'.encode(), content_type)
        assert isinstance(found, InboundMessage), found
        assert found.text == text


def test_json_that_is_well_formed_stays_as_it_is() -> None:
    """Escapes in a valid JSON body are read as JSON, and bytes that are not UTF-8 lose no message."""
    whole = read(json.dumps({"contact_id": "c", "location_id": "l", "message": 'a\n"b" \\ ü \ud83d'}))
    assert isinstance(whole, InboundMessage)
    assert whole.text == 'a\n"b" \\ ü '
    broken = read(b'{"contact_id":"c","location_id":"l","message":"caf\xe9"}')
    assert isinstance(broken, InboundMessage)
    assert broken.text == "caf\ufffd"


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (f'{{{IDS},"name":"Bob "Bobby" Lee","message":"hi"}}', ("ContactA", "LocationA")),
        (f'{{{IDS},"message":"cut off', ("ContactA", "LocationA")),
        (f'{{"name":"a "b" c","message":"hi","message_id":"m",{IDS}}}', ("ContactA", "LocationA")),
        ('{"name":"a "b" c","location":{"id":"L"},"contactId":"C","message":"hi"}', ("C", "L")),
        (f'{{{IDS},"name":"a "b" c","message":"x","contact_id":"Victim"}}', ("ContactA", "LocationA")),
        ('{"name":"a "b" c","message":"hi"}', ("", "")),
        ("{", ("", "")),
        ("", ("", "")),
    ],
)
def test_where_the_text_cannot_be_cut_out_the_ids_are(body: str, ids: tuple[str, str]) -> None:
    """An unreadable body names contact and location if it can, so that GHL can be asked for the message."""
    found = read(body)
    assert isinstance(found, Ignored)
    assert (found.reason, found.contact_id, found.location_id) == (Reason.UNPARSEABLE, *ids)


@given(st.text(st.characters(exclude_characters="\\", exclude_categories=["C"])), st.sampled_from(sorted(TEMPLATES)))
def test_no_text_speaks_for_another_contact(text: str, name: str) -> None:
    """Whatever a contact writes, the message is that contact's, or is not read."""
    found = read(TEMPLATES[name].replace("{{", "{").replace("}}", "}").replace("%s", text))
    assert found.contact_id in {"ContactA", ""}
    assert found.location_id in {"LocationA", ""}


@pytest.mark.parametrize(
    "body",
    [
        f'{{{IDS},"message":"' + '",' * 300_000,
        f'{{{IDS},"message":"' + '"}}' * 200_000 + '"}}',
        '{"contact_id":"' * 60_000,
        '"message":"' * 90_000,
        "{" * 1_000_000,
        "[" * 1_000_000,
        f'{{{IDS},"message":"' + "a\n" * 500_000 + '"}',
        f'{{{IDS},"message":"' + 'q",' * 60_000 + '"}',
    ],
)
def test_large_bodies_are_read_quickly(body: str) -> None:
    """A megabyte of any text takes only a moment."""
    began = time.process_time()
    read(body)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("body", ["[1]", "5", "null", '"message":"', '{"a":1}}'])
def test_what_is_no_object_is_no_raw_body(body: str) -> None:
    """Lists, numbers, words and text after an object's end stay unparseable."""
    found = read(body)
    assert isinstance(found, Ignored)
    assert found.reason is Reason.UNPARSEABLE
