"""Who wrote an outbound message that is not ours."""

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
        ("TYPE_CALL", "", Author.PERSON),
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
    """A workflow, campaign or bulk action is an automation, what the contact never sees is nobody's, all else is a person's."""
    assert author(type_=type_, source=source) is expected
