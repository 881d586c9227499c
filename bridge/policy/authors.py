"""Who wrote a message that left a conversation? Asked of what is known not to be ours."""

from __future__ import annotations

from enum import StrEnum

# REST's and the webhooks' `source` (facts: https://marketplace.gohighlevel.com/docs): `api` and `app` prove nothing.
AUTOMATIONS = frozenset({"workflow", "campaign", "bulk_actions"})
# Never seen by the contact.
_UNSEEN = ("INTERNAL", "ACTIVITY", "LIVECHATINFO")
# The rest by the message types of GHL's OpenAPI files (2026-06-19): they count whatever `source` says, since a campaign's SMS was
# seen with none. TYPE_CAMPAIGN_MANUAL_SMS and _CALL stay a person's: a workflow asks for them, and a person sends each.
_MANUAL = "CAMPAIGNMANUAL"
_AUTOMATIC = ("CAMPAIGN", "REVIEW", "SMSREVIEWREQUEST", "SMSNOSHOWREQUEST", "IVR", "FORMSUBMISSION")
_CALLS = frozenset({"CALL", "PHONE", "CUSTOMCALL", "CAMPAIGNMANUALCALL", "VOICEMAIL"})


class Author(StrEnum):
    """Who a message of the business is from.

    A person, an automation of GHL's, or nobody whose words the contact sees. A call has no words: whether one that was answered,
    or one that was missed (a voicemail too), counts as a person's is the location's setting (`takeover_by_call`).
    """

    PERSON = "person"
    AUTOMATION = "automation"
    CALL = "call"
    MISSED_CALL = "missed_call"
    NOBODY = "nobody"


CALLS = frozenset({Author.CALL, Author.MISSED_CALL})


def author(*, type_: str, source: str, call_seconds: float = 0.0) -> Author:
    """Judge an outbound message by its type (`TYPE_SMS`, `InternalComment`) and source; a person needs no `userId`.

    `call_seconds` is how long a call was talked, 0 for one that nobody answered.
    """
    kind = type_.upper().removeprefix("TYPE_").replace("_", "").replace(" ", "")
    if kind.startswith(_UNSEEN):
        return Author.NOBODY
    if source in AUTOMATIONS or (kind.startswith(_AUTOMATIC) and not kind.startswith(_MANUAL)):
        return Author.AUTOMATION
    if kind in _CALLS:
        return Author.CALL if call_seconds > 0 and kind != "VOICEMAIL" else Author.MISSED_CALL
    return Author.PERSON
