"""What the sandbox page shows of the connected bridge (timelines, locations, the console), and requests to kill a process."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import httpx
import orjson

from bridge.simulator.wire import Refused, reply

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

    from bridge.simulator.options import Options

_SECONDS = 5.0
_ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - not bound here


class Beside(NamedTuple):
    """A bridge's address, and the token of its admin API."""

    url: str
    token: str


class Onlooker:
    """Calls the bridge's admin API for the page, so that the admin token never reaches a browser."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._kills: Counter[str] = Counter()

    async def timeline(self, request: Request) -> dict[str, Any]:
        """The timeline of any id, as the bridge explains it, and whether its location is on hold; empty for an unknown id."""
        nothing: dict[str, Any] = {"connected": self._bridge() is not None, "on_hold": False, "messages": [], "events": []}
        document = await self._ask(f"/explain/{quote(request.query_params.get('id', ''), safe='')}")
        if document.get("location_id"):
            location = await self._ask(f"/locations/{quote(document['location_id'], safe='')}")
            document["on_hold"] = location.get("state") == "hold"
        return nothing | document

    async def providers(self) -> dict[str, Any]:
        """The locations that the bridge answers for, each with its completion service, and the console's address."""
        bridge = self._bridge()
        document = await self._ask("/locations")
        shown = [{name: each.get(name) for name in ("id", "name", "provider", "mode")} for each in document.pop("locations", [])]
        console = f"{bridge.url}/console" if bridge else ""
        seen = {"connected": bridge is not None, "console": console, "killable": self._options.killable, "locations": shown}
        return {**seen, **{name: document[name] for name in ("error",) if name in document}}

    async def kill(self, order: dict[str, Any]) -> dict[str, Any]:
        """Ask the program that started the bridge to kill one of its processes. Raises Refused if no such program runs."""
        if not self._options.killable:
            raise Refused(reply(409, {"errors": ["this simulator runs without `ghl-bridge demo`, which alone kills processes"]}))
        self._kills[order["process"]] += 1
        return await self.kills()

    async def kills(self) -> dict[str, Any]:
        """How often that was requested, by process; a reset doesn't change it."""
        return {"kills": dict(self._kills)}

    def _bridge(self) -> Beside | None:
        """The configured bridge, or the one whose `up` wrote its settings to a file; None without either."""
        options = self._options
        if options.bridge_url and options.admin_token:
            return Beside(options.bridge_url.rstrip("/"), options.admin_token)
        note = _note(options.bridge_note)
        token = note.get("BRIDGE_ADMIN_TOKEN")
        if not token:
            return None
        host = note.get("HOST", "")
        return Beside(f"http://{_ANYWHERE.get(host, host)}:{note.get('PORT', '8000')}", token)

    async def _ask(self, path: str) -> dict[str, Any]:
        bridge = self._bridge()
        if bridge is None:
            return {}
        try:
            headers = {"Authorization": f"Bearer {bridge.token}"}
            async with httpx.AsyncClient(headers=headers, timeout=_SECONDS, trust_env=False) as client:
                answer = await client.get(f"{bridge.url}/api/v1{path}")
        except httpx.HTTPError as error:
            return {"error": f"The bridge can't be reached ({type(error).__name__})"}
        if answer.status_code == httpx.codes.NOT_FOUND:
            return {}
        if not answer.is_success:
            return {"error": f"The bridge answered {answer.status_code}"}
        document: dict[str, Any] = answer.json()
        return document


def _note(file: Path | None) -> dict[str, str]:
    try:
        found = orjson.loads(file.read_bytes()) if file else {}
    except (OSError, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
