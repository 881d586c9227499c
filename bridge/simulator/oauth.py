"""`/oauth/token` and `/oauth/locationToken`: what they demand, and what they answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from bridge.simulator import refusals
from bridge.simulator.exchange import SimulatedEndpoint
from bridge.simulator.overlays import OAUTH, VERSIONS
from bridge.simulator.wire import Call, CallAnswer, reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.simulator.faults import Script
    from bridge.simulator.grants import Install
    from bridge.simulator.official import Official
    from bridge.simulator.simulation import Simulation


class OAuth:
    """The endpoints."""

    def __init__(self, simulation: Simulation, official: Official) -> None:
        self.simulation = simulation
        self.official = official

    def exchange(self, name: str, handle: Callable[[Call, dict[str, str]], Awaitable[CallAnswer]]) -> SimulatedEndpoint:
        """Make an ASGI endpoint out of one of the methods below."""

        async def entered(call: Call, _script: Script) -> CallAnswer:
            await asyncio.sleep(self.simulation.defaults.oauth_seconds)
            return await handle(call, dict(parse_qsl(call.raw.decode(errors="replace"))))

        return SimulatedEndpoint(
            simulation=self.simulation,
            name=name,
            group="oauth",
            handle=entered,
            subject=self._find_subject,
            headers=lambda _call: {},
        )

    async def token(self, _call: Call, form: dict[str, str]) -> CallAnswer:
        """`POST /oauth/token`: a pair for a code, or for a refresh token, which is used up by it."""
        self._check(form, "GetAccessCodebodyDto")
        options, grants = self.simulation.options, self.simulation.grants
        if (form["client_id"], form["client_secret"]) != (options.client_id, options.client_secret):
            raise refusals.no_client()
        by_code = form["grant_type"] == "authorization_code"
        kept = grants.codes if by_code else grants.refreshes
        given = form.get("code" if by_code else "refresh_token", "")
        install = kept.pop(given, None)
        if install is None:
            grants.counts["refused"]["code" if by_code else "refresh_token"] += 1
            raise refusals.invalid_grant("authorization code" if by_code else "refresh token")
        grants.counts["by_code" if by_code else "refreshed"][install.owner] += 1
        return reply(200, grants.pair(install, **self._life()))

    async def location_token(self, call: Call, form: dict[str, str]) -> CallAnswer:
        """`POST /oauth/locationToken`: an agency's token for the one of a location."""
        lent = self.simulation.grants.lent(call.bearer, now=self.simulation.now())
        if lent is None:
            raise refusals.invalid_token()
        if call.headers.get("version") not in VERSIONS:
            raise refusals.no_version()
        self._check(form, "GetLocationAccessCodeBodyDto")
        if not self._may_act(lent.install, form):
            raise refusals.not_installed()
        self.simulation.grants.counts["exchanged"][form["locationId"]] += 1
        return reply(200, self.simulation.grants.for_location(lent.install, form["locationId"], **self._life()))

    @staticmethod
    def _may_act(install: Install, form: dict[str, str]) -> bool:
        return (
            install.kind == "Company" and form["companyId"] == install.company_id and form["locationId"] in install.location_ids
        )

    def _check(self, form: dict[str, str], schema: str) -> None:
        faults = self.official.faults_of(OAUTH, schema, form)
        if faults:
            raise refusals.unprocessable(faults)

    def _life(self) -> dict[str, Any]:
        return {"now": self.simulation.now(), "seconds": self.simulation.defaults.token_seconds}

    def _find_subject(self, call: Call) -> None:
        """Find out whose tokens these are, before they are used up."""
        form = dict(parse_qsl(call.raw.decode(errors="replace")))
        grants = self.simulation.grants
        install = grants.codes.get(form.get("code", "")) or grants.refreshes.get(form.get("refresh_token", ""))
        call.location_id = form.get("locationId", "") or (install.owner if install else "")
