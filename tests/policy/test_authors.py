"""Who wrote an outbound message that is not the bridge's."""

from __future__ import annotations

import pytest

from bridge.policy.authors import Author, author


@pytest.mark.parametrize(
    ("type_", "source", "expected"),
    [
        ("TYPE_SMS", "app", Author.PERSON),
        ("TYPE_SMS", "api", Author.PERSON),
        ("TYPE_SMS", "", Author.PERSON),
        ("TYPE_SMS", "something new", Author.PERSON),
        ("", "", Author.PERSON),
        ("TYPE_CALL", "", Author.MISSED_CALL),
        ("CALL", "app", Author.MISSED_CALL),
        ("TYPE_VOICEMAIL", "", Author.MISSED_CALL),
        ("VoiceMail", "", Author.MISSED_CALL),
        ("TYPE_CUSTOM_CALL", "", Author.MISSED_CALL),
        ("TYPE_CALL", "workflow", Author.AUTOMATION),
        ("TYPE_IVR_CALL", "", Author.AUTOMATION),
        ("TYPE_CAMPAIGN_SMS", "", Author.AUTOMATION),
        ("TYPE_CAMPAIGN_EMAIL", "app", Author.AUTOMATION),
        ("TYPE_CAMPAIGN_VOICEMAIL", "", Author.AUTOMATION),
        ("Campaign_VoiceMail", "", Author.AUTOMATION),
        ("TYPE_CAMPAIGN_CALL", "api", Author.AUTOMATION),
        ("TYPE_CAMPAIGN_FACEBOOK", "", Author.AUTOMATION),
        ("TYPE_CAMPAIGN_GMB", "", Author.AUTOMATION),
        ("TYPE_CAMPAIGN_MANUAL_SMS", "", Author.PERSON),
        ("TYPE_CAMPAIGN_MANUAL_CALL", "", Author.MISSED_CALL),
        ("TYPE_REVIEW", "", Author.AUTOMATION),
        ("TYPE_SMS_REVIEW_REQUEST", "", Author.AUTOMATION),
        ("TYPE_SMS_NO_SHOW_REQUEST", "something new", Author.AUTOMATION),
        ("TYPE_FORM_SUBMISSION", "", Author.AUTOMATION),
        ("TYPE_SMS_REACTION", "", Author.PERSON),
        ("TYPE_WHATSAPP", "workflow", Author.AUTOMATION),
        ("TYPE_EMAIL", "campaign", Author.AUTOMATION),
        ("TYPE_SMS", "bulk_actions", Author.AUTOMATION),
        ("InternalComment", "", Author.NOBODY),
        ("Internal Comment", "", Author.NOBODY),
        ("TYPE_INTERNAL_COMMENT", "app", Author.NOBODY),
        ("TYPE_INTERNAL_CHAT", "app", Author.NOBODY),
        ("TYPE_ACTIVITY_APPOINTMENT", "workflow", Author.NOBODY),
        ("ACTIVITY_OPPORTUNITY", "", Author.NOBODY),
        ("TYPE_LIVE_CHAT_INFO_MESSAGE", "", Author.NOBODY),
        ("TYPE_LIVE_CHAT", "app", Author.PERSON),
    ],
)
def test_a_message_has_an_author(type_: str, source: str, expected: Author) -> None:
    """A workflow, campaign or bulk action is an automation, invisible events have no author, all else is a person's."""
    assert author(type_=type_, source=source) is expected


@pytest.mark.parametrize(
    ("type_", "seconds", "expected"),
    [
        ("TYPE_CALL", 120.0, Author.CALL),
        ("TYPE_CALL", 0.0, Author.MISSED_CALL),
        ("TYPE_CUSTOM_CALL", 1.0, Author.CALL),
        ("TYPE_CAMPAIGN_MANUAL_CALL", 30.0, Author.CALL),
        ("TYPE_VOICEMAIL", 30.0, Author.MISSED_CALL),
        ("TYPE_CAMPAIGN_VOICEMAIL", 30.0, Author.AUTOMATION),
        ("TYPE_SMS", 30.0, Author.PERSON),
    ],
)
def test_a_call_that_was_talked_is_told_from_a_missed_one(type_: str, seconds: float, expected: Author) -> None:
    """An answered call is recognised by its duration; a voicemail has one too, without a conversation."""
    assert author(type_=type_, source="", call_seconds=seconds) is expected
