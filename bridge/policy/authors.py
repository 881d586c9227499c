"""The author of an outbound message that is known not to be ours."""

from __future__ import annotations

from enum import StrEnum

# REST's and the webhooks' `source` (facts: https://marketplace.gohighlevel.com/docs): `api` and `app` prove nothing.
AUTOMATIONS = frozenset({"workflow", "campaign", "bulk_actions"})
# Never seen by the contact.
_UNSEEN = ("INTERNAL", "ACTIVITY", "LIVECHATINFO")
# The rest by the message types of GHL's OpenAPI files (2026-06-19), independently of `source`, because a campaign's SMS was
# seen without one. TYPE_CAMPAIGN_MANUAL_SMS and _CALL stay a person's: a workflow asks for them, and a person sends each.
_MANUAL = "CAMPAIGNMANUAL"
_AUTOMATIC = ("CAMPAIGN", "REVIEW", "SMSREVIEWREQUEST", "SMSNOSHOWREQUEST", "IVR", "FORMSUBMISSION")
_CALLS = frozenset({"CALL", "PHONE", "CUSTOMCALL", "CAMPAIGNMANUALCALL", "VOICEMAIL"})


class Author(StrEnum):
    """The author of a message of the business.

    A person, an automation of GHL, or no author whose text the contact sees. For calls, the location's setting `takeover_by_call`
    decides whether an answered or a missed call (or a voicemail) counts as a person's message.
    """

    PERSON = "person"
    AUTOMATION = "automation"
    CALL = "call"
    MISSED_CALL = "missed_call"
    NOBODY = "nobody"


CALLS = frozenset({Author.CALL, Author.MISSED_CALL})


def author(*, type_: str, source: str, call_seconds: float = 0.0) -> Author:
    """Judge an outbound message by its type (`TYPE_SMS`, `InternalComment`) and source; a person needs no `userId`.

    `call_seconds` is the duration of an answered call, 0 for an unanswered one.
    """
    kind = type_.upper().removeprefix("TYPE_").replace("_", "").replace(" ", "")
    if kind.startswith(_UNSEEN):
        return Author.NOBODY
    if source in AUTOMATIONS or (kind.startswith(_AUTOMATIC) and not kind.startswith(_MANUAL)):
        return Author.AUTOMATION
    if kind in _CALLS:
        return Author.CALL if call_seconds > 0 and kind != "VOICEMAIL" else Author.MISSED_CALL
    return Author.PERSON
