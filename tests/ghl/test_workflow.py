"""Workflow webhooks: GHL's own format, a user's JSON, a form, with fields in any place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ghl.workflow import adopt, parse
from bridge.model import Channel, Ignored, InboundMessage, Listed, MessageId, Reason

SAMPLES = Path(__file__).parent.parent / "samples"
FREE = json.loads((SAMPLES / "derived" / "workflow_webhook_inbound_sms.json").read_bytes())
JSON, FORM = "application/json", "application/x-www-form-urlencoded; charset=utf-8"
IDS = {"location_id": "loc", "contact_id": "con"}


def read(document: Any, content_type: str = JSON) -> InboundMessage | Ignored:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return parse(body, content_type=content_type, fresh_id="workflow-fresh")


def message(document: Any, content_type: str = JSON) -> InboundMessage:
    found = read(document, content_type)
    assert isinstance(found, InboundMessage), found
    return found


def free(said: dict[str, Any] | None = None, custom: dict[str, Any] | None = None, **root: Any) -> dict[str, Any]:
    """The free action's format, with another text and other custom data."""
    return {**FREE, "message": {**FREE["message"], **(said or {})}, "customData": custom or {}, **root}


def test_ghls_own_form_is_read() -> None:
    """The free action has contact, location, text and channel; its message has no id yet, and no time."""
    found = message(FREE)
    assert found == InboundMessage(
        id=MessageId("workflow-fresh"),
        location_id=FREE["location"]["id"],
        contact_id=FREE["contact_id"],
        conversation_id=found.conversation_id,
        channel=Channel.SMS,
        message_type="SMS",
        message_type_string="TYPE_SMS",
        text="Hello, I am interested",
        date_added_ms=0,
        provisional=True,
    )
    assert found.conversation_id == ""


@pytest.mark.parametrize(
    "document",
    [
        {**IDS, "message_id": "m", "conversation_id": "c", "message": "hi"},
        {"locationId": "loc", "contactId": "con", "messageId": "m", "conversationId": "c", "message": "hi"},
        {"customData": {**IDS, "message_id": "m", "conversation_id": "c", "message": "hi"}},
        {"customData": {"message_id": "m", "conversation_id": "c"}, "message": {"body": "hi"}, "location": {"id": "loc"}, **IDS},
        {**IDS, "message": {"id": "m", "body": "hi", "conversation_id": "c"}},
        {"data": {"locationId": "loc", "contactId": "con", "messageId": "m", "conversationId": "c"}, "message": "hi"},
    ],
)
def test_a_users_json_may_tell_it_anywhere(document: dict[str, Any]) -> None:
    """The fields may be in `customData` or at the root, in snake or camel case."""
    found = message(document)
    assert (found.location_id, found.contact_id, found.id, found.conversation_id) == ("loc", "con", "m", "c")
    assert (found.text, found.channel, found.message_type, found.provisional) == ("hi", Channel.SMS, "SMS", False)


def test_a_form_is_read() -> None:
    """A form has the same meaning as JSON at its root, whatever its text contains."""
    said = "Größe & Preis?\n100% = ja"
    body = urlencode({**IDS, "message_id": "m", "message": said, "channel": "WhatsApp"}).encode()
    for content_type in (FORM, ""):
        found = message(body, content_type)
        assert (found.id, found.text, found.channel) == ("m", said, Channel.WHATSAPP)


def test_what_the_user_wrote_counts_first() -> None:
    """Non-empty fields of `customData` have priority over the rest of the body."""
    custom = {"location_id": "other", "contact_id": "", "message": "mine", "message_id": "{{message.id}}"}
    found = message(free({"body": "theirs", "id": "theirs"}, custom))
    assert (found.location_id, found.contact_id, found.text) == ("other", FREE["contact_id"], "mine")
    assert (found.id, found.provisional) == ("theirs", False)
    assert message(free({"body": "theirs"}, {"message": ""})).text == "theirs"


@pytest.mark.parametrize(
    ("type_", "channel", "told", "name"),
    [
        (2, Channel.SMS, "SMS", "TYPE_SMS"),
        ("2", Channel.SMS, "SMS", "TYPE_SMS"),
        ("TYPE_SMS", Channel.SMS, "SMS", "TYPE_SMS"),
        ("sms", Channel.SMS, "SMS", "TYPE_SMS"),
        (19, Channel.WHATSAPP, "WhatsApp", "TYPE_WHATSAPP"),
        ("Facebook", Channel.FB, "FB", "TYPE_FACEBOOK"),
        ("FB", Channel.FB, "FB", "TYPE_FACEBOOK"),
        ("instagram", Channel.IG, "IG", "TYPE_INSTAGRAM"),
        ("Live Chat", Channel.LIVE_CHAT, "Live_Chat", "TYPE_LIVE_CHAT"),
        (20, Channel.CUSTOM, "SMS", "TYPE_CUSTOM_SMS"),
        (22, Channel.CUSTOM, "Custom", "TYPE_CUSTOM_PROVIDER_SMS"),
        ("Custom", Channel.CUSTOM, "Custom", ""),
        (3, Channel.EMAIL, "Email", "TYPE_EMAIL"),
        (None, Channel.SMS, "SMS", ""),
        ("", Channel.SMS, "SMS", ""),
    ],
)
def test_the_channel_is_a_number_a_word_or_a_type(type_: object, channel: Channel, told: str, name: str) -> None:
    """`message.type` is read in each form; without it the message is an SMS unless GHL's record says otherwise."""
    found = message(free({"type": type_}))
    assert (found.channel, found.message_type, found.message_type_string) == (channel, told, name)


@pytest.mark.parametrize(
    ("root", "channel"),
    [
        ({"channel": "IG"}, Channel.IG),
        ({"messageType": "WhatsApp"}, Channel.WHATSAPP),
        ({"type": "WhatsApp"}, Channel.WHATSAPP),
        ({"type": "InboundMessage"}, Channel.SMS),
        ({"type": "InboundMessage", "message_type": "FB"}, Channel.FB),
        ({"customData": {"channel": "FB"}, "channel": "IG"}, Channel.FB),
    ],
)
def test_a_user_names_the_channel(root: dict[str, Any], channel: Channel) -> None:
    """`channel` or `message_type` names it; a `type` that is not a channel is ignored."""
    assert message({**IDS, "message": "hi", **root}).channel is channel


def test_an_email_is_what_its_sender_wrote() -> None:
    """HTML and quoted history are removed, as in marketplace events."""
    found = message(free({"type": 3, "body": "<p>Is <b>Friday</b> free?</p><blockquote>us</blockquote>", "subject": "Re:  x"}))
    assert (found.text, found.subject) == ("Is Friday free?", "Re: x")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (free({"direction": "outbound"}), Reason.NOT_INBOUND),
        (free({}, {"direction": "Outbound"}), Reason.NOT_INBOUND),
        (free({"direction": 2}), Reason.NOT_INBOUND),
        (free({"type": 1}), Reason.NOT_A_MESSAGE),
        (free({"type": "TYPE_CALL"}), Reason.NOT_A_MESSAGE),
        (free({"type": {}}), Reason.NOT_A_MESSAGE),
        (free({"body": ""}), Reason.BLANK),
        (free({"body": " \n"}), Reason.BLANK),
        (free({"type": "", "body": "", "direction": ""}), Reason.BLANK),
        (free({"type": "", "body": ""}, contact_id="", location={}), Reason.BLANK),
        (free({"body": 5}), Reason.BLANK),
        (free(contact_id=""), Reason.UNPARSEABLE),
        (free(contact_id="a b"), Reason.UNPARSEABLE),
        (free(location={"name": "x"}), Reason.UNPARSEABLE),
        (free(location="x"), Reason.UNPARSEABLE),
        ({**IDS, "message": None}, Reason.BLANK),
        ({**IDS}, Reason.NOT_A_MESSAGE),
        ({}, Reason.NOT_A_MESSAGE),
        (json.loads((SAMPLES / "captured" / "workflow_webhook_tag_trigger.json").read_bytes()), Reason.NOT_A_MESSAGE),
        ([FREE], Reason.UNPARSEABLE),
        (b"", Reason.UNPARSEABLE),
        (b"{", Reason.UNPARSEABLE),
        (b"a=1&b=2", Reason.UNPARSEABLE),
    ],
)
def test_what_is_no_message_to_answer_says_why(document: Any, reason: Reason) -> None:
    """The bridge's own sends, calls, other triggers, test runs with empty values and unreadable bodies have their reasons."""
    found = read(document)
    assert isinstance(found, Ignored)
    assert found.reason is reason


def test_a_blank_message_with_its_id_is_kept() -> None:
    """A message with an id in GHL can be explained even if there is nothing to answer."""
    assert message(free({"body": ""}, {"message_id": "m"})).text == ""


def test_what_is_ignored_names_its_ids() -> None:
    """The location whose secret counts and the contact are read anyway."""
    found = read(free({"direction": "outbound"}, {"message_id": "m", "conversation_id": "c"}))
    assert isinstance(found, Ignored)
    ids = (found.location_id, found.contact_id, found.message_id, found.conversation_id)
    assert ids == (FREE["location"]["id"], FREE["contact_id"], "m", "c")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FREE, "id", "body", "type"]), inner, max_size=5)
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from([*FREE, *IDS, "message_id", "channel"]), JUNK) | JUNK, st.sampled_from([JSON, FORM, ""]))
def test_no_document_breaks_it(document: Any, content_type: str) -> None:
    """Any JSON gives a message or a reason."""
    assert isinstance(read(document, content_type), InboundMessage | Ignored)


@given(st.binary(max_size=200), st.sampled_from([JSON, FORM, ""]))
def test_no_bytes_break_it(body: bytes, content_type: str) -> None:
    """Any bytes give a message or a reason."""
    assert isinstance(read(body, content_type), InboundMessage | Ignored)


def listed(**fields: Any) -> Listed:
    """A row of GHL's list."""
    given = {"id": "m", "direction": "inbound", "text": "hi", "date_added_ms": 7, "user_id": "", "source": "", "type": "TYPE_SMS"}
    return Listed(**{**given, **fields})


def test_ghls_record_knows_better() -> None:
    """Id, time, channel and conversation provider are those of the record; missing ones stay."""
    own = message({**IDS, "message": "hi", "date_added": "2026-11-22T00:00:00Z"})
    known = adopt(own, listed(type="TYPE_CUSTOM_PROVIDER_SMS", conversation_provider_id="p"))
    assert (known.id, known.provisional, known.date_added_ms, known.conversation_provider_id) == ("m", False, 7, "p")
    assert (known.channel, known.message_type, known.message_type_string) == (
        Channel.CUSTOM,
        "Custom",
        "TYPE_CUSTOM_PROVIDER_SMS",
    )
    assert known.line == "TYPE_CUSTOM_PROVIDER_SMS|p"
    unknown = adopt(own, listed(type="TYPE_NEWER_THAN_THIS", date_added_ms=0))
    assert (unknown.channel, unknown.date_added_ms) == (own.channel, own.date_added_ms)
    mail = adopt(own, listed(type="TYPE_EMAIL", email_message_ids=(MessageId("e1"), MessageId("e2"))))
    assert (mail.id, mail.email_message_id, mail.channel) == ("e1", "e1", Channel.EMAIL)
