"""What a completion service's answers other than a readable 2xx mean, whichever service it is. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.errors import BridgeError, Down, OperatorMustFix, OutcomeUnknown, Permanent, Retryable, TokenRefused
from bridge.wire.answers import about_money, as_text, json_object, part, retry_after, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

MONEY = "credit, billing or quota"


class Unreadable(BridgeError):
    """A 2xx that is no answer: HTML, cut-off JSON, another shape."""


def readable(body: bytes) -> dict[str, Any]:
    """The JSON object that a 2xx should be. Raises Unreadable."""
    document = json_object(body)
    if document is None:
        raise Unreadable(shape(body))
    return document


def refusal(name: str, status: int, headers: Mapping[str, str], body: bytes, *, may_deliver: bool) -> BridgeError:
    """Sort an answer other than 2xx of the service `name`.

    Retryable for 425, 429 (with the wait asked for) and for credit, billing or quota in whatever status; OutcomeUnknown for 408
    and 5xx if it may deliver, Down if not; OperatorMustFix for 401, 403 and redirects; Permanent for the rest.
    """
    said = f"{name}: HTTP {status}, {shape(body)}"
    match status:
        case 425 | 429:
            return Retryable(said, retry_after=retry_after(headers))
        case 402:
            return Retryable(f"{said}: {MONEY}")
        case 408:
            return lost(said, may_deliver=may_deliver, wait=retry_after(headers))
        case _ if 400 <= status < 500:  # noqa: PLR2004 - the protocol's own numbers
            return _refused_request(status, body, said=said)
        case _ if 300 <= status < 400:  # noqa: PLR2004
            return OperatorMustFix(f"{said}: a redirect, which is not followed; set the url that it leads to")
        case _:
            return lost(said, may_deliver=may_deliver, wait=retry_after(headers))


def lost(said: str, *, may_deliver: bool, wait: float | None = None) -> OutcomeUnknown | Down:
    """The run may have happened. Asking again costs money; if it may deliver, it can also double the reply."""
    return OutcomeUnknown(f"{said}: it may have been delivered") if may_deliver else Down(said, retry_after=wait)


def words_of(document: dict[str, Any]) -> str:
    """All that a JSON answer says of an error, to be looked through and never to be repeated."""
    error = document.get("error")
    named = (
        error,
        part(error, "code"),
        part(error, "type"),
        part(error, "message"),
        document.get("message"),
        document.get("detail"),
    )
    return " ".join(filter(None, map(as_text, named)))


def reported(name: str, document: dict[str, Any], body: bytes) -> BridgeError:
    """Sort a 2xx that reports an error (seen on several services)."""
    said, words = f"{name}: HTTP 200 that reports an error, {shape(body)}", words_of(document)
    if about_money(words.encode()):
        return Retryable(f"{said}: {MONEY}")
    return Permanent(said)


def _refused_request(status: int, body: bytes, *, said: str) -> BridgeError:
    if about_money(body):
        return Retryable(f"{said}: {MONEY}")
    if status in {401, 403}:
        return TokenRefused(f"{said}: token refused", side="provider")
    return Permanent(said)
