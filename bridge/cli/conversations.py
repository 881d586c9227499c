"""`ghl-bridge conversations` and `contacts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.context import operations
from bridge.cli.output import confirm, console, print_json, print_table, working
from bridge.errors import NotKnown, WrongInput
from bridge.operating import contacts, conversations
from bridge.operating import handovers as handing_over
from bridge.operating.sentences import outcome

if TYPE_CHECKING:
    from bridge.operating.operation import Operations
    from bridge.operating.standing import StandingShown


def show(id_: str, *, as_json: bool) -> None:
    """How a conversation stands. Raises WrongInput if the id is not known."""
    shown = operations()(conversations.show, conversations.ConversationQuery(id_))
    if as_json:
        print_json(shown)
        return
    print_table(
        ("", ""),
        [
            ("conversation", shown.conversation_id or "(not known yet)"),
            ("contact", shown.contact_id),
            ("location", shown.location_id),
            *_standing(shown.standing),
            ("waiting", _waiting(shown.waiting, working=shown.working, due_at=shown.due_at, failed=shown.failed_attempts)),
        ],
    )
    for message in shown.messages:
        console().print(f"  message {message.message_id}: {outcome(message)}", markup=False, soft_wrap=True)


def pause(id_: str, *, new: bool, as_json: bool) -> None:
    """Skip what comes in a conversation. Raises NotKnown for an id that was not seen here yet, unless it is said to be `new`."""
    perform = operations()
    if not new:
        _must_be_known(perform, id_)
    paused = perform(conversations.pause, conversations.ConversationQuery(id_))
    if as_json:
        print_json(paused)
        return
    print(f"{id_} is paused: its messages are skipped, with the reason conversation_paused, until `conversations resume {id_}`")
    if not paused.known:
        print("nothing of that id was seen here yet: the pause counts from its first message on")


def _must_be_known(perform: Operations, id_: str) -> None:
    """A typing error would pause nobody, and stay for good."""
    try:
        perform(conversations.show, conversations.ConversationQuery(id_))
    except WrongInput:  # of another server too, which tells no more
        raise NotKnown(f"nothing of {id_} was seen here yet: check the id, or pause it beforehand with --new") from None


def resume(id_: str, *, as_json: bool) -> None:
    """End a pause and a human takeover. Raises WrongInput if the id is not known."""
    resumed = operations()(conversations.resume, conversations.ConversationQuery(id_))
    if as_json:
        print_json(resumed)
        return
    print(f"{id_} is not paused, and no human has it; what was skipped meanwhile stays skipped")


def handovers(location: str, *, as_json: bool) -> None:
    """Who waits for a person."""
    waiting = operations()(handing_over.list_, handing_over.HandoversQuery(location))
    if as_json:
        print_json(waiting)
        return
    if not waiting:
        print("nobody waits for a person")
        return
    print_table(
        ("location", "contact", "since", "until"),
        [(one.location_id, one.contact_id, one.since or "", one.until or "resumed") for one in waiting],
    )


def show_contact(location: str, contact: str, *, as_json: bool) -> None:
    """What a contact forbade. Raises WrongInput if it is not known."""
    shown = operations()(contacts.show, contacts.ContactQuery(location, contact))
    if as_json:
        print_json(shown)
        return
    print_table(
        ("", ""),
        [
            ("contact", shown.contact_id),
            ("location", shown.location_id),
            ("conversation", shown.conversation_id or "(not known yet)"),
            *_standing(shown.standing),
            *([("stopped before it was erased", ", ".join(erased))] if (erased := shown.stopped_before_erasure) else []),
            ("waiting", _waiting(shown.waiting, working=shown.working, due_at=None, failed=0)),
        ],
    )


def allow(location: str, contact: str, *, as_json: bool) -> None:
    """Lift a contact's stops. Raises WrongInput if the location is not known."""
    allowed = operations()(contacts.allow, contacts.ContactQuery(location, contact))
    if as_json:
        print_json(allowed)
        return
    lifted = ", ".join(allowed.channels)
    print(f"{contact} may be answered again on {lifted}" if lifted else f"{contact} had stopped nothing")


def erase(location: str, contact: str, *, yes: bool, as_json: bool) -> None:
    """Remove everything kept of a contact. Raises WrongInput if nothing is, DidNotWork if the person at the terminal says no."""
    confirm(f"Erase everything kept of contact {contact}, for good?", yes=yes)
    with working(f"erasing {contact}: all ids that are kept are looked through"):
        erased = operations()(contacts.erase, contacts.ContactQuery(location, contact))
    if as_json:
        print_json(erased)
        return
    print(f"{contact} is erased: {erased.records} record(s) removed")
    if erased.stopped:
        print(f"what it has stopped stays stopped ({', '.join(erased.stopped)}), under a digest that names nobody")


def _standing(standing: StandingShown) -> list[tuple[str, str]]:
    stopped = ", ".join(f"{channel} since {at}" for channel, at in standing.stopped.items())
    return [
        ("paused", f"by an operator since {standing.paused_since}" if standing.paused_since else "no"),
        ("taken over", standing.taken_over or "no"),
        ("stopped", stopped or "nothing"),
        ("tags", "not told by an event yet" if standing.tags is None else ", ".join(standing.tags) or "none"),
        ("do not disturb", _dnd(standing)),
        ("replies in 24 h", str(standing.replies_within_a_day)),
    ]


def _dnd(standing: StandingShown) -> str:
    if standing.dnd:
        return "every channel"
    if standing.blocked_channels:
        return ", ".join(standing.blocked_channels)
    return "not told by an event yet" if standing.dnd is None and standing.blocked_channels is None else "no"


def _waiting(count: int, *, working: bool, due_at: str | None, failed: int) -> str:
    if working:
        return f"{count} message(s), a worker has them now"
    when = f", looked at next at {due_at}" if due_at and count else ""
    tries = f", {failed} failed tries so far" if failed else ""
    return f"{count} message(s){when}{tries}"
