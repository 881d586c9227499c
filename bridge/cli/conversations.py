"""`ghl-bridge conversations` and `contacts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.context import expect_location, operations
from bridge.cli.output import confirm, console, print_json, print_table, working
from bridge.errors import NotKnown, WrongInput
from bridge.operating import contacts, conversations
from bridge.operating import handovers as handing_over
from bridge.operating.sentences import outcome

if TYPE_CHECKING:
    from bridge.operating.operation import Operations
    from bridge.operating.standing import StandingShown


def show(id_: str, *, as_json: bool) -> None:
    """Print the state of a conversation. Raises WrongInput if the id is not known."""
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
    """Pause a conversation. Raises NotKnown for an id that the bridge has not seen yet, unless `new` is set."""
    perform = operations()
    if not new:
        _must_be_known(perform, id_)
    paused = perform(conversations.pause, conversations.ConversationQuery(id_))
    if as_json:
        print_json(paused)
        return
    print(f"{id_} is paused: its messages are skipped, with the reason conversation_paused, until `conversations resume {id_}`")
    if not paused.known:
        print("this id is not known yet: the pause applies from its first message on")


def _must_be_known(perform: Operations, id_: str) -> None:
    """Raise NotKnown for an unknown id: the pause of a mistyped id would have no effect, and stay for ever."""
    try:
        perform(conversations.show, conversations.ConversationQuery(id_))
    except WrongInput:  # a remote server reports no more than this
        raise NotKnown(f"{id_} is not known here yet: check the id, or pause it in advance with --new") from None


def resume(id_: str, *, as_json: bool) -> None:
    """End a pause and a human takeover. Raises WrongInput if the id is not known."""
    resumed = operations()(conversations.resume, conversations.ConversationQuery(id_))
    if as_json:
        print_json(resumed)
        return
    print(f"{id_} is neither paused nor taken over; messages that were skipped stay skipped")


def handovers(location: str, *, as_json: bool) -> None:
    """Print the contacts that wait for a person."""
    waiting = operations()(handing_over.list_, handing_over.HandoversQuery(location))
    expect_location(location, waiting)
    if as_json:
        print_json(waiting)
        return
    if not waiting:
        print("no contact waits for a person")
        return
    print_table(
        ("location", "contact", "since", "until"),
        [(one.location_id, one.contact_id, one.since or "", one.until or "resumed") for one in waiting],
    )


def show_contact(location: str, contact: str, *, as_json: bool) -> None:
    """Print a contact's opt-outs and state. Raises WrongInput if it is not known."""
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
            *([("opt-outs before it was erased", ", ".join(erased))] if (erased := shown.stopped_before_erasure) else []),
            ("waiting", _waiting(shown.waiting, working=shown.working, due_at=None, failed=0)),
        ],
    )


def allow(location: str, contact: str, *, as_json: bool) -> None:
    """Lift a contact's opt-outs. Raises WrongInput if the location is not known."""
    allowed = operations()(contacts.allow, contacts.ContactQuery(location, contact))
    if as_json:
        print_json(allowed)
        return
    lifted = ", ".join(allowed.channels)
    print(f"{contact} may be answered again on {lifted}" if lifted else f"{contact} had no opt-out")


def erase(location: str, contact: str, *, yes: bool, as_json: bool) -> None:
    """Erase a contact's data. Raises WrongInput if there is none, DidNotWork if the user at the terminal says no."""
    confirm(f"Permanently erase all data of contact {contact}?", yes=yes)
    with working(f"erasing {contact}: searching all stored ids"):
        erased = operations()(contacts.erase, contacts.ContactQuery(location, contact))
    if as_json:
        print_json(erased)
        return
    print(f"{contact} is erased: {erased.records} record(s) removed")
    if erased.stopped:
        print(f"its opt-outs still apply ({', '.join(erased.stopped)}); they are stored under a keyed hash")


def _standing(standing: StandingShown) -> list[tuple[str, str]]:
    stopped = ", ".join(f"{channel} since {at}" for channel, at in standing.stopped.items())
    return [
        ("paused", f"by an operator since {standing.paused_since}" if standing.paused_since else "no"),
        ("taken over", standing.taken_over or "no"),
        ("opt-outs", stopped or "none"),
        ("tags", "no event reported them yet" if standing.tags is None else ", ".join(standing.tags) or "none"),
        ("do not disturb", _dnd(standing)),
        ("replies in 24 h", str(standing.replies_within_a_day)),
    ]


def _dnd(standing: StandingShown) -> str:
    if standing.dnd:
        return "every channel"
    if standing.blocked_channels:
        return ", ".join(standing.blocked_channels)
    return "no event reported it yet" if standing.dnd is None and standing.blocked_channels is None else "no"


def _waiting(count: int, *, working: bool, due_at: str | None, failed: int) -> str:
    if working:
        return f"{count} message(s), being answered by a worker"
    when = f", due at {due_at}" if due_at and count else ""
    tries = f", {failed} failed attempts so far" if failed else ""
    return f"{count} message(s){when}{tries}"
