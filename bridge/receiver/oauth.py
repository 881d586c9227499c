"""The endpoints of a marketplace install: out to GHL, and back with a code. People see these pages."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING

import structlog
from anyio import to_thread
from starlette.responses import HTMLResponse, RedirectResponse

from bridge.errors import BridgeError, Misconfigured, Rejected, TokenRefused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from bridge.access.installing import Installing
    from bridge.ghl.oauth import Granted

    Build = Callable[[], Installing | None]

log = structlog.get_logger()

# The address holds a code: it must not be told to other sites, nor kept.
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}</style>
<h1>{title}</h1><p>{text}</p></html>"""
AGAIN = "Begin again at /oauth/install."
NOT_SET_UP = (
    "Set GHL_CLIENT_ID, GHL_CLIENT_SECRET and GHL_REDIRECT_URL, with the values of the app in GHL's developer marketplace, "
    "and BRIDGE_SECRET_KEY; then start the receiver again."
)


def install(build: Build) -> Callable[[Request], Awaitable[Response]]:
    """Send an installer to GHL, where the location is chosen."""

    async def go(request: Request) -> Response:
        del request
        installing = _built(build)
        if installing is None:
            return _page(404, "Installing is not set up here", NOT_SET_UP)
        return RedirectResponse(installing.chooser(), 302, headers=HEADERS)

    return go


def callback(build: Build) -> Callable[[Request], Awaitable[Response]]:
    """Take an installer back."""

    async def take(request: Request) -> Response:
        installing, query = _built(build), request.query_params
        if installing is None:
            return _page(404, "Installing is not set up here", NOT_SET_UP)
        if not query.get("code"):
            return _page(400, "Nothing was installed", f"GHL sent no code, so the install was given up there. {AGAIN}")
        try:
            granted = await to_thread.run_sync(partial(installing.take, query["code"], query.get("state", "")))
        except BridgeError as error:
            log.warning("install.failed", error=type(error).__name__, why=str(error))
            return _page(*_failure(error))
        log.info("install.done", location_id=granted.location_id, company_id=granted.company_id, locations=len(granted.locations))
        return _page(200, "Installed", _success(granted))

    return take


def _built(build: Build) -> Installing | None:
    try:
        return build()
    except Misconfigured as error:
        log.warning("install.not_set_up", why=str(error))
        return None


def _failure(error: BridgeError) -> tuple[int, str, str]:
    match error:
        case Rejected():
            return 403, "This install did not begin here", f"The link is another one's, or older than an hour. {AGAIN}"
        case TokenRefused():
            return 400, "GHL does not take the code", f"It was used before, or is too old. {AGAIN}"
        case Unavailable():
            return 503, "Temporarily unavailable", f"Redis can't be reached, so nothing was saved: {error}. {AGAIN}"
        case _:
            return 502, "GHL did not answer as it should", f"{error}. {AGAIN}"


def _success(granted: Granted) -> str:
    if granted.kind == "Company":
        what = f"The app may act for agency {granted.company_id} and {len(granted.locations)} of its locations."
    else:
        what = f"The app may act for location {granted.location_id}."
    return f"{what} Next, on the machine of the bridge: ghl-bridge locations template, fill it in, ghl-bridge locations apply."


def _page(status: int, title: str, text: str) -> Response:
    return HTMLResponse(PAGE.format(title=escape(title), text=escape(text)), status, headers=HEADERS)
