"""`ghl-bridge conversations undelivered` and `replay`."""

from __future__ import annotations

from bridge.cli.context import operations
from bridge.cli.output import print_json, print_table
from bridge.errors import DidNotWork
from bridge.operating import deliveries, resending

SAYS = {
    "replayed": "is sent once more in its turn, unless a rule forbids it",
    "closed": "was already replayed, or its message is no longer stored",
    "newer": "not replayed: a newer turn of the contact was answered; use --force to replay it anyway",
}


def list_undelivered(*, location: str, as_json: bool) -> None:
    """Print replies that did not reach their contacts, newest first."""
    found = operations()(deliveries.undelivered, deliveries.UndeliveredQuery(location=location)).replies
    if as_json:
        print_json(found)
        return
    rows = [(one.at or "", one.location_id, one.contact_id, one.channel, one.reply_id) for one in found]
    print_table(("at", "location", "contact", "channel", "reply"), rows)


def replay(ids: tuple[str, ...], *, force: bool, as_json: bool) -> None:
    """Send some again. Raises WrongInput for ids that are not listed, and DidNotWork if any was not replayed."""
    results = operations()(resending.replay_undelivered, resending.Resend(ids=ids, force=force))
    if as_json:
        print_json(results)
    else:
        for one in results:
            print(f"{one.id}  {SAYS[one.result]}")
    left = [one.id for one in results if one.result != "replayed"]
    if left:
        raise DidNotWork(f"not replayed: {', '.join(left)}")
