"""Who wrote a message that left a conversation? Asked of what is known not to be ours."""

from __future__ import annotations

from enum import StrEnum

# REST's and the webhooks' `source` (facts: https://marketplace.gohighlevel.com/docs): `api` and `app` prove nothing.
AUTOMATIONS = frozenset({"workflow", "campaign", "bulk_actions"})
# Never seen by the contact.
_UNSEEN = ("INTERNAL", "ACTIVITY", "LIVECHATINFO")


class Author(StrEnum):
    """A person of the business, an automation of GHL's, or nobody whose words the contact sees."""

    PERSON = "person"
    AUTOMATION = "automation"
    NOBODY = "nobody"


def author(*, type_: str, source: str) -> Author:
    """Judge an outbound message by its type (`TYPE_SMS`, `InternalComment`) and source; a person needs no `userId`."""
    kind = type_.upper().removeprefix("TYPE_").replace("_", "").replace(" ", "")
    if kind.startswith(_UNSEEN):
        return Author.NOBODY
    return Author.AUTOMATION if source in AUTOMATIONS else Author.PERSON
