"""`/oauth/token` and `/oauth/locationToken`: their requirements and answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
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


_CODE_SECONDS = 600


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
        """`POST /oauth/token`: a pair for a code, or for a refresh token, which is then used up.

        If it is used again within 30 s (`refresh_seconds`), it returns the same pair (HighLevel's changelog, label "api").
        """
        self._check(form, "GetAccessCodebodyDto")
        options, grants = self.simulation.options, self.simulation.grants
        if (form["client_id"], form["client_secret"]) != (options.client_id, options.client_secret):
            raise refusals.no_client()
        by_code = form["grant_type"] == "authorization_code"
        stored = grants.codes if by_code else grants.refreshes
        given = form.get("code" if by_code else "refresh_token", "")
        install, now = stored.pop(given, None), self.simulation.now()
        if not by_code and (pair := grants.repeated(given, now=now)):
            return reply(200, pair)
        if install is None:
            grants.counts["refused"]["code" if by_code else "refresh_token"] += 1
            raise refusals.invalid_grant("authorization code" if by_code else "refresh token")
        grants.counts["by_code" if by_code else "refreshed"][install.owner] += 1
        pair = grants.pair(install, **self._life())
        if by_code:
            grants.installed[install.owner] = install
        else:
            grants.repeatable[given] = (pair, now + round(self.simulation.defaults.refresh_seconds * 1000), install)
        return reply(200, pair)

    async def reconnect(self, call: Call, _form: dict[str, str]) -> CallAnswer:
        """`POST /oauth/reconnect`: a new code for an install, by the app's credentials (GHL's help, article 155000003717)."""
        options, grants = self.simulation.options, self.simulation.grants
        if (call.text("clientKey"), call.text("clientSecret")) != (options.client_id, options.client_secret):
            raise refusals.no_client()
        code = grants.reconnect(call.text("locationId") or call.text("companyId"))
        if code is None:
            grants.counts["refused"]["reconnect"] += 1
            raise refusals.not_installed()
        expires = datetime.fromtimestamp(self.simulation.now() / 1000 + _CODE_SECONDS, UTC)
        return reply(200, {"authorizationCode": code, "expiresAt": expires.isoformat(), "traceId": self.simulation.id()})

    async def location_token(self, call: Call, form: dict[str, str]) -> CallAnswer:
        """`POST /oauth/locationToken`: exchanges an agency's token for a location's."""
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
        """The owner of the tokens in a request; called before they are used up."""
        form = dict(parse_qsl(call.raw.decode(errors="replace")))
        grants = self.simulation.grants
        install = grants.codes.get(form.get("code", "")) or grants.refreshes.get(form.get("refresh_token", ""))
        repeated = grants.repeatable.get(form.get("refresh_token", ""))
        owner = install.owner if install else repeated[2].owner if repeated else ""
        call.location_id = form.get("locationId", "") or call.text("locationId") or owner
