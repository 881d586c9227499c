"""GHL's refusals: maps an answer other than 2xx to the error that says what to do next.

The undocumented `canonicalCode` is the most reliable field: it counts before texts, and both count before the status.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.errors import OperatorMustFix, OutcomeUnknown, Permanent, Retryable, TokenRefused, VersionRefused
from bridge.ghl.rate_limit_headers import TOO_MANY_REQUESTS, rate_limited
from bridge.wire.answers import about_money, as_text, json_object, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.errors import BridgeError

REDIRECTS = range(300, 400)
BAD_REQUEST, UNAUTHORIZED, PAYMENT_REQUIRED, REQUEST_TIMEOUT, SERVER_ERROR = 400, 401, 402, 408, 500

_NOT_NOW = "CONVERSATIONS_CONTACT_NOT_FOUND"  # lags behind the contact's creation by seconds
_NEVER = {
    "CONVERSATIONS_MSG_NO_EMAIL": "the contact has no e-mail address",
    "CONVERSATIONS_MSG_INVALID_EMAIL": "the contact's e-mail address is not valid",
    "CONVERSATIONS_MSG_INVALID_EMAILTO": "the address is none of the contact's",
    "CONVERSATIONS_MSG_NO_PHONE": "the contact has no phone number",
    "CONVERSATIONS_MSG_CHAT_NO_LONGER_ACTIVE": "the channel's window is over until the contact writes again",
    "CONVERSATIONS_MSG_NOT_FOUND": "there is no such message",
    "CONVERSATIONS_MSG_RECORDING_NOT_FOUND": "there is no such recording",
    "CONVERSATIONS_MSG_NO_CONTENT": "the message has no content",
}
_SETTINGS = {
    "CONVERSATIONS_MSG_CONVERSATION_PROVIDER_MISMATCH": "the conversation provider doesn't serve this conversation",
    "CONVERSATIONS_MSG_PROVIDER_NO_ACCESS": "only the app that owns the conversation provider may send through it",
    "invalid conversationproviderid": "GHL doesn't know the conversation provider",
}


@dataclass(frozen=True, slots=True)
class _Login:
    """The meaning of a 401 or 403 whose text contains `sign`.

    `refused`: the token itself is refused, which counts towards a hold. `renewable`: a renewed token of the same grant may work.
    """

    sign: str
    meaning: str
    refused: bool = False
    renewable: bool = False


# GHL's text about an unknown `Version` header; about a retired one, its Versioning page says only that requests "will no longer
# be accepted".
_VERSION = re.compile(r"version header|\bversion\b.{0,80}\b(?:retired|no longer|not supported|unsupported|deprecated|sunset)")

# First the causes that remain with a new token of the same app, last those that a renewed or a new token removes.
_LOGINS = (
    _Login("not authorized for this scope", "the token lacks a scope: add it to the app or integration, then authorize again"),
    _Login("authclass type is not allowed", "this kind of token is not allowed here: a location's token is needed"),
    _Login("does not have access to this location", "token refused: it belongs to another location", refused=True),
    _Login("", "token refused: it is wrong, expired or revoked", refused=True, renewable=True),
)


def is_version(words: str) -> bool:
    """Whether GHL's text, in lower case, refuses the API version of a request."""
    return bool(_VERSION.search(words))


def version_refused(said: str) -> VersionRefused:
    """The error for a refused API version."""
    return VersionRefused(f"{said}: GHL does not accept the API version; set GHL_API_VERSION to one that GHL still supports")


def is_dnd(status: int, body: bytes) -> bool:
    """Whether GHL refuses because the contact wants no messages. Older answers show it only by their text."""
    code, words = code_of(body), _words(body)
    if code:
        return code.startswith("CONVERSATIONS_MSG_DND_ACTIVE") or code == "CONVERSATIONS_MSG_UNSUBSCRIBED"
    return status >= BAD_REQUEST and ("dnd is active" in words or "has unsubscribed" in words)


def code_of(body: bytes) -> str:
    """Return `canonicalCode` if it looks like one, else "". Error messages contain no other text of GHL's."""
    code = as_text((json_object(body) or {}).get("canonicalCode"))
    return code if re.fullmatch(r"[A-Z][A-Z_]{1,80}", code) else ""


def refusal(status: int, headers: Mapping[str, str], body: bytes, *, what: str) -> BridgeError:
    """The error for an answer other than 2xx and DND. Its message contains `what`, the status, and the code or the keys.

    BudgetExhausted for 429, or Retryable if GHL says how long to wait; Retryable for a contact too new, credit and billing;
    OutcomeUnknown for 408, 5xx and anything that is not an answer; OperatorMustFix for tokens and conversation providers;
    Permanent for the rest.
    """
    code, words = code_of(body), _words(body)
    sentence = f"GHL refused the {what}: HTTP {status}, {code or shape(body)}"
    if code == _NOT_NOW:
        return Retryable(f"{sentence}: the contact is not there, or not yet")
    if code in _NEVER:
        return Permanent(f"{sentence}: {_NEVER[code]}")
    for sign, meaning in _SETTINGS.items():
        if sign == code or sign in words:
            return OperatorMustFix(f"{sentence}: {meaning}")
    if BAD_REQUEST <= status < SERVER_ERROR and status != REQUEST_TIMEOUT:
        return _refused_request(status, headers, body, said=sentence)
    if status in REDIRECTS:
        return Permanent(f"{sentence}: a redirect, which is not followed; check GHL_API_URL")
    return OutcomeUnknown(f"{sentence}: it may have been carried out")


def _refused_request(status: int, headers: Mapping[str, str], body: bytes, *, said: str) -> BridgeError:
    match status:
        case _ if status == TOO_MANY_REQUESTS:
            return rate_limited(headers, said=said)
        case _ if status == PAYMENT_REQUIRED or about_money(body):
            return Retryable(f"{said}: credit or billing")
        case _ if is_version(_words(body)):
            return version_refused(said)
        case 401 | 403:
            return _refused_login(status, body, said=said)
        case _:
            return Permanent(said)


def _refused_login(status: int, body: bytes, *, said: str) -> BridgeError:
    login = _login(_words(body))
    if not login.refused:
        return OperatorMustFix(f"{said}: {login.meaning}")
    renewable = status == UNAUTHORIZED and login.renewable
    return TokenRefused(f"{said}: {login.meaning}", side="ghl", renewable=renewable)


def _login(words: str) -> _Login:
    return next(login for login in _LOGINS if login.sign in words)


def _words(body: bytes) -> str:
    """GHL's `message`, a text or a list of them, in lower case: for searching, never for output."""
    message = (json_object(body) or {}).get("message")
    return " ".join(as_text(line) for line in (message if isinstance(message, list) else [message])).lower()
