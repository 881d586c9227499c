"""From a request to a page: checks the login and the form's token, runs the view in a thread, shows errors as pages."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bridge.errors import BridgeError, Rejected, TooLarge, Unauthorized, Unavailable
from bridge.model import OWNER
from bridge.operating.local import LocalOperations
from bridge.receiver.api.answers import KINDS
from bridge.receiver.bodies import read
from bridge.receiver.console.pages import HOME, FileToSave, Moved, Page, Renderer, Visit, is_own
from bridge.receiver.console.recognition import Recognition
from bridge.receiver.console.sessions import COOKIE, NOTE, NOTE_SECONDS, SECONDS, Note, Sessions, forget_cookie, keep_cookie
from bridge.store.figures.gauges import measure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from bridge.model import Operator
    from bridge.operating.services import AdminServices
    from bridge.receiver.console.sessions import Session

    Show = Callable[[Visit], Page | Moved | FileToSave]
    Endpoint = Callable[[Request], Awaitable[Response]]

log = structlog.get_logger()

# A form that names 500 dead letters.
MOST_BYTES = 256 * 1024
# How many pages may wait for Redis or GHL at the same time; webhooks have other threads.
THREADS = 8


class PageEndpoints:
    """The endpoints of all pages: login, sessions, errors."""

    def __init__(self, admin_services: AdminServices) -> None:
        self._admin_services = admin_services
        self._sessions = Sessions(admin_services.settings)
        self._renderer = Renderer()
        self._threads = CapacityLimiter(THREADS)
        self._recognition = Recognition(admin_services, self._sessions)

    def page(self, show: Show) -> Endpoint:
        """Build an endpoint that requires a login; a posted form must come from a page of that login."""

        async def take(request: Request) -> Response:
            session, cookie = await self.session(request), ""
            if session is None:
                session, cookie = await to_thread.run_sync(self._recognition.by_proxy, request, limiter=self._threads)
            if session is None:
                return RedirectResponse(f"/console/login?next={quote(_wanted(request))}", HTTPStatus.SEE_OTHER)
            try:
                form = await _form(request)
            except (TooLarge, ClientDisconnect, TimeoutError):
                page = _error("The form did not arrive completely.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                return await self._show(request, session, page)
            if request.method == "POST" and not self._is_meant(request, session, form):
                says = "This form does not belong to this login. Go back, reload the page, and try again."
                return await self._show(request, session, _error(says, HTTPStatus.FORBIDDEN))
            perform = LocalOperations(self._admin_services, who="console", operator=session.operator)
            visit = Visit(request=request, session=session, perform=perform, admin_services=self._admin_services, form=form)
            response = await to_thread.run_sync(self._answer, show, visit, limiter=self._threads)
            if cookie:
                keep_cookie(response, request, COOKIE, cookie, SECONDS)
            return response

        return take

    async def session(self, request: Request) -> Session | None:
        """The session of a request; None if nobody is logged in."""
        return await to_thread.run_sync(self._recognition.by_cookie, request, limiter=self._threads)

    async def login(self, request: Request) -> Response:
        """Ask for the admin token, and log in."""
        to = _own(request.query_params.get("next", ""))
        if request.method != "POST":
            name = self._recognition.named_by_proxy(request)
            says = (
                f"{name}, whom your proxy names, is not an operator here: `ghl-bridge operators add` makes one." if name else ""
            )
            return await self._show(request, None, Page("login.html", "", {"says": says, "to": to}))
        try:
            if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
                raise Unauthorized("this login was not sent from the console's login page")
            form = await _form(request)
            operator = await to_thread.run_sync(self._admit, request, form, limiter=self._threads)
        except (BridgeError, ClientDisconnect, TimeoutError) as error:
            log.warning("console.login_refused", why=type(error).__name__)
            says = _sentence(error) if isinstance(error, BridgeError) else "The form did not arrive completely."
            return await self._show(request, None, Page("login.html", "", {"says": says, "to": to}, _status(error)))
        log.info("console.login")
        response = RedirectResponse(to, HTTPStatus.SEE_OTHER)
        keep_cookie(response, request, COOKIE, self._sessions.begin(operator), SECONDS)
        return response

    def _admit(self, request: Request, form: dict[str, list[str]]) -> Operator:
        address = request.client.host if request.client else ""
        return self._admin_services.admin_auth.admit(address, next(iter(form.get("token", ())), "").strip())

    def logout(self, visit: Visit) -> Moved:
        """End the login, also for copies of its cookie. Raises Unavailable if Redis can't be reached."""
        self._admin_services.admin_auth.dismiss(visit.session.id, seconds=SECONDS)
        return Moved("/console/login")

    async def missing(self, request: Request) -> Response:
        """The page for an unknown path."""
        return await self._show(request, await self.session(request), _error("There is no such page.", HTTPStatus.NOT_FOUND))

    async def closed(self, request: Request) -> Response:
        """The page for a console without an admin token."""
        return await self._show(request, None, Page("closed.html", "", status=HTTPStatus.FORBIDDEN))

    def _answer(self, show: Show, visit: Visit) -> Response:
        try:
            view = show(visit)
            if isinstance(view, Moved):
                return self._move(visit, view)
            if isinstance(view, FileToSave):
                headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(view.name)}"}
                return Response(view.text, headers=headers, media_type=view.media_type)
            return self._tell(visit.request, visit.session, view, visit.given("here"))
        except BridgeError as error:
            here = visit.back("")
            if here and not isinstance(error, Unavailable):
                return self._move(visit, Moved(here, _sentence(error), failed=True))
            page = _error(_sentence(error), _status(error))
        except Exception as error:
            log.exception("console.failed", path=visit.request.url.path, error=type(error).__name__)
            page = _error("An internal error; see the server's log.", HTTPStatus.INTERNAL_SERVER_ERROR)
        return self._tell(visit.request, visit.session, page)

    def _move(self, visit: Visit, view: Moved) -> Response:
        response = RedirectResponse(view.to, HTTPStatus.SEE_OTHER)
        if view.note:
            keep_cookie(response, visit.request, NOTE, self._sessions.note(Note(view.note, view.failed)), NOTE_SECONDS)
        if view.to == "/console/login":
            forget_cookie(response, COOKIE)
        return response

    async def _show(self, request: Request, session: Session | None, page: Page) -> Response:
        return await to_thread.run_sync(self._tell, request, session, page, limiter=self._threads)

    def _tell(self, request: Request, session: Session | None, page: Page, here: str = "") -> Response:
        """`here` is the page with the form, which shows the error if the action fails."""
        note = self._sessions.noted(request.cookies.get(NOTE, "")) if session else None
        operator = session.operator if session else OWNER
        count = self._dead_letters() if session and operator.location_ids is None else 0
        around = {"session": session, "note": note, "here": here or _wanted(request), "operator": operator}
        html = self._renderer.render(page, **around, dead_letters=count)
        response = HTMLResponse(html, page.status)
        if note:
            forget_cookie(response, NOTE)
        return response

    def _dead_letters(self) -> int:
        """The number of dead letters for the badge; 0 if Redis can't be reached."""
        try:
            return measure(self._admin_services.redis).dead_letters
        except Unavailable:
            return 0

    def _is_meant(self, request: Request, session: Session, form: dict[str, list[str]]) -> bool:
        own = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        return own and self._sessions.is_meant(session, next(iter(form.get("csrf", ())), ""))


async def _form(request: Request) -> dict[str, list[str]]:
    if request.method != "POST":
        return {}
    return parse_qs((await read(request, most=MOST_BYTES)).decode("utf-8", "replace"), keep_blank_values=True)


def _wanted(request: Request) -> str:
    """The address of the request if it can be repeated after the login, else the overview."""
    return str(request.url.path) + (f"?{request.url.query}" if request.url.query else "") if request.method == "GET" else HOME


def _own(to: str) -> str:
    return to if is_own(to) else HOME


def _error(says: str, status: int) -> Page:
    return Page("error.html", "", {"says": says, "status_code": int(status)}, int(status))


def _status(error: Exception) -> int:
    if isinstance(error, Rejected):
        return error.status
    return next((int(status) for kind, status, _ in KINDS if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)


def _sentence(error: BridgeError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
