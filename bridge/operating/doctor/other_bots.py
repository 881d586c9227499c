"""Checks whether GHL's own bot answers in a location too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import BridgeError
from bridge.ghl.conversation_ai import SCOPE, auto_pilots
from bridge.operating.doctor.findings import Finding, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.ghl.access import Access
    from bridge.operating.services import AdminServices

LOOK_SECONDS = 8.0


def examine_other_bots(name: str, services: AdminServices, access: Access) -> Iterator[Finding]:
    """Two bots in one conversation answer each contact twice; this is reported before the first message of a location."""
    what = f"{name} GHL's bot"
    try:
        found = auto_pilots(services.ghl, token=access, seconds=LOOK_SECONDS)
    except BridgeError as error:
        yield Finding(what, ok=True, says=f"not known ({SCOPE}): {error}")
        return
    for bot in found:
        channels = ", ".join(bot.channels) or "no channel"
        who = bot.name or "a bot without a name"
        yield note(what, f"{who} is on auto-pilot ({channels}) and answers the same contacts: turn one off")
    if not found:
        yield Finding(what, ok=True, says="none is on auto-pilot")
