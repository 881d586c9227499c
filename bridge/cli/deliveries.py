"""`ghl-bridge conversations undelivered`."""

from __future__ import annotations

from bridge.cli.context import operations
from bridge.cli.output import print_json, print_table
from bridge.operating import deliveries


def list_undelivered(*, location: str, as_json: bool) -> None:
    """Print replies that did not reach their contacts, newest first."""
    found = operations()(deliveries.undelivered, deliveries.UndeliveredQuery(location=location)).replies
    if as_json:
        print_json(found)
        return
    rows = [(one.at or "", one.location_id, one.contact_id, one.channel, one.reply_id) for one in found]
    print_table(("at", "location", "contact", "channel", "reply"), rows)
