"""The pages for conversations: search by any id, and the details of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bridge.errors import BridgeError, NotKnown, WrongInput
from bridge.model import Status
from bridge.operating import (
    contacts,
    conversations,
    dead_letters,
    deliveries,
    excerpts,
    explain,
    interventions,
    message_text,
    people,
    resending,
)
from bridge.receiver.console.conversation_lists import listed
from bridge.receiver.console.dead_letters import RESULTS
from bridge.receiver.console.locations import names, names_and_zones
from bridge.receiver.console.pages import Moved, Page
from bridge.times import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.receiver.console.pages import Visit

MOST_RECENT = 25
MOST_UNDELIVERED = 5
MOST_SEARCHED = 200
MOST_EVENTS = 60
REPLAYED = {
    "replayed": "is sent again as soon as its turn comes, unless a rule forbids it",
    "closed": "was already replayed, or its message is no longer stored",
    "newer": "is not replayed: a newer message of the contact was answered",
}

# A lane stores no more of them.
MOST_LETTERS = 20
COMMENT = "InternalComment"


def search(visit: Visit) -> Page | Moved:
    """Find a conversation by an id, or list them."""
    wanted = visit.asked("q")
    shown = _all(visit)
    if not wanted:
        return Page("conversations.html", "conversations", shown)
    try:
        visit.perform(explain.explain, explain.ExplainQuery(wanted))
    except NotKnown as error:
        found = visit.perform(people.find, people.ContactSearch(q=wanted[:MOST_SEARCHED])).contacts
        if len(found) == 1:
            return Moved(f"/console/conversations/{quote(found[0].contact_id, safe='')}")
        if found:
            return Page("conversations.html", "conversations", {**shown, "found": found})
        return Page("conversations.html", "conversations", {**shown, "says": str(error)}, 404)
    return Moved(f"/console/conversations/{quote(wanted, safe='')}")


def _all(visit: Visit) -> dict[str, Any]:
    undelivered = visit.perform(deliveries.undelivered, deliveries.UndeliveredQuery(limit=MOST_UNDELIVERED)).replies
    return {
        "wanted": visit.asked("q"),
        "undelivered": undelivered,
        "names": names(visit),
        "says": "",
        "found": (),
        "texts": {},
        "refused": {},
        "may_read": visit.admin_services.settings.console_show_text,
        **listed(visit),
    }


def show_newest(visit: Visit) -> Page:
    """The list with one contact's newest message; its address has the list's filters."""
    contact, shown = visit.given("contact"), _all(visit)
    try:
        words = visit.perform(message_text.newest_words, message_text.WordsQuery(contact)).text
    except BridgeError as error:
        return Page("conversations.html", "conversations", {**shown, "refused": {contact: str(error)}})
    return Page("conversations.html", "conversations", {**shown, "texts": {contact: words}})


def show(visit: Visit) -> Page:
    """The page of one conversation."""
    return _page(visit, texts={})


def show_text(visit: Visit) -> Page:
    """The same page with one message's text."""
    id_ = visit.given("message")
    try:
        text = visit.perform(message_text.text, message_text.MessageQuery(id_)).text
    except BridgeError as error:
        return _page(visit, texts={}, refused={id_: str(error)})
    return _page(visit, texts={id_: text})


def show_said(visit: Visit) -> Page:
    """The same page with a service's error text."""
    id_ = visit.given("excerpt")
    try:
        said = visit.perform(excerpts.text, excerpts.OfTurn(id_))
    except BridgeError as error:
        return _page(visit, texts={}, refused={id_: str(error)})
    return _page(visit, texts={id_: said.text})


def replay(visit: Visit) -> Moved:
    """Send a reply that did not reach its contact once more."""
    asked = resending.Resend(ids=(visit.given("id"),))
    (became,) = visit.perform(resending.replay_undelivered, asked)
    return Moved("/console/conversations", f"Reply {became.id} {REPLAYED[became.result]}.")


def change(visit: Visit) -> Moved:
    """Change something about the conversation, or about one of its messages."""
    explained = visit.perform(explain.explain, explain.ExplainQuery(visit.path("id")))
    match visit.path("change"):
        case "try":
            tried = visit.perform(interventions.try_now, conversations.ConversationQuery(explained.contact_id))
            note = "A worker is processing it already." if tried.working else "It is tried now."
        case "answer":
            visit.perform(interventions.answer, interventions.SkippedMessage(visit.given("message")))
            note = "It is answered as soon as a worker is free, unless the contact or GHL forbids it."
        case "send-draft":
            visit.perform(interventions.send_draft, interventions.Draft(visit.given("draft")))
            note = "The draft is sent as soon as a worker is free, unless the contact or GHL forbids it."
        case "replay":
            (became,) = visit.perform(dead_letters.replay, dead_letters.Replay(ids=(visit.given("letter"),)))
            note = f"The dead letter: {RESULTS[became.result]}."
        case "pause":
            visit.perform(conversations.pause, conversations.ConversationQuery(explained.contact_id))
            note = "Paused: messages are skipped until the conversation is resumed."
        case "resume":
            visit.perform(conversations.resume, conversations.ConversationQuery(explained.contact_id))
            note = "Resumed: the next message is answered. Skipped messages stay skipped."
        case "allow":
            allowed = visit.perform(contacts.allow, contacts.ContactQuery(explained.location_id, explained.contact_id))
            note = f"The contact's opt-out is lifted: {', '.join(allowed.channels) or 'there was none'}."
        case _:
            raise WrongInput("a conversation can be paused, resumed, tried and replayed, and a stop lifted")
    return Moved(visit.back(f"/console/conversations/{quote(explained.contact_id, safe='')}"), note)


def _page(visit: Visit, *, texts: Mapping[str, str], refused: Mapping[str, str] | None = None) -> Page:
    id_ = visit.path("id")
    explained = visit.perform(explain.explain, explain.ExplainQuery(id_))
    everything = bool(visit.asked("all"))
    events = explained.events if everything else explained.events[-MOST_EVENTS:]
    shown = {
        "id": id_,
        "told": explained,
        "now": visit.perform(conversations.show, conversations.ConversationQuery(id_)),
        **names_and_zones(visit),
        "asked": next((one for one in explained.messages if one.message_id == id_), None),
        "newest": explained.messages[-1] if explained.messages else None,
        "messages": tuple(reversed(explained.messages if everything else explained.messages[-MOST_RECENT:])),
        "events": _timed(events),
        "excerpts": _newest_excerpts(events),
        "hidden": len(explained.events) - len(events),
        "texts": texts,
        "refused": refused or {},
        "drafts": _drafts(explained.events),
        "letters": _open_letters(visit, explained),
        "may_read": visit.admin_services.settings.console_show_text,
    }
    return Page("conversation.html", "conversations", shown)


def _timed(events: Iterable[dict[str, Any]]) -> list[tuple[dict[str, Any], float | None]]:
    """Each event with the seconds since the previous one; None for the first."""
    timed: list[tuple[dict[str, Any], float | None]] = []
    before = None
    for event in events:
        at = read(event["at"])
        timed.append((event, (at - before).total_seconds() if at and before else None))
        before = at
    return timed


def _drafts(events: Iterable[dict[str, Any]]) -> set[str]:
    """The ids of replies that only staff see: parts of an answer that were posted as internal comments."""
    types: dict[str, str] = {}
    drafts: set[str] = set()
    for event in events:
        part = str(event.get("part", ""))
        if event["step"] == "sending":
            types[part] = event.get("type", "")
        elif event["step"] == "sent" and part.isdigit() and types.get(part) == COMMENT:
            drafts |= set(event.get("reply_ids", ()))
    return drafts


def _open_letters(visit: Visit, told: explain.Explained) -> dict[str, str]:
    """The open dead letter of each message that has one."""
    if not any(message.status == Status.DEAD for message in told.messages):
        return {}
    ids = dict.fromkeys(event["dead_letter_id"] for event in told.events if event["step"] == Status.DEAD)
    found: dict[str, str] = {}
    for id_ in list(ids)[-MOST_LETTERS:]:
        try:
            letter = visit.perform(dead_letters.show, dead_letters.DeadLetterQuery(id_))
        except NotKnown:
            continue
        found |= dict.fromkeys(letter.message_ids, id_)
    return found


def _newest_excerpts(events: Iterable[dict[str, Any]]) -> set[int]:
    """The indexes of the newest event of each turn with an error text, because only the newest text is stored."""
    newest = {event["excerpt_id"]: place for place, event in enumerate(events) if event.get("excerpt_id")}
    return set(newest.values())
