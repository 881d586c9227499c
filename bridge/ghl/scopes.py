"""The scopes that a location's token needs, and what to ask for to see that a token has one; asking changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.model import LocationId

# An id as GHL makes them, and nobody's: who lacks the scope is refused before anybody looks for it.
NOBODY = "00000000000000000000"
# https://marketplace.gohighlevel.com/docs/Authorization/Scopes, read 2026-08-30. These can't be tried without writing.
WRITING = {"conversations/message.write": "replies", "contacts.write": "dead_letter_tag, handover.tag, handover.assign_to"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A read that needs one scope."""

    scope: str
    path: str
    of_contacts: bool = False
    params: Mapping[str, str | int] = field(default_factory=dict)


def looks(location_id: LocationId) -> tuple[Look, ...]:
    """A read for every scope that only reads."""
    return (
        Look(scope="conversations.readonly", path="/conversations/search", params={"locationId": location_id, "limit": 1}),
        Look(scope="conversations/message.readonly", path=f"/conversations/messages/{NOBODY}"),
        Look(scope="contacts.readonly", path=f"/contacts/{NOBODY}", of_contacts=True),
    )
