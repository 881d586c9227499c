"""Responses of the admin API: the operation's result, or `{"error": {"code", "message"}}`."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bridge.errors import BridgeError, Misconfigured, NotKnown, Rejected, TooOften, Unauthorized, Unavailable, WrongInput
from bridge.receiver.answers import ClosingResponse

if TYPE_CHECKING:
    from starlette.requests import Request

# The first matching class counts, so subclasses come first.
KINDS: tuple[tuple[type[BridgeError], HTTPStatus, str], ...] = (
    (NotKnown, HTTPStatus.NOT_FOUND, "not_known"),
    (WrongInput, HTTPStatus.UNPROCESSABLE_ENTITY, "wrong_input"),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    (Misconfigured, HTTPStatus.SERVICE_UNAVAILABLE, "misconfigured"),
    (BridgeError, HTTPStatus.BAD_GATEWAY, "did_not_work"),
)
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer(document: object) -> Response:
    """The JSON response with an operation's result (dataclasses)."""
    return Response(orjson.dumps(document), headers=HEADERS, media_type="application/json")


def refuse(error: Exception, *, unread: bool = False) -> Response:
    """The HTTP response for an error. `unread`: the request body is not complete."""
    match error:
        case Rejected():
            return _error(error.status, error.code, str(error), headers=_more(error), unread=unread)
        case BridgeError():
            status, code = next((status, code) for kind, status, code in KINDS if isinstance(error, kind))
            return _error(status, code, str(error))
        case _:
            return _error(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "an internal error; see the server's log")


async def refuse_http(request: Request, error: Exception) -> Response:
    """The response for requests that Starlette refuses: unknown path or method."""
    del request
    status = HTTPStatus(error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = error.headers if isinstance(error, HTTPException) else None
    return _error(
        status, status.name.lower(), f"{status.phrase}: there is no such path, or it does not accept this method", headers=headers
    )


def _more(error: Rejected) -> dict[str, str]:
    if isinstance(error, TooOften):
        return {"Retry-After": str(ceil(error.wait))}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else {}


def _error(status: int, code: str, message: str, *, headers: object = None, unread: bool = False) -> Response:
    document = {"error": {"code": code, "message": message}}
    more = {**HEADERS, **(headers if isinstance(headers, dict) else {})}
    kind = ClosingResponse if unread else Response
    return kind(orjson.dumps(document), status, more, media_type="application/json")
