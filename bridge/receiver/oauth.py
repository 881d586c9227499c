"""The endpoints of a marketplace install: the redirect to GHL, and the callback with a code. Users see these pages."""

from __future__ import annotations

from functools import partial
from hmac import compare_digest
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import structlog
from anyio import to_thread
from starlette.responses import HTMLResponse, RedirectResponse

from bridge.errors import BridgeError, Misconfigured, Rejected, TokenRefused, Unavailable
from bridge.receiver.console.headers import is_secure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from bridge.access.installing import Installing
    from bridge.ghl.oauth import Granted

    Build = Callable[[], Installing | None]

log = structlog.get_logger()

# The address contains a code, which must not be sent to other sites or cached.
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style>
<h1>{title}</h1><p>{text}</p></html>"""
# The browser that began an install must end it: a link from somebody else, with another code and state, installs nothing.
COOKIE, COOKIE_SECONDS = "ghlb_install", 3600
AGAIN = "Begin again at /oauth/install."
NOT_SET_UP = (
    "Set GHL_CLIENT_ID, GHL_CLIENT_SECRET and GHL_REDIRECT_URL, with the values of the app in GHL's developer marketplace, "
    "and BRIDGE_SECRET_KEY; then start the receiver again."
)


def install(build: Build) -> Callable[[Request], Awaitable[Response]]:
    """Redirect to GHL, where the user chooses the location."""

    async def go(request: Request) -> Response:
        installing = _built(build)
        if installing is None:
            return _page(404, "Installing is not configured on this server", NOT_SET_UP)
        return _away(installing.chooser(), secure=is_secure(request))

    return go


def callback(build: Build) -> Callable[[Request], Awaitable[Response]]:
    """Handle the callback from GHL: exchange the code and store the tokens."""

    async def take(request: Request) -> Response:
        installing, query = _built(build), request.query_params
        if installing is None:
            return _page(404, "Installing is not configured on this server", NOT_SET_UP)
        if not query.get("code"):
            return _page(400, "Nothing was installed", f"GHL sent no code, so the install was cancelled there. {AGAIN}")
        if not _began_here(request):
            log.warning("install.failed", error="Rejected", why="another browser began this install")
            return _page(*_failure(Rejected("another browser began it")))
        try:
            granted = await to_thread.run_sync(partial(installing.take, query["code"], query.get("state", "")))
        except BridgeError as error:
            log.warning("install.failed", error=type(error).__name__, why=str(error))
            return _page(*_failure(error))
        log.info("install.done", location_id=granted.location_id, company_id=granted.company_id, locations=len(granted.locations))
        return _page(200, "Installed", _success(granted))

    return take


def _away(chooser: str, *, secure: bool) -> Response:
    """The redirect to GHL, with a cookie that holds the expected state."""
    answer = RedirectResponse(chooser, 302, headers=HEADERS)
    state = parse_qs(urlsplit(chooser).query).get("state", [""])[0]
    answer.set_cookie(COOKIE, state, COOKIE_SECONDS, path="/oauth", secure=secure, httponly=True, samesite="lax")
    return answer


def _began_here(request: Request) -> bool:
    """Whether this browser began the install. An install that began at GHL has no state to compare."""
    state = request.query_params.get("state", "")
    return not state or compare_digest(request.cookies.get(COOKIE, "").encode(), state.encode())


def _built(build: Build) -> Installing | None:
    try:
        return build()
    except Misconfigured as error:
        log.warning("install.not_set_up", why=str(error))
        return None


def _failure(error: BridgeError) -> tuple[int, str, str]:
    match error:
        case Rejected():
            return (
                403,
                "This install did not begin here",
                f"The link belongs to another install or browser, or is older than an hour. {AGAIN}",
            )
        case TokenRefused():
            return 400, "GHL refused the code", f"It was already used, or is too old. {AGAIN}"
        case Unavailable():
            return 503, "Temporarily unavailable", f"Redis can't be reached, so nothing was saved: {error}. {AGAIN}"
        case _:
            return 502, "GHL sent an unexpected answer", f"{error}. {AGAIN}"


def _success(granted: Granted) -> str:
    if granted.kind == "Company":
        what = f"The app may act for agency {granted.company_id} and {len(granted.locations)} of its locations."
    else:
        what = f"The app may act for location {granted.location_id}."
    return f"{what} Next, on the bridge's machine: run ghl-bridge locations template, fill it in, run ghl-bridge locations apply."


def _page(status: int, title: str, text: str) -> Response:
    return HTMLResponse(PAGE.format(title=escape(title), text=escape(text)), status, headers=HEADERS)
