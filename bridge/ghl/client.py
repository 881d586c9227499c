"""GHL's HTTP client. Posts and reads are retried differently, because contacts would see a double post."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from bridge.errors import OutcomeUnknown, Retryable
from bridge.ghl.access import Need, with_token
from bridge.ghl.conversations import decipher_conversations, decipher_email
from bridge.ghl.messages import (
    body,
    check_allowed,
    check_taken,
    decipher,
    decipher_contact,
    decipher_content,
    decipher_page,
    decipher_search,
    decipher_text,
)
from bridge.ghl.requests import ask
from bridge.model import ContactId, MessageId
from bridge.wire.backoff import persist
from bridge.wire.calls import CutShort

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.ghl.access import Access
    from bridge.ghl.conversations import Conversations
    from bridge.ghl.messages import Content, MessagePage
    from bridge.ghl.scopes import Look
    from bridge.model import Contact, ConversationId, LocationId, Reply, Sent, Skip
    from bridge.wire.calls import Wire

T = TypeVar("T")

# https://marketplace.gohighlevel.com/docs: without the header, or with an unknown one, GHL answers 401.
CONVERSATIONS = "2021-04-15"
CONTACTS = "2021-07-28"
# For endpoints that no older version has.
ONLY_V3 = "v3"

# A hundred e-mails with their HTML.
NEWEST = MessageId("")
ANYBODY = ContactId("")
PAGE_ROWS = 50
SEARCH_ROWS = 100
READ_BYTES = 4 * 1024 * 1024


class GHL:
    """GHL's conversations and contacts. Each call tries at most three times within its seconds.

    `version` replaces the API version that GHL's documentation names for an endpoint.
    Every call takes a location's access (`token`). A refused token is renewed once, if possible. Raises BudgetExhausted, without
    waiting, if the location's rate limit is used up or GHL answers 429 without naming a wait.
    """

    def __init__(self, wire: Wire, base_url: str, *, version: str = "", sleep: Callable[[float], None] = time.sleep) -> None:
        self._wire = wire
        self._version = version
        self._base_url = base_url.rstrip("/")
        self._sleep = sleep

    def post(
        self,
        reply: Reply,
        *,
        token: Access,
        seconds: float,
        before_send: Callable[[], None] | None = None,
        before_connect: Callable[[], None] | None = None,
        on_refused: Callable[[Retryable], None] | None = None,
    ) -> Sent | Skip:
        """Send a reply. It is retried only if it was certainly not sent; see `messages.decipher` for the result.

        `before_send` is called right before the first byte of each attempt; if it raises, nothing was sent. It also takes the
        request from the location's budget; without it, this call does that first. `before_connect`: see `Wire.call`.
        `on_refused` is called after each attempt that GHL refused, if another one follows.
        Raises Retryable, OutcomeUnknown, Permanent and OperatorMustFix.
        """

        def attempt(shown: str, left: float) -> Sent | Skip:
            if before_send is None:
                token.budget.acquire(Need.POST)
            try:
                answer = ask(
                    self._wire,
                    "POST",
                    f"{self._base_url}/conversations/messages",
                    access=token,
                    direction="posts",
                    headers=self._headers(shown, CONVERSATIONS),
                    json=body(reply),
                    seconds=left,
                    before_send=before_send,
                    before_connect=before_connect,
                )
            except CutShort as cut:
                if 200 <= cut.status < 300:  # noqa: PLR2004 - GHL took it; only its receipt is lost
                    return decipher(cut.status, {}, b"", reply=reply)
                raise
            return decipher(answer.status, answer.headers, answer.body, reply=reply)

        return persist(lambda left: with_token(token, attempt, left), seconds=seconds, sleep=self._sleep, on_wait=on_refused)

    def contact(self, contact_id: ContactId, *, token: Access, seconds: float) -> Contact:
        """Read a contact. Raises Retryable, Permanent and OperatorMustFix."""
        return self.read(
            f"/contacts/{quote(contact_id, safe='')}",
            lambda status, headers, body: decipher_contact(status, headers, body, contact_id=contact_id),
            token=token,
            version=CONTACTS,
            seconds=seconds,
        )

    def look(self, look: Look, *, token: Access, seconds: float) -> None:
        """Find out whether the token may read something; a 404 is not a refusal.

        Raises TokenRefused, OperatorMustFix (it lacks the scope) and Retryable.
        """
        version = CONTACTS if look.of_contacts else CONVERSATIONS
        self.read(look.path, check_allowed, token=token, version=version, seconds=seconds, params=look.params)

    def tag(self, contact_id: ContactId, tag: str, *, token: Access, seconds: float) -> None:
        """Put a tag on a contact; twice is the same as once. Raises Retryable, Permanent and OperatorMustFix."""
        path = f"/contacts/{quote(contact_id, safe='')}/tags"
        self.read(path, check_taken, method="POST", json={"tags": [tag]}, token=token, version=CONTACTS, seconds=seconds)

    def assign(self, contact_id: ContactId, user_id: str, *, token: Access, seconds: float) -> None:
        """Assign a contact, and so its conversation, to a user; twice is the same as once. Raises as `tag`."""
        path = f"/contacts/{quote(contact_id, safe='')}"
        self.read(path, check_taken, method="PUT", json={"assignedTo": user_id}, token=token, version=CONTACTS, seconds=seconds)

    def find_conversation(
        self, location_id: LocationId, contact_id: ContactId, *, token: Access, seconds: float
    ) -> ConversationId:
        """Find a contact's conversation; empty if there is none yet. Raises as `contact`."""
        return self.read(
            "/conversations/search",
            lambda status, headers, body: decipher_search(status, headers, body, contact_id=contact_id),
            token=token,
            version=CONVERSATIONS,
            seconds=seconds,
            params={"locationId": location_id, "contactId": contact_id},
        )

    def page(self, conversation_id: ConversationId, *, token: Access, seconds: float, after: MessageId = NEWEST) -> MessagePage:
        """Read a page of a conversation's messages, the newest ones or those before `after`, newest first.

        Raises Retryable, Permanent and OperatorMustFix.
        """
        return self.read(
            f"/conversations/{quote(conversation_id, safe='')}/messages",
            decipher_page,
            token=token,
            version=CONVERSATIONS,
            seconds=seconds,
            params={"limit": PAGE_ROWS, **({"lastMessageId": after} if after else {})},
        )

    def text(self, message_id: MessageId, *, token: Access, seconds: float) -> str:
        """Read one message's text, which lists leave out for e-mails. Raises Retryable, Permanent and OperatorMustFix."""
        path = f"/conversations/messages/{quote(message_id, safe='')}"
        return self.read(path, decipher_text, token=token, version=CONVERSATIONS, seconds=seconds)

    def content(self, message_id: MessageId, *, token: Access, seconds: float) -> Content:
        """Read one message's text and files. Raises as `text`."""
        path = f"/conversations/messages/{quote(message_id, safe='')}"
        return self.read(path, decipher_content, token=token, version=CONVERSATIONS, seconds=seconds)

    def conversations(
        self,
        location_id: LocationId,
        *,
        token: Access,
        seconds: float,
        before_ms: int = 0,
        contact_id: ContactId = ANYBODY,
    ) -> Conversations:
        """Search the conversations of a location or a contact: the newest first, or those before a time of GHL's clock.

        Raises as `page`.
        """
        return self.read(
            "/conversations/search",
            lambda status, headers, body: decipher_conversations(status, headers, body, limit=SEARCH_ROWS),
            token=token,
            version=CONVERSATIONS,
            seconds=seconds,
            params={
                "locationId": location_id,
                "limit": SEARCH_ROWS,
                "sort": "desc",
                "sortBy": "last_message_date",
                **({"startAfterDate": before_ms} if before_ms else {}),
                **({"contactId": contact_id} if contact_id else {}),
            },
        )

    def email(self, id_: MessageId, *, token: Access, seconds: float) -> Mapping[str, Any]:
        """Read GHL's record of an e-mail. Raises as `page`."""
        path = f"/conversations/messages/email/{quote(id_, safe='')}"
        return self.read(path, decipher_email, token=token, version=CONVERSATIONS, seconds=seconds)

    def read(
        self,
        path: str,
        decipher: Callable[[int, Mapping[str, str], bytes], T],
        *,
        token: Access,
        version: str,
        seconds: float,
        params: Mapping[str, str | int] | None = None,
        method: str = "GET",
        json: object | None = None,
    ) -> T:
        """Make a request that may be repeated, a read or not. Raises as `contact`, and the errors of `decipher`."""

        def attempt(shown: str, left: float) -> T:
            headers = self._headers(shown, version)
            more: dict[str, Any] = {"json": json, "params": params, "max_bytes": READ_BYTES}
            token.budget.acquire(token.need)
            try:
                url = self._base_url + path
                answer = ask(self._wire, method, url, access=token, direction="reads", headers=headers, seconds=left, **more)
                return decipher(answer.status, answer.headers, answer.body)
            except OutcomeUnknown as error:
                raise Retryable(f"reading failed: {error}") from error

        return persist(lambda left: with_token(token, attempt, left), seconds=seconds, sleep=self._sleep)

    def _headers(self, token: str, published: str) -> dict[str, str]:
        """With the version of the settings, else the one that GHL's documentation names for the endpoint."""
        version = published if published == ONLY_V3 else self._version or published
        return {"Authorization": f"Bearer {token}", "Version": version, "Accept": "application/json"}
