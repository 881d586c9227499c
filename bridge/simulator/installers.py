"""Agencies and their staff, who install and uninstall the app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.simulator.grants import Install
from bridge.simulator.wire import Refused, reply

if TYPE_CHECKING:
    from bridge.simulator.simulation import Simulation
    from bridge.simulator.webhooks import Try


class Installers:
    """Orders of the control API about the app. The schema of each order was checked before."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    async def install(self, order: dict[str, Any]) -> dict[str, Any]:
        """Install the app in a location, or in an agency with some of its locations; the browser brings back the code.

        Webhooks are sent immediately: one for each location, and for an agency one more.
        """
        location_ids = [order["location_id"]] if "location_id" in order else order.get("location_ids", [])
        if "location_id" not in order and "company_id" not in order:
            raise Refused(reply(422, {"errors": ["neither location_id nor company_id"]}))
        for id_ in location_ids:
            if id_ not in self.simulation.world.locations:
                self.simulation.world.put_location(id_, f"nobody-has-this-{self.simulation.id()}")
        kind, company_id = ("Location", "company") if "location_id" in order else ("Company", order["company_id"])
        company_id = order.get("company_id", company_id)
        user_id = self.simulation.id()
        install = Install(kind=kind, company_id=company_id, location_ids=location_ids, user_id=user_id)  # type: ignore[arg-type] # one of two
        code = self.simulation.grants.install(install)
        own = [{"installType": "Company", "companyId": company_id}] if kind == "Company" else []
        each = [{"installType": "Location", "locationId": id_, "companyId": company_id} for id_ in location_ids]
        answers = [await self._tell(order, "INSTALL", **fields, userId=user_id) for fields in (*own, *each)]
        return {"code": code, "answers": [one.shown() for one in answers if one]}

    async def uninstall(self, order: dict[str, Any]) -> dict[str, Any]:
        """Uninstall the app; all its tokens end."""
        field = "locationId" if "location_id" in order else "companyId"
        owner = order.get("location_id") or order.get("company_id")
        if not owner:
            raise Refused(reply(422, {"errors": ["neither location_id nor company_id"]}))
        self.simulation.grants.uninstall(owner)
        answer = await self._tell(order, "UNINSTALL", **{field: owner})
        return {"answers": [answer.shown()] if answer else []}

    async def expire(self, order: dict[str, Any]) -> dict[str, Any]:
        """End the access tokens of a location or an agency early and, if requested, its refresh token too."""
        if order.get("refresh"):
            self.simulation.grants.lose(order["owner"])
        self.simulation.grants.expire(order["owner"])
        return {}

    async def _tell(self, order: dict[str, Any], kind: str, **fields: Any) -> Try | None:
        if not order.get("webhook", True) or not self.simulation.defaults.webhook_url:
            return None
        parcel = self.simulation.parcel_of(self.simulation.app_event(kind, **fields))
        (answer,) = await self.simulation.webhooks.send(parcel)
        return answer
