"""What the sandbox page sees of the bridge beside it: its timelines, its locations, and a wish that its worker be killed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from bridge.simulator.wire import Refused, reply

if TYPE_CHECKING:
    from starlette.requests import Request

    from bridge.simulator.options import Options

_SECONDS = 5.0
_AWAY = {"connected": False}


class Onlooker:
    """Asks the bridge's admin API on behalf of the page, so that the admin token never reaches a browser."""

    def __init__(self, options: Options) -> None:
        self.connected = bool(options.bridge_url and options.admin_token)
        self._url = options.bridge_url.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {options.admin_token}"}
        self._kills = 0

    async def timeline(self, request: Request) -> dict[str, Any]:
        """Give the timeline of any id, as the bridge explains it; empty when the bridge does not know the id."""
        nothing: dict[str, Any] = {"messages": [], "events": []}
        if not self.connected:
            return _AWAY | nothing
        return {"connected": True} | nothing | await self._ask(f"/explain/{quote(request.query_params.get('id', ''), safe='')}")

    async def providers(self) -> dict[str, Any]:
        """Name the locations that the bridge answers for, each with its completion service."""
        if not self.connected:
            return _AWAY | {"locations": []}
        told = await self._ask("/locations")
        shown = [{name: each[name] for name in ("id", "name", "provider")} for each in told.pop("locations", [])]
        return {"connected": True, "locations": shown, **{name: told[name] for name in ("error",) if name in told}}

    async def kill(self) -> dict[str, Any]:
        """Ask whoever started the worker to kill it. Raises Refused when no bridge is connected."""
        if not self.connected:
            raise Refused(reply(409, {"errors": ["no bridge is connected, so that there is no worker to kill"]}))
        self._kills += 1
        return await self.kills()

    async def kills(self) -> dict[str, Any]:
        """Tell how often that was asked for; it only grows, whatever is reset."""
        return {"kills": self._kills}

    async def _ask(self, path: str) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(headers=self._headers, timeout=_SECONDS, trust_env=False) as client:
                answer = await client.get(self._url + path)
        except httpx.HTTPError as error:
            return {"error": f"The bridge can't be reached ({type(error).__name__})"}
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {}
        if not answer.is_success:
            return {"error": f"The bridge answered {answer.status_code}"}
        told: dict[str, Any] = answer.json()
        return told
