from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ghl.events import MAX_ATTACHMENTS, MAX_TEXT, parse
from bridge.model import (
    AppChange,
    Channel,
    ContactId,
    ContactUpdate,
    ConversationId,
    Ignored,
    InboundMessage,
    LocationId,
    MessageId,
    OutboundMessage,
    Reason,
)

SAMPLES = Path(__file__).parents[1] / "samples"

APP = "665c6bb13d4e5364bdec0e2f"
SMS_ID = "t22c6DQcTDf3MjRhwf77"
AT = 1619004705750  # 2021-04-21T11:31:45.750Z
UNNAMED = "sha256-" + sha256((SAMPLES / "inbound_sms.json").read_bytes()).hexdigest()

MESSAGES = {
    "inbound_sms.json": (UNNAMED, Channel.SMS, "SMS", "TYPE_SMS"),
    "inbound_email.json": ("sddfDSF3G56GHG", Channel.EMAIL, "Email", "TYPE_EMAIL"),
    "derived/inbound_custom_provider_sms.json": (SMS_ID, Channel.CUSTOM, "SMS", "TYPE_CUSTOM_SMS"),
    "derived/inbound_fb.json": (SMS_ID, Channel.FB, "FB", "TYPE_FACEBOOK"),
    "derived/inbound_gmb.json": (SMS_ID, Channel.GMB, "GMB", "TYPE_GMB"),
    "derived/inbound_ig.json": (SMS_ID, Channel.IG, "IG", "TYPE_INSTAGRAM"),
    "derived/inbound_live_chat.json": (SMS_ID, Channel.LIVE_CHAT, "Live_Chat", "TYPE_LIVE_CHAT"),
    "derived/inbound_sms_full_envelope.json": (SMS_ID, Channel.SMS, "SMS", "TYPE_SMS"),
    "derived/inbound_whatsapp.json": (SMS_ID, Channel.WHATSAPP, "WhatsApp", "TYPE_WHATSAPP"),
}

APP_CHANGES = {
    "app_install_agency.json": (True, "", "otg8dTQqGLh3Q6iQI55w", 0),
    "app_install_location.json": (True, "HjiMUOsCCHCjtxzEf8PR", "GNb7aIv4rQFVb9iwNl5K", 1750834626225),
    "app_install_location_whitelabel_docsrepo.json": (True, "otg8dTQqGLh3Q6iQI55w", "otg8dTQqGLh3Q6iQI55w", 0),
    "app_uninstall_agency.json": (False, "", "otg8dTQqGLh3Q6iQI55w", 0),
    "app_uninstall_location.json": (False, "otg8dTQqGLh3Q6iQI55w", "", 0),
}

IGNORED = {
    "captured/outbound_sms_failed_partial.json": Reason.NOT_INBOUND,
    "captured/workflow_webhook_tag_trigger.json": Reason.NOT_A_MESSAGE,
    "captured/workflow_webhook_tag_trigger_headers.json": Reason.NOT_A_MESSAGE,
    "contact_create.json": Reason.NOT_A_MESSAGE,
    "contact_dnd_update.json": Reason.NOT_A_MESSAGE,
    "contact_tag_update.json": Reason.NOT_A_MESSAGE,
    "conversation_unread_update.json": Reason.NOT_A_MESSAGE,
    "derived/workflow_webhook_inbound_sms.json": Reason.NOT_A_MESSAGE,
    "envelope_opportunity_create_from_logs_dashboard.json": Reason.NOT_A_MESSAGE,
    "errors/400_contact_not_found.json": Reason.NOT_A_MESSAGE,
    "errors/400_dnd_email.json": Reason.NOT_A_MESSAGE,
    "errors/400_dnd_sms.json": Reason.NOT_A_MESSAGE,
    "errors/400_invalid_email.json": Reason.NOT_A_MESSAGE,
    "errors/400_unsubscribed.json": Reason.NOT_A_MESSAGE,
    "errors/401_invalid_token.json": Reason.NOT_A_MESSAGE,
    "errors/401_no_version_header.json": Reason.NOT_A_MESSAGE,
    "errors/401_scope.json": Reason.NOT_A_MESSAGE,
    "errors/403_location.json": Reason.NOT_A_MESSAGE,
    "errors/422_no_content_email.json": Reason.NOT_A_MESSAGE,
    "errors/500_internal.json": Reason.NOT_A_MESSAGE,
    "inbound_call.json": Reason.NOT_A_MESSAGE,
    "inbound_voicemail.json": Reason.NOT_A_MESSAGE,
    "lc_email_stats.json": Reason.NOT_A_MESSAGE,
    "outbound_call.json": Reason.NOT_INBOUND,
    "outbound_email.json": Reason.NOT_INBOUND,
    "outbound_internal_comment.json": Reason.NOT_INBOUND,
    "outbound_sms.json": Reason.NOT_INBOUND,
    "outbound_voicemail.json": Reason.NOT_INBOUND,
    "provider_outbound_email.json": Reason.NOT_A_MESSAGE,
    "provider_outbound_sms.json": Reason.NOT_A_MESSAGE,
}


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def changed(*absent: str, **fields: Any) -> bytes:
    event = json.loads(sample("derived/inbound_sms_full_envelope.json")) | fields
    return json.dumps({key: value for key, value in event.items() if key not in absent}).encode()


def message(*absent: str, **fields: Any) -> InboundMessage:
    parsed = parse(changed(*absent, **fields))
    assert isinstance(parsed, InboundMessage)
    return parsed


def ignored(*absent: str, **fields: Any) -> Ignored:
    parsed = parse(changed(*absent, **fields))
    assert isinstance(parsed, Ignored)
    return parsed


def test_every_sample_is_expected_here() -> None:
    """A sample that is added needs its result in this file."""
    on_disk = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*.json")} - {"INDEX.json"}
    assert on_disk == MESSAGES.keys() | APP_CHANGES.keys() | IGNORED.keys()


@pytest.mark.parametrize("name", MESSAGES)
def test_inbound_samples_are_messages(name: str) -> None:
    """Each inbound sample is a message of its channel, with the channel's name for the provider."""
    parsed = parse(sample(name))
    assert isinstance(parsed, InboundMessage)
    assert (parsed.id, parsed.channel, parsed.message_type, parsed.message_type_string) == MESSAGES[name]
    assert parsed.text in {"This is a test message", "Testing Email Notification"}


@pytest.mark.parametrize("name", APP_CHANGES)
def test_installs_and_their_ends_are_read(name: str) -> None:
    """The result says whether the app was installed or uninstalled, where, and when by the event's own time."""
    installed, location_id, company_id, at_ms = APP_CHANGES[name]
    assert parse(sample(name)) == AppChange(
        installed=installed, location_id=LocationId(location_id), company_id=company_id, at_ms=at_ms
    )


@pytest.mark.parametrize("kind", ["INSTALL", "UNINSTALL"])
def test_an_install_of_nowhere_is_ignored(kind: str) -> None:
    """An event without a usable location or agency is ignored; another app's is other_app."""
    body = json.dumps({"type": kind, "appId": APP, "locationId": "a:b", "companyId": 7}).encode()
    parsed = parse(body)
    assert isinstance(parsed, Ignored)
    assert parsed.reason is Reason.NOT_A_MESSAGE
    other = parse(sample("app_install_location.json"), app_id="another")
    assert isinstance(other, Ignored)
    assert other.reason is Reason.OTHER_APP


@pytest.mark.parametrize("name", IGNORED)
def test_other_samples_want_no_answer(name: str) -> None:
    """Each other sample is ignored for its reason, or reports an outbound message or a contact."""
    parsed = parse(sample(name))
    match parsed:
        case Ignored(reason=reason):
            assert reason == IGNORED[name]
        case OutboundMessage():
            assert IGNORED[name] == Reason.NOT_INBOUND
        case _:
            assert isinstance(parsed, ContactUpdate)
            assert IGNORED[name] == Reason.NOT_A_MESSAGE


def test_a_full_sms_is_read_whole() -> None:
    """Every field of a delivered SMS is read."""
    assert parse(sample("derived/inbound_sms_full_envelope.json")) == InboundMessage(
        id=MessageId(SMS_ID),
        location_id=LocationId("l1C08ntBrFjLS0elLIYU"),
        contact_id=ContactId("cI08i1Bls3iTB9bKgFJh"),
        conversation_id=ConversationId("fcanlLgpbQgQhderivVs"),
        channel=Channel.SMS,
        message_type="SMS",
        message_type_string="TYPE_SMS",
        text="This is a test message",
        date_added_ms=AT,
        conversation_provider_id="cI08i1Bls3iTB9bKgF01",
        webhook_id="1a533f85-1f1e-4886-891e-ee0cf4666e90",
        app_id=APP,
    )


def test_an_email_brings_what_its_reply_needs() -> None:
    """An e-mail's text is plain, and subject, thread and e-mail id are read."""
    assert parse(sample("inbound_email.json")) == InboundMessage(
        id=MessageId("sddfDSF3G56GHG"),
        location_id=LocationId("kF4NJ5gzRyQF2gKFD34G"),
        contact_id=ContactId("3bN9f8LYJFG8F232XMUbfq"),
        conversation_id=ConversationId("yCdNo6pwyTLYKgg6V2gj"),
        channel=Channel.EMAIL,
        message_type="Email",
        message_type_string="TYPE_EMAIL",
        text="Testing Email Notification",
        date_added_ms=1705064344045,
        conversation_provider_id="cI08i1Bls3iTB9bKgF01",
        subject="Order Confirmed",
        thread_id="sddfDSF3G56GHG",
        email_message_id="sddfDSF3G56GHG",
        sender="sample@email.service",
    )


@pytest.mark.parametrize(
    ("from_", "sender"),
    [
        ("Ann <Ann.Lee@Example.com>", "ann.lee@example.com"),
        ("ann@example.com", "ann@example.com"),
        ('"Lee, Ann (home)" <ann@example.com>', "ann@example.com"),
        ("Mail Delivery System <MAILER-DAEMON>", "mailer-daemon"),
        ("", ""),
        ({}, ""),
        (None, ""),
        ("a" * 10_000 + "@example.com", "a" * 500),
    ],
)
def test_an_emails_sender_is_its_address(from_: object, sender: str) -> None:
    """Of an e-mail's `from` only a valid address is kept, in lower case. It doesn't appear in a log."""
    parsed = parse(json.dumps({**json.loads(sample("inbound_email.json")), "from": from_}).encode())
    assert isinstance(parsed, InboundMessage)
    assert parsed.sender == sender
    assert "example.com" not in repr(parsed)


def test_only_an_email_has_a_sender() -> None:
    """The phone number that sent a text is not kept."""
    assert message(**{"from": "+15551234567"}).sender == ""


def test_an_outbound_message_tells_who_wrote_it_and_what() -> None:
    """All data for a takeover is read: ids, user, source, type, text and the message's own time."""
    assert parse(sample("captured/outbound_sms_failed_partial.json")) == OutboundMessage(
        id=MessageId("cXcYRmGhooTfw05RZhiK"),
        location_id=LocationId("ezgb5h8dePEYGiwg0WSu"),
        contact_id=ContactId("M96zrsDWGhHNvlX7XagM"),
        conversation_id=ConversationId("h0VYhyhDhebobpHpjP9w"),
        type="TYPE_SMS",
        text="Hi there",
        date_added_ms=1772120414307,
        user_id="hN1nLpe3EmzSU5ybqosH",
        source="app",
        status="failed",
        channel=Channel.SMS,
    )


def test_a_contact_event_tells_tags_and_do_not_disturb() -> None:
    """Only a DND event lists blocked channels; the event's time is its timestamp, never the contact's dateAdded."""
    dnd, tags = parse(sample("contact_dnd_update.json")), parse(sample("contact_tag_update.json"))
    assert isinstance(dnd, ContactUpdate)
    assert isinstance(tags, ContactUpdate)
    assert (dnd.dnd, dnd.blocked_channels, dnd.at_ms) == (True, ("Email", "GMB", "FB", "WhatsApp"), 0)
    assert (tags.tags, tags.blocked_channels) == (("id magna sed Lorem", "Duis dolor commodo aliqua"), None)


@pytest.mark.parametrize("absent", ["locationId", "contactId"])
def test_an_outbound_message_of_nobody_is_ignored(absent: str) -> None:
    """Without location or contact it says nothing."""
    assert ignored(absent, type="OutboundMessage").reason == Reason.NOT_INBOUND


def test_what_is_ignored_keeps_its_ids() -> None:
    """The readable ids of an ignored event are kept."""
    parsed = ignored(messageTypeString="TYPE_CALL", messageType="CALL")
    assert (parsed.reason, parsed.message_id, parsed.contact_id) == (Reason.NOT_A_MESSAGE, SMS_ID, "cI08i1Bls3iTB9bKgFJh")


def test_plain_id_is_the_contacts_or_the_conversations() -> None:
    """A contact event's `id` is its contact, a conversation event's its conversation, any other's neither."""
    contact, conversation, opportunity = (
        parse(sample(name))
        for name in (
            "contact_tag_update.json",
            "conversation_unread_update.json",
            "envelope_opportunity_create_from_logs_dashboard.json",
        )
    )
    assert isinstance(contact, ContactUpdate)
    assert contact.contact_id == "nmFmQEsNgz6AVpgLVUJ0"
    assert isinstance(conversation, Ignored)
    assert (conversation.contact_id, conversation.conversation_id) == ("zsYhPBOUsEHtrK508Wm9", "MzKIpg0rEIH2ZUGKf6BS")
    assert isinstance(opportunity, Ignored)
    assert (opportunity.contact_id, opportunity.conversation_id) == ("VQxH1EeoFPg9uhhnCeJx", "")


@pytest.mark.parametrize(
    ("absent", "fields", "expected"),
    [
        ((), {}, SMS_ID),
        (("messageId",), {"emailMessageId": "mail-1"}, "mail-1"),
        (("messageId",), {}, "1a533f85-1f1e-4886-891e-ee0cf4666e90"),
        ((), {"messageId": None, "emailMessageId": ""}, "1a533f85-1f1e-4886-891e-ee0cf4666e90"),
        ((), {"messageId": "a:b", "emailMessageId": "<CAF+x=1@mail.gmail.com>"}, "<CAF+x=1@mail.gmail.com>"),
        ((), {"messageId": "has space", "emailMessageId": "tab\t"}, "1a533f85-1f1e-4886-891e-ee0cf4666e90"),
        ((), {"messageId": "x" * 200}, "x" * 200),
        ((), {"messageId": "x" * 201, "webhookId": "w"}, "w"),
        ((), {"messageId": 17, "webhookId": "w"}, "w"),
        ((), {"messageId": "..", "webhookId": "w"}, "w"),
        ((), {"messageId": "ünïcode", "webhookId": "w"}, "w"),
        ((), {"messageId": "line\n", "webhookId": "w"}, "w"),
    ],
)
def test_the_first_usable_id_names_the_message(absent: tuple[str, ...], fields: dict[str, Any], expected: str) -> None:
    """`messageId` names the message, else `emailMessageId`, else `webhookId`; an unusable one counts as absent."""
    assert message(*absent, **fields).id == expected


def test_a_message_without_any_id_is_named_by_its_bytes() -> None:
    """Where GHL gives no id, the same bytes are the same message, and other bytes another."""
    first, again, other = (message("messageId", "webhookId", body=body).id for body in ("yes", "yes", "no"))
    assert first == again != other


@pytest.mark.parametrize(
    ("name", "word", "number", "channel", "told"),
    [
        ("TYPE_SMS", "SMS", 2, Channel.SMS, "SMS"),
        (None, "SMS", None, Channel.SMS, "SMS"),
        (None, "TYPE_SMS", None, Channel.SMS, "SMS"),
        (None, None, 2, Channel.SMS, "SMS"),
        (None, None, "2", Channel.SMS, "SMS"),
        (None, "sms", 3, Channel.SMS, "SMS"),
        ("type_whatsapp", None, None, Channel.WHATSAPP, "WhatsApp"),
        ("", "whatsapp", None, Channel.WHATSAPP, "WhatsApp"),
        (None, "Live Chat", None, Channel.LIVE_CHAT, "Live_Chat"),
        ("TYPE_LIVE_CHAT", "TYPE_LIVE_CHAT", 29, Channel.LIVE_CHAT, "Live_Chat"),
        ("TYPE_FACEBOOK", "TYPE_FACEBOOK", None, Channel.FB, "FB"),
        ("TYPE_CUSTOM_SMS", "Custom", 20, Channel.CUSTOM, "SMS"),
        (None, "Custom", 20, Channel.CUSTOM, "SMS"),
        (None, None, 20, Channel.CUSTOM, "SMS"),
        ("TYPE_CUSTOM_PROVIDER_SMS", "Custom", 22, Channel.CUSTOM, "Custom"),
        ("TYPE_CUSTOM_PROVIDER_SMS", None, None, Channel.CUSTOM, "Custom"),
        (None, "Custom", None, Channel.CUSTOM, "Custom"),
        ("TYPE_CUSTOM_EMAIL", "Email", 21, Channel.EMAIL, "Email"),
        ("TYPE_CUSTOM_PROVIDER_EMAIL", "Custom", 23, Channel.EMAIL, "Custom"),
        (7, "SMS", True, Channel.SMS, "SMS"),
        ("TYPE_SMS", {"odd": 1}, [], Channel.SMS, "SMS"),
        ("TYPE_SMS", "something new", None, Channel.SMS, "SMS"),
    ],
)
def test_channel_by_name_then_word_then_number(name: object, word: object, number: object, channel: Channel, told: str) -> None:
    """`messageTypeString` decides, then `messageType`, then `messageTypeId`; TYPE_CUSTOM_SMS becomes SMS."""
    parsed = message(messageTypeString=name, messageType=word, messageTypeId=number)
    assert (parsed.channel, parsed.message_type) == (channel, told)


def test_a_bare_custom_names_no_finer_type() -> None:
    """Custom without name and number leaves the exact type open."""
    assert not message("messageTypeString", "messageTypeId", messageType="Custom").message_type_string


@pytest.mark.parametrize(
    ("name", "word", "number"),
    [
        *((None, None, number) for number in (1, 4, *range(6, 11), 12, 13, 14, 16, 17, *range(24, 29), *range(30, 39))),
        *((f"TYPE_{name}", "SMS", 2) for name in ("CALL", "VOICEMAIL", "IVR_CALL", "CUSTOM_CALL", "CAMPAIGN_SMS", "REVIEW")),
        *((f"TYPE_{name}", "SMS", 2) for name in ("ACTIVITY_CONTACT", "LIVE_CHAT_INFO_MESSAGE", "FACEBOOK_COMMENT")),
        *((f"TYPE_{name}", "SMS", 2) for name in ("SMS_REACTION", "GROUP_SMS", "INTERNAL_COMMENT", "TIKTOK_COMMENT", "PHONE")),
        (None, "CALL", None),
        (None, "VoiceMail", 10),
        (None, "TYPE_CALL", 2),
        (None, "InternalComment", None),
        (None, "Custom", 34),
    ],
)
def test_what_nobody_can_answer_is_no_message(name: str | None, word: str | None, number: object) -> None:
    """Calls, activities, campaigns, comments, reactions and unknown types are no messages."""
    parsed = ignored(messageTypeString=name, messageType=word, messageTypeId=number)
    assert parsed.reason == Reason.NOT_A_MESSAGE


@pytest.mark.parametrize(
    ("name", "word", "number", "told"),
    [
        ("TYPE_NEW", "SMS", 2, "TYPE_NEW"),
        ("TYPE_FORM_SUBMISSION", None, None, "TYPE_FORM_SUBMISSION"),
        (None, "Telegram", None, "TYPE_TELEGRAM"),
        (None, "New Chat", 99, "TYPE_NEW_CHAT"),
        (None, None, 99, "TYPE_99"),
        (None, None, 0, "TYPE_NONE"),
        (None, None, None, "TYPE_NONE"),
        (None, None, "2nd", "TYPE_NONE"),
        (None, None, 2.0, "TYPE_NONE"),
    ],
)
def test_a_text_by_a_type_that_is_not_known_is_a_message(name: object, word: object, number: object, told: str) -> None:
    """GHL adds types: an inbound one with a contact and a text is a message."""
    parsed = message(messageTypeString=name, messageType=word, messageTypeId=number)
    assert (parsed.channel, parsed.message_type_string) == (Channel.UNKNOWN, told)


@pytest.mark.parametrize("body", ["", " \n", None, 5])
def test_an_unknown_type_without_a_text_is_no_message(body: object) -> None:
    """An unknown type without a text is not a message of the contact."""
    assert ignored(messageTypeString="TYPE_NEW", messageType=None, body=body).reason is Reason.NOT_A_MESSAGE


@pytest.mark.parametrize(
    ("name", "word", "number", "channel", "told"),
    [
        ("TYPE_WEBCHAT", None, 5, Channel.LIVE_CHAT, "WebChat"),
        (None, "WebChat", None, Channel.LIVE_CHAT, "WebChat"),
        (None, None, 5, Channel.LIVE_CHAT, "WebChat"),
        (None, "ALL_IN_ONE_CHAT", None, Channel.LIVE_CHAT, "ALL_IN_ONE_CHAT"),
        ("TYPE_RCS", "RCS", None, Channel.RCS, "RCS"),
        ("TYPE_TIKTOK", None, None, Channel.TIKTOK, "TIKTOK"),
    ],
)
def test_newer_chats_have_their_channel(name: object, word: object, number: object, channel: Channel, told: str) -> None:
    """Web chat is live chat; RCS and TikTok are channels of their own."""
    parsed = message(messageTypeString=name, messageType=word, messageTypeId=number)
    assert (parsed.channel, parsed.message_type) == (channel, told)


@pytest.mark.parametrize("direction", ["inbound", "Inbound", " inbound ", "", None])
def test_inbound_or_no_direction_is_inbound(direction: str | None) -> None:
    """An InboundMessage without a direction counts as inbound."""
    assert message(direction=direction).id == SMS_ID
    assert message("direction").id == SMS_ID


@pytest.mark.parametrize("direction", ["outbound", "OUTBOUND", "sideways", 1, False, {}, ["inbound"]])
def test_any_other_direction_is_not_inbound(direction: object) -> None:
    """An InboundMessage with another direction is not answered, because it may be the bridge's own."""
    assert ignored(direction=direction).reason == Reason.NOT_INBOUND


def test_an_outbound_message_stays_outbound_whatever_its_direction() -> None:
    """It counts as outbound, although GHL's documentation once showed one with direction inbound."""
    assert isinstance(parse(changed(type="OutboundMessage", direction="inbound")), OutboundMessage)


@pytest.mark.parametrize("event_type", ["SMS", "inboundmessage", "", None, 5, [], {}, ["InboundMessage"]])
def test_only_the_exact_type_is_a_message(event_type: object) -> None:
    """Another event type, or one of the wrong JSON type, is not a message."""
    assert ignored(type=event_type).reason == Reason.NOT_A_MESSAGE
    assert ignored("type").reason == Reason.NOT_A_MESSAGE


@pytest.mark.parametrize("key", ["locationId", "contactId"])
@pytest.mark.parametrize("value", [None, "", " ", "a:b", "a b", "x" * 201, 5, {}, ["a"], "\ud800", "---"])
def test_without_its_lane_a_message_is_unparseable(key: str, value: object) -> None:
    """A message with a missing or unusable location or contact can't be answered."""
    parsed = ignored(**{key: value})
    assert (parsed.reason, parsed.message_id) == (Reason.UNPARSEABLE, SMS_ID)
    assert ignored(key).reason == Reason.UNPARSEABLE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"not json",
        b"\xff\xfe",
        b"null",
        b"true",
        b"17",
        b'"text"',
        b"[]",
        b'[{"type":"InboundMessage"}]',
        b'{"type":"InboundMessage","messageTypeId":NaN}',
        b'{"type":"InboundMessage","dateAdded":Infinity}',
        b'{"type":"InboundMessage","x":"\\ud83d","dateAdded":NaN}',
        b'{"type":"InboundMessage","x":"\\ud83d"',
        b'{"type":"InboundMessage"}{}',
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"x":"\\ud83d","a":' + b"[" * 500_000,
        b"[" * 900_000,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_is_no_json_object_is_unparseable(body: bytes) -> None:
    """Broken, too deeply nested or foreign JSON, NaN, and anything but an object is unparseable."""
    assert parse(body) == Ignored(reason=Reason.UNPARSEABLE)


def test_a_truncated_payload_is_unparseable() -> None:
    """GHL marks a payload that it cut; only the ids of such a payload are used."""
    parsed = ignored(payloadTooLarge=True)
    assert (parsed.reason, parsed.message_id) == (Reason.UNPARSEABLE, SMS_ID)
    assert message(payloadTooLarge=False).id == SMS_ID


def test_events_of_another_app_are_named_so() -> None:
    """It is other_app, whatever its type; an event without an app id is accepted, and without a setting all are."""
    for body in (changed(), sample("app_install_location.json"), changed(appId=7), changed(appId=["x"])):
        parsed = parse(body, app_id="mine")
        assert isinstance(parsed, Ignored)
        assert parsed.reason == Reason.OTHER_APP
    for body in (changed("appId"), changed(appId=None), changed(appId=""), changed(appId="mine")):
        assert isinstance(parse(body, app_id="mine"), InboundMessage)
    assert isinstance(parse(changed(), app_id=""), InboundMessage)


def test_events_inside_data_are_read_as_flat_ones() -> None:
    """The integration guide's envelope with `data` gives the same message as the flat form."""
    flat = json.loads(changed())
    envelope = {key: flat.pop(key) for key in ("type", "timestamp", "webhookId")}
    assert parse(json.dumps(envelope | {"data": flat}).encode()) == parse(changed())


def test_data_never_overrides_a_flat_event() -> None:
    """A flat event that has a `data` field is read from its root."""
    assert message(data={"contactId": "other", "subject": "other"}) == message()
    assert message(data="text") == message()


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("2021-04-21T11:31:45.750Z", AT),
        ("2021-04-21T11:31:45Z", AT - 750),
        ("2021-04-21T13:31:45.750+02:00", AT),
        ("2021-04-21T11:31:45.750", AT),
        ("2021-04-21 11:31:45", AT - 750),
        ("2021-04-21T11:31:45.750999Z", AT),
        (AT, AT),
        (AT / 1000, AT),
        (AT // 1000, AT - 750),
        (str(AT), AT),
        ("1619004705", AT - 750),
        ("yesterday", 0),
        ("", 0),
        ("1959-04-21T11:31:45.750Z", 0),
        ("9" * 5_000, 0),
        (-5, 0),
        (0, 0),
        (1e300, 0),
        (True, 0),
        ({}, 0),
        (["2021-04-21T11:31:45.750Z"], 0),
    ],
)
def test_date_added_in_every_form(added: object, expected: int) -> None:
    """Dates with or without milliseconds and offset, seconds and milliseconds are read; anything else is 0."""
    assert message(dateAdded=added).date_added_ms == expected


def test_timestamp_stands_in_for_an_absent_date_only() -> None:
    """The time of sending counts if the message's time is missing, not if it is unreadable."""
    assert message("dateAdded", timestamp="2021-04-21T11:31:45.750Z").date_added_ms == AT
    assert message(dateAdded=None, timestamp="2021-04-21T11:31:45.750Z").date_added_ms == AT
    assert message(dateAdded="?", timestamp="2021-04-21T11:31:45.750Z").date_added_ms == 0
    assert message("dateAdded", "timestamp").date_added_ms == 0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", ""),
        ("  two\r\nlines\rthree\t ", "  two\nlines\nthree\t "),
        ("a\x00b\x1bc\x7fd\x0be", "abcde"),
        ("family 👨\u200d👩\u200d👧", "family 👨\u200d👩\u200d👧"),
        ("x" * 30_000, "x" * MAX_TEXT),
        ("a < b & <b>c</b>", "a < b & <b>c</b>"),
        (None, ""),
        (17, ""),
        ({"text": "x"}, ""),
    ],
)
def test_text_is_kept_but_for_control_characters(body: object, expected: str) -> None:
    """In a text line breaks become uniform, control characters are removed, and the length is limited."""
    assert message(body=body).text == expected


def test_half_an_emoji_does_not_lose_the_message() -> None:
    """JavaScript may cut an emoji in half: the half is removed, and the message stays."""
    assert message(body="hello \ud83d").text == "hello "
    assert message(body="\udc00 👍").text == " 👍"


def test_an_absent_body_is_still_a_message() -> None:
    """A picture without a text is a message; whether it is blank is decided later."""
    assert not message("body").text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["https://a/1.png", "https://a/2.png"], ("https://a/1.png", "https://a/2.png")),
        ([None, 5, "", {"url": "x"}, ["y"], "https://a/1.png"], ("https://a/1.png",)),
        (["https://a/\n1.png", "https://a/\x00", "x" * 5_000], ("https://a/\n1.png",)),
        (["u"] * 80, ("u",) * MAX_ATTACHMENTS),
        ("https://a/1.png", ()),
        (None, ()),
        ({}, ()),
    ],
)
def test_attachments_are_a_bounded_list_of_texts(value: object, expected: tuple[str, ...]) -> None:
    """Only strings count as attachments, at most fifty of them."""
    assert message(attachments=value).attachments == expected


def test_odd_fields_beside_the_needed_ones_do_no_harm() -> None:
    """Fields of the wrong type count as absent."""
    parsed = message(conversationId=5, conversationProviderId={}, webhookId=[], subject=7, threadId=None, to=["a"])
    assert parsed == message("conversationId", "conversationProviderId", "webhookId", "subject", "threadId")


def test_a_subject_is_one_line() -> None:
    """A subject on several lines becomes one line."""
    assert message(messageTypeString="TYPE_EMAIL", subject="Re: your\r\n offer").subject == "Re: your offer"


def test_an_email_body_loses_its_history_and_its_control_characters() -> None:
    """HTML becomes text; quoted history and control characters, also those written as entities, are removed."""
    html = "<p>Yes&#8;, please</p><blockquote type=cite>On Monday you wrote ...</blockquote>"
    assert message(messageTypeString="TYPE_CUSTOM_EMAIL", body=html).text == "Yes, please"
    assert len(message(messageTypeString="TYPE_EMAIL", body="word " * 9_000).text) == MAX_TEXT


KEYS = [*sorted(json.loads(changed())), "emailMessageId", "threadId", "subject", "data", "payloadTooLarge", "id"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(), inner, max_size=5),
    max_leaves=12,
)


@given(st.binary(max_size=2_000))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    """Any bytes are unparseable or ignored, never an error."""
    assert isinstance(parse(body), Ignored)


@given(JSON, st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6), st.sampled_from(["TYPE_SMS", "TYPE_EMAIL", None]))
def test_no_json_makes_it_raise(anything: object, fields: dict[str, Any], name: str | None) -> None:
    """Any JSON, alone or in an event's fields, gives a result that can be stored and has a key."""
    parse(json.dumps(anything).encode(), app_id="app")
    parsed = parse(changed(**({"messageTypeString": name} | fields)))
    repr(parsed).encode()
    if isinstance(parsed, InboundMessage):
        assert str(parsed.lane).count(":") == 1
        assert 0 < len(parsed.id) <= 200
        parsed.text.encode()
