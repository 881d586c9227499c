"""The meaning of answers other than a readable 2xx, for all completion services. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bridge.completion.status_words import cure_of_error
from bridge.errors import BridgeError, OperatorMustFix, OutcomeUnknown, Permanent, Retryable, ServiceDown, TokenRefused
from bridge.wire.answers import about_money, as_text, part, retry_after, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

PAYMENT_REQUIRED = 402
MONEY = "credit, billing or quota"
# Codes and types of temporary errors: OpenAI's, Anthropic's (`overloaded_error`, `api_error`) and OpenRouter's.
_PASSING = frozenset(
    [
        "server_error",
        "internal_server_error",
        "api_error",
        "overloaded_error",
        "overloaded",
        "service_unavailable",
        "rate_limit_exceeded",
        "rate_limit_error",
        "timeout",
        "upstream_error",
        "engine_overloaded_error",
    ]
)
# Errors for a question and answer that exceed the model's context, or for a limit of the answer that the service refuses: OpenAI
# (`context_length_exceeded`), vLLM ("maximum context length"), llama.cpp (`exceed_context_size_error`), Anthropic ("prompt is too
# long"), Gemini ("input token count"), and all that name `max_tokens` or `max_completion_tokens`.
_TOO_LONG = re.compile(
    rb"context[ _](?:length|window|size)|max_(?:completion_|output_|new_)?tokens|prompt is too long"
    rb"|input token count|too many tokens",
    re.IGNORECASE,
)
TOO_LONG = "the question, or max_tokens, is more than the model accepts; lower history_messages or set max_tokens"


class Unreadable(BridgeError):
    """A 2xx without a readable answer: incomplete JSON, another structure.

    The message says what came, and what to do if known.
    """


class Unsendable(OperatorMustFix):
    """A 2xx whose text is not for the contact; a setting, here or at the service, fixes it."""


def refusal(name: str, status: int, headers: Mapping[str, str], body: bytes, *, may_deliver: bool) -> BridgeError:
    """Sort an answer other than 2xx of the service `name`.

    Retryable for 425, 429 (with the wait asked for) and for credit, billing or quota in whatever status; OutcomeUnknown for 408
    and 5xx if it may deliver, ServiceDown if not; OperatorMustFix for 401, 403, redirects and errors with a known fix; Permanent
    for the rest.
    """
    sentence = f"{name}: HTTP {status}, {shape(body)}"
    cure = cure_of_error(status, body)
    match status:
        case _ if cure:
            return OperatorMustFix(f"{sentence}: {cure}")
        case 402 | 425 | 429:
            return Retryable(f"{sentence}: {MONEY}" if status == PAYMENT_REQUIRED else sentence, retry_after=retry_after(headers))
        case _ if 400 <= status < 500 and status != 408:  # noqa: PLR2004 - the protocol's own numbers
            return _refused_request(status, body, said=sentence)
        case _ if 300 <= status < 400:  # noqa: PLR2004
            return OperatorMustFix(f"{sentence}: a redirect, which is not followed; set the url that it leads to")
        case _:
            return lost(sentence, may_deliver=may_deliver, wait=retry_after(headers))


def lost(said: str, *, may_deliver: bool, wait: float | None = None, answered: bool = True) -> OutcomeUnknown | ServiceDown:
    """The error for a lost answer: asking again costs money and, if the service may deliver, can double the reply.

    `answered`: something came back, so the service isn't at work any more.
    """
    if not may_deliver:
        return ServiceDown(said, retry_after=wait)
    return OutcomeUnknown(f"{said}: it may have been delivered", answered=answered)


def words_of(document: Mapping[str, Any]) -> str:
    """All texts of a JSON error, only to search in them; they are never shown."""
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


def reported(name: str, document: Mapping[str, Any], form: str) -> BridgeError:
    """The error for a 2xx that reports an error (seen on several services); `form` is its structure."""
    sentence, words = f"{name}: HTTP 200 that reports an error, {form}", words_of(document)
    if about_money(words.encode()):
        return Retryable(f"{sentence}: {MONEY}")
    error = document.get("error")
    if _passes(error):
        return broken_off(name, error)
    return OperatorMustFix(f"{sentence}: {TOO_LONG}") if _TOO_LONG.search(words.encode()) else Permanent(sentence)


def broken_off(name: str, error: object) -> Retryable:
    """The error for an answer that broke off in the middle; ServiceDown if the service's own backend failed."""
    code = part(error, "code")
    sentence = f"{name}: HTTP 200, and the answer broke off with an error"
    return ServiceDown(f"{sentence} {code}") if isinstance(code, int) and 500 <= code < 600 else Retryable(sentence)  # noqa: PLR2004


def _passes(error: object) -> bool:
    code = part(error, "code")
    if isinstance(code, int):
        return code in {408, 425, 429} or 500 <= code < 600  # noqa: PLR2004
    return not _PASSING.isdisjoint({as_text(code).lower(), as_text(part(error, "type")).lower()})


def _refused_request(status: int, body: bytes, *, said: str) -> BridgeError:
    if about_money(body):
        return Retryable(f"{said}: {MONEY}")
    if status in {401, 403}:
        return TokenRefused(f"{said}: token refused", side="provider")
    return OperatorMustFix(f"{said}: {TOO_LONG}") if _TOO_LONG.search(body) else Permanent(said)
