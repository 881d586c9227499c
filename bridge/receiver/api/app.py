"""The routes of the admin API, built from the registry of operations; each call runs in a thread, not on the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route

from bridge.errors import BridgeError, TooLarge
from bridge.operating.local import LocalOperations
from bridge.operating.registry import OPERATIONS
from bridge.receiver.api.answers import answer, refuse, refuse_http
from bridge.receiver.api.openapi import describe
from bridge.receiver.api.questions import question
from bridge.receiver.bodies import read
from bridge.receiver.waiting import BoundedWaits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bridge.model import Operator
    from bridge.operating.admin_auth import AdminAuth
    from bridge.operating.operation import Operation
    from bridge.operating.services import AdminServices

    Endpoint = Callable[[Request], Awaitable[Response]]

log = structlog.get_logger()

T = TypeVar("T")

# A thousand locations with long instructions each.
MOST_BYTES = 16 * 1024 * 1024
# How many calls may wait for Redis or a service at the same time; further ones are queued. Webhooks have other threads.
THREADS = 8


def build(admin_services: AdminServices) -> Starlette:
    """Build the app for `/api/v1`."""
    threads = CapacityLimiter(THREADS)
    paths: dict[str, dict[str, Endpoint]] = {"/openapi.json": {"GET": _described()}}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method] = _endpoint(each, admin_services, threads)
    return Starlette(
        routes=[_route(path, methods) for path, methods in sorted(paths.items(), key=lambda pair: "{" in pair[0])],
        middleware=[
            Middleware(BoundedWaits, whole=False),
            Middleware(Admitted, admit=lambda: admin_services.admin_auth, threads=threads),
        ],
        exception_handlers={HTTPException: refuse_http},
    )


class Admitted:
    """Requires the admin token, or an operator's, for every request; the request then knows its operator."""

    def __init__(self, app: ASGIApp, admit: Callable[[], AdminAuth], threads: CapacityLimiter) -> None:
        self._app = app
        self._admission = admit
        self._threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        request = Request(scope)
        try:
            request.state.operator = await to_thread.run_sync(self._admit, request, limiter=self._threads)
        except BridgeError as error:
            log.warning("api.refused", why=type(error).__name__)
            await refuse(error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _admit(self, request: Request) -> Operator:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        address = request.client.host if request.client else ""
        return self._admission().admit(address, token.strip() if kind.lower() == "bearer" else "")


def _route(path: str, methods: dict[str, Endpoint]) -> Route:
    async def dispatch(request: Request) -> Response:
        return await methods["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, dispatch, methods=list(methods))


def _endpoint(operation: Operation[object, object], admin_services: AdminServices, threads: CapacityLimiter) -> Endpoint:
    ask = question(operation)

    async def take(request: Request) -> Response:
        try:
            asked = ask(request.path_params, request.query_params.multi_items(), await read(request, most=MOST_BYTES))
            perform = LocalOperations(admin_services, who="token", operator=request.state.operator)
            done = await to_thread.run_sync(perform, operation, asked, limiter=threads)
            return answer(done)
        except BridgeError as error:
            log.warning("api.refused", operation=operation.name, why=type(error).__name__)
            return refuse(error, unread=isinstance(error, TooLarge))
        except (ClientDisconnect, TimeoutError):
            return refuse(TooLarge("the request body did not arrive in time"), unread=True)
        except Exception as error:
            log.exception("api.failed", operation=operation.name, error=type(error).__name__)
            return refuse(error)

    return take


def _described() -> Endpoint:
    async def tell(request: Request) -> Response:
        del request
        return answer(describe(OPERATIONS))

    return tell
