"""The scopes that a location's token needs, and a read for each that shows whether a token has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.model import LocationId

# A valid id that does not exist: GHL refuses a token without the scope before it looks for the id.
NOBODY = "00000000000000000000"
# https://marketplace.gohighlevel.com/docs/Authorization/Scopes, read 2026-08-30. These can't be tested without a write.
WRITING = {"conversations/message.write": "replies", "contacts.write": "dead_letter_tag, handover.tag, handover.assign_to"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A read that needs one scope."""

    scope: str
    path: str
    of_contacts: bool = False
    params: Mapping[str, str | int] = field(default_factory=dict)


def looks(location_id: LocationId) -> tuple[Look, ...]:
    """A read for every read-only scope."""
    return (
        Look(scope="conversations.readonly", path="/conversations/search", params={"locationId": location_id, "limit": 1}),
        Look(scope="conversations/message.readonly", path=f"/conversations/messages/{NOBODY}"),
        Look(scope="contacts.readonly", path=f"/contacts/{NOBODY}", of_contacts=True),
    )
