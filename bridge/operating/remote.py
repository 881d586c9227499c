"""Runs operations through another server's admin API."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from bridge.errors import DidNotWork, Misconfigured, OperatorMustFix, OutcomeUnknown, Retryable, WrongInput
from bridge.wire.answers import as_text, json_object, part

if TYPE_CHECKING:
    from bridge.operating.operation import Operation
    from bridge.wire.calls import Answer, Wire

A = TypeVar("A")
R = TypeVar("R")

# An end-to-end test may take this long: a completion, with requests to GHL before and after it.
SECONDS = 180.0
# A timeline of 500 events, a page of 500 locations.
MOST_BYTES = 16 * 1024 * 1024
OK = 200
WRONG = frozenset({"malformed", "not_known", "wrong_input"})
SETTINGS = {
    "unauthorized": "BRIDGE_ADMIN_TOKEN is not the admin token of the server at {url}",
    "closed": "the server at {url} has no BRIDGE_ADMIN_TOKEN, so its admin API is disabled",
}


class RemoteOperations:
    """Runs operations on the server at `url`, with its admin token."""

    def __init__(self, wire: Wire, *, url: str, token: str) -> None:
        self._wire = wire
        self._url = url
        self._token = token

    def __call__(self, operation: Operation[A, R], asked: A) -> R:
        """Run an operation; see `Operations`."""
        answer = self._call(operation, asked)
        if answer.status != OK:
            raise self._refusal(answer)
        try:
            done: R = TypeAdapter(operation.answers).validate_json(answer.body)
        except ValidationError:
            raise DidNotWork(
                f"the server at {self._url} sent an answer that this version can't read: do both run the same version?"
            ) from None
        return done

    def _call(self, operation: Operation[A, R], asked: A) -> Answer:
        """Make the call. If no answer arrives, a change may still have been made."""
        path = operation.path
        for name in operation.in_path:
            path = path.replace(f"{{{name}}}", quote(getattr(asked, name), safe=""))
        try:
            return self._wire.call(
                operation.method,
                f"{self._url}/api/v1{path}",
                headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
                json={name: getattr(asked, name) for name in operation.in_body} or None,
                params={name: getattr(asked, name) for name in operation.in_query} or None,
                seconds=SECONDS,
                max_bytes=MOST_BYTES,
            )
        except Retryable as error:
            raise DidNotWork(f"the server at {self._url} can't be reached ({error}): check BRIDGE_URL") from None
        except OutcomeUnknown as error:
            raise DidNotWork(f"no answer from {self._url} ({error}); a change may still have been made") from None
        except OperatorMustFix as error:
            raise Misconfigured(f"BRIDGE_URL or BRIDGE_ADMIN_TOKEN: {error}") from None

    def _refusal(self, answer: Answer) -> Exception:
        error = (json_object(answer.body) or {}).get("error")
        code, message = as_text(part(error, "code")), as_text(part(error, "message"))
        if code in SETTINGS:
            return Misconfigured(SETTINGS[code].format(url=self._url))
        if code in WRONG:
            return WrongInput(message)
        if code == "misconfigured":
            return Misconfigured(f"on the server at {self._url}: {message}")
        if not code:
            return DidNotWork(f"{self._url} answers HTTP {answer.status}, but not like an admin API: check BRIDGE_URL")
        return DidNotWork(message)
