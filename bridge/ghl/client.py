"""GHL over the wire. Posting twice is a fault that a contact sees, reading twice is none: that is the whole difference here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from bridge.errors import OutcomeUnknown, Retryable
from bridge.ghl.messages import body, check_tagged, decipher, decipher_contact, decipher_page, decipher_text
from bridge.model import MessageId
from bridge.wire.calls import CutShort
from bridge.wire.patience import persist

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.ghl.messages import Page
    from bridge.model import Contact, ContactId, ConversationId, Reply, Sent, Skip
    from bridge.wire.calls import Wire

T = TypeVar("T")

# https://marketplace.gohighlevel.com/docs: without the header, or with an unknown one, GHL answers 401.
CONVERSATIONS = "2021-04-15"
CONTACTS = "2021-07-28"

# A hundred e-mails with their HTML.
NEWEST = MessageId("")
PAGE_ROWS = 50
READ_BYTES = 4 * 1024 * 1024


class GHL:
    """GHL's conversations and contacts. Each call tries at most three times within its seconds."""

    def __init__(self, wire: Wire, base_url: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._wire = wire
        self._base_url = base_url.rstrip("/")
        self._sleep = sleep

    def post(self, reply: Reply, *, token: str, seconds: float, before_send: Callable[[], None] | None = None) -> Sent | Skip:
        """Send a reply. Only what is known not to have been sent is tried again; see `messages.decipher` for what comes out.

        `before_send` is called right before the first byte of each try; what it raises comes out, and nothing was sent.
        Raises Retryable, whose `retry_after` is set if GHL asked for more than ten seconds, OutcomeUnknown, Permanent and
        OperatorMustFix.
        """
        return persist(
            lambda left: self._post(reply, token=token, seconds=left, before_send=before_send), seconds=seconds, sleep=self._sleep
        )

    def contact(self, contact_id: ContactId, *, token: str, seconds: float) -> Contact:
        """Read a contact. Raises Retryable, Permanent and OperatorMustFix."""
        return self._read(
            f"/contacts/{quote(contact_id, safe='')}",
            lambda status, headers, body: decipher_contact(status, headers, body, contact_id=contact_id),
            headers=_headers(token, CONTACTS),
            seconds=seconds,
        )

    def tag(self, contact_id: ContactId, tag: str, *, token: str, seconds: float) -> None:
        """Put a tag on a contact; twice is the same as once. Raises Retryable, Permanent and OperatorMustFix."""
        path = f"/contacts/{quote(contact_id, safe='')}/tags"
        self._read(path, check_tagged, method="POST", json={"tags": [tag]}, headers=_headers(token, CONTACTS), seconds=seconds)

    def page(self, conversation_id: ConversationId, *, token: str, seconds: float, after: MessageId = NEWEST) -> Page:
        """Read a page of a conversation's messages, the newest ones or those before `after`, newest first.

        Raises Retryable, Permanent and OperatorMustFix.
        """
        return self._read(
            f"/conversations/{quote(conversation_id, safe='')}/messages",
            decipher_page,
            headers=_headers(token, CONVERSATIONS),
            seconds=seconds,
            params={"limit": PAGE_ROWS, **({"lastMessageId": after} if after else {})},
        )

    def text(self, message_id: MessageId, *, token: str, seconds: float) -> str:
        """Read one message's text, which lists leave out for e-mails. Raises Retryable, Permanent and OperatorMustFix."""
        path = f"/conversations/messages/{quote(message_id, safe='')}"
        return self._read(path, decipher_text, headers=_headers(token, CONVERSATIONS), seconds=seconds)

    def _post(self, reply: Reply, *, token: str, seconds: float, before_send: Callable[[], None] | None) -> Sent | Skip:
        try:
            answer = self._wire.call(
                "POST",
                f"{self._base_url}/conversations/messages",
                headers=_headers(token, CONVERSATIONS),
                json=body(reply),
                seconds=seconds,
                before_send=before_send,
            )
        except CutShort as cut:
            if 200 <= cut.status < 300:  # noqa: PLR2004 - GHL took it; only its receipt is lost
                return decipher(cut.status, {}, b"", reply=reply)
            raise
        return decipher(answer.status, answer.headers, answer.body, reply=reply)

    def _read(
        self,
        path: str,
        decipher: Callable[[int, Mapping[str, str], bytes], T],
        *,
        headers: Mapping[str, str],
        seconds: float,
        params: Mapping[str, str | int] | None = None,
        method: str = "GET",
        json: object | None = None,
    ) -> T:
        """Anything that may be done twice, a read or not."""

        def attempt(left: float) -> T:
            try:
                answer = self._wire.call(
                    method,
                    self._base_url + path,
                    headers=headers,
                    json=json,
                    params=params,
                    seconds=left,
                    max_bytes=READ_BYTES,
                )
                return decipher(answer.status, answer.headers, answer.body)
            except OutcomeUnknown as error:
                raise Retryable(f"reading failed: {error}") from error

        return persist(attempt, seconds=seconds, sleep=self._sleep)


def _headers(token: str, version: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Version": version, "Accept": "application/json"}
