"""The console's routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bridge.receiver.console import (
    conversations,
    dead_letters,
    live,
    location,
    location_setup,
    locations,
    operators,
    overview,
    reports,
)
from bridge.receiver.console.headers import Guarded
from bridge.receiver.console.pages import ROOM
from bridge.receiver.console.requests import PageEndpoints
from bridge.receiver.waiting import BoundedWaits

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bridge.operating.services import AdminServices
    from bridge.receiver.console.requests import Show
    from bridge.receiver.stopping import Stopping


PAGES: dict[str, Show] = {
    "/": overview.show,
    "/conversations": conversations.search,
    "/conversations/{id}": conversations.show,
    "/dead-letters": dead_letters.show,
    "/locations": locations.show_all,
    "/locations/{id}": location.show,
    "/live": live.show,
    "/report": reports.show,
    "/operators": operators.show,
    "/audit": operators.show_audit,
}
# Before the pages, whose paths have an id in the same position.
FILES: dict[str, Show] = {
    "/locations/export": location.export_all,
    "/locations/{id}/export": location.export,
    "/report.csv": reports.download,
}
CHANGES: dict[str, Show] = {
    "/conversations/words": conversations.show_newest,
    "/conversations/{id}/text": conversations.show_text,
    "/conversations/{id}/said": conversations.show_said,
    "/conversations/{id}/{change}": conversations.change,
    "/undelivered": conversations.replay,
    "/dead-letters": dead_letters.change,
    "/dead-letters/said": dead_letters.show_said,
    "/locations/{id}/check-provider": location.check_provider,
    "/locations/{id}/set-up": location_setup.set_up,
    "/locations/{id}/{change}": locations.change,
    "/operators": operators.add,
    "/operators/{name}/remove": operators.remove,
}


def build(admin_services: AdminServices, stopping: Stopping) -> Starlette:
    """Build the app for `/console`; without an admin token it only says that the console is disabled."""
    endpoints = PageEndpoints(admin_services)
    is_open = admin_services.settings.admin_token is not None

    async def missing(request: Request, error: Exception) -> Response:
        del error
        return await (endpoints.missing(request) if is_open else endpoints.closed(request))

    static = Mount("/static", VersionedFiles(packages=[(ROOM, "static")]))
    return Starlette(
        routes=[static, *(_routes(endpoints, admin_services, stopping) if is_open else ())],
        middleware=[Middleware(Guarded), Middleware(BoundedWaits, whole=True)],
        exception_handlers={HTTPException: missing},
    )


def _routes(endpoints: PageEndpoints, admin_services: AdminServices, stopping: Stopping) -> list[Route]:
    changes: dict[str, Show] = {"/logout": endpoints.logout, **CHANGES}
    return [
        Route("/login", endpoints.login, methods=["GET", "POST"]),
        Route("/events", live.stream(endpoints, admin_services, stopping), methods=["GET"]),
        *(Route(path, endpoints.page(show), methods=["POST"]) for path, show in changes.items()),
        *(Route(path, endpoints.page(show), methods=["GET"]) for path, show in {**FILES, **PAGES}.items()),
    ]


class VersionedFiles(StaticFiles):
    """Static files, whose addresses change with their content."""

    def file_response(self, *args: object, **more: object) -> Response:
        """The file, with a cache time of a year."""
        response = super().file_response(*args, **more)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
