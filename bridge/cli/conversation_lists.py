"""`ghl-bridge conversations list`, `conversations try` and `messages`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from bridge.cli.context import operations
from bridge.cli.output import print_json, print_table, tell_missing
from bridge.errors import WrongInput
from bridge.operating.conversation_lists import ConversationsQuery, list_
from bridge.operating.conversations import ConversationQuery
from bridge.operating.interventions import Draft, SkippedMessage
from bridge.operating.interventions import answer as answer_message
from bridge.operating.interventions import send_draft as send
from bridge.operating.interventions import try_now as try_conversation
from bridge.operating.message_text import WordsQuery
from bridge.operating.message_text import newest_words as words_of
from bridge.operating.people import ContactSearch, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bridge.operating.conversation_lists import ConversationRow

PAGE = 200


def list_all(asked: Mapping[str, str], *, most: int, as_json: bool) -> None:
    """Print at most `most` conversations that match the filter. Raises WrongInput."""
    found = list(_some(asked, most))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one.contact_id,
            one.location_id,
            one.name or "",
            one.status + (f": {one.reason}" if one.reason else ""),
            one.channel,
            (one.at or "")[:19],
        )
        for one in found
    ]
    print_table(("contact", "location", "name", "status", "channel", "at (UTC)"), rows)


def find_contacts(text: str, *, location: str, as_json: bool) -> None:
    """Print contacts that match a name, a number or an address."""
    found = operations()(find, ContactSearch(q=text, location_id=location))
    tell_missing(found.missing)
    if as_json:
        print_json(found.contacts)
        return
    print_table(("contact", "location", "name"), [(one.contact_id, one.location_id, one.name) for one in found.contacts])


def newest_words(id_: str, *, as_json: bool) -> None:
    """A contact's newest message. Raises WrongInput, DidNotWork and Closed."""
    shown = operations()(words_of, WordsQuery(id_))
    if as_json:
        print_json(shown)
        return
    print(shown.text)


def try_now(id_: str, *, as_json: bool) -> None:
    """Retry a conversation immediately. Raises WrongInput and DidNotWork."""
    tried = operations()(try_conversation, ConversationQuery(id_))
    if as_json:
        print_json(tried)
        return
    print(f"{id_}: a worker is already processing it" if tried.working else f"{id_} is tried now")


def answer(id_: str, *, as_json: bool) -> None:
    """Answer a skipped message. Raises WrongInput and DidNotWork."""
    queued = operations()(answer_message, SkippedMessage(id_))
    if as_json:
        print_json(queued)
        return
    print(f"{id_} is answered as soon as a worker is free; `ghl-bridge explain {id_}` shows its outcome")


def send_draft(id_: str, *, as_json: bool) -> None:
    """Send a draft. Raises WrongInput and DidNotWork."""
    queued = operations()(send, Draft(id_))
    if as_json:
        print_json(queued)
        return
    print(f"draft {id_} is sent as soon as a worker is free, as the reply to {', '.join(queued.message_ids)}")


def _some(asked: Mapping[str, str], most: int) -> Iterator[ConversationRow]:
    perform, after, left = operations(), "", most
    while left > 0:
        page = perform(list_, _query({**asked, "after": after, "limit": min(PAGE, left)}))
        if not after:
            tell_missing(page.missing)
        yield from page.conversations
        left -= len(page.conversations)
        if page.next is None:
            return
        after = page.next


def _query(asked: Mapping[str, Any]) -> ConversationsQuery:
    try:
        return TypeAdapter(ConversationsQuery).validate_python(asked)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        raise WrongInput(f"--{fault['loc'][0]}: {fault['msg'].replace('Input should be', 'must be')}") from None
