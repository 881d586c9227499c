"""The control API under `/_sim/`: for tests, for the demo, and for the sandbox page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
from starlette.responses import Response
from starlette.routing import Route

from bridge.simulator import answers, shapes
from bridge.simulator.events import EventStream
from bridge.simulator.installers import Installers
from bridge.simulator.people import People
from bridge.simulator.wire import Refused, read_json, reply
from bridge.simulator.workflows import Workflows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from bridge.simulator.simulation import Simulation
    from bridge.simulator.webhooks import Parcel
    from bridge.simulator.world import Conversation

Endpoint: TypeAlias = "Callable[[Request], Awaitable[Response]]"
_ALL = 1_000_000


def routes(simulation: Simulation) -> list[Route]:
    """Build the routes."""
    people, orders, reports = People(simulation), Orders(simulation), Reports(simulation)
    installers, workflows = Installers(simulation), Workflows(simulation)
    onlooker = simulation.onlooker
    posts = {
        "locations": people.put_location,
        "contacts": people.put_contact,
        "merge": people.merge,
        "say": people.say,
        "burst": people.burst,
        "human": people.human,
        "bots": people.bots,
        "failure": people.failure,
        "workflow": workflows.tell,
        "install": installers.install,
        "uninstall": installers.uninstall,
        "expire": installers.expire,
        "webhook": orders.webhook,
        "defaults": orders.change_defaults,
        "kills": onlooker.kill,
    }
    return [
        *(Route(f"/_sim/{name}", _taking(name, act), methods=["POST"]) for name, act in posts.items()),
        Route("/_sim/reset", _bare(orders.reset), methods=["POST"]),
        Route("/_sim/faults", _guarded(orders.add_faults), methods=["POST"]),
        Route("/_sim/faults", _bare(orders.clear_faults), methods=["DELETE"]),
        Route("/_sim/faults", _bare(reports.faults), methods=["GET"]),
        Route("/_sim/counts", _bare(reports.counts), methods=["GET"]),
        Route("/_sim/state", _guarded(reports.state), methods=["GET"]),
        Route("/_sim/keys", _bare(reports.keys), methods=["GET"]),
        Route("/_sim/answers", _bare(reports.answers), methods=["GET"]),
        Route("/_sim/requests", _guarded(reports.requests), methods=["GET"]),
        Route("/_sim/timeline", _told(onlooker.timeline), methods=["GET"]),
        Route("/_sim/providers", _bare(onlooker.providers), methods=["GET"]),
        Route("/_sim/kills", _bare(onlooker.kills), methods=["GET"]),
        Route("/_sim/conversations/{id}", _guarded(reports.conversation), methods=["GET"]),
        Route("/_sim/events", EventStream(simulation.hub)),
    ]


class Orders:
    """Requests that change the simulator itself."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    async def reset(self) -> dict[str, Any]:
        """Reset everything."""
        self.simulation.reset()
        return {}

    async def clear_faults(self) -> dict[str, Any]:
        """Remove all scripted faults."""
        self.simulation.faults.clear()
        return {}

    async def add_faults(self, request: Request) -> Response:
        """Add one script or a list of scripts; all or none."""
        given = read_json(await request.body())
        scripts = [shapes.check("fault", each) for each in (given if isinstance(given, list) else [given])]
        for script in scripts:
            self.simulation.faults.add(script)
        return _json(200, {"faults": self.simulation.faults.shown()})

    async def change_defaults(self, order: dict[str, Any]) -> dict[str, Any]:
        """Change defaults; answer with all of them."""
        self.simulation.change(order)
        return {"defaults": self.simulation.defaults}

    async def webhook(self, order: dict[str, Any]) -> dict[str, Any]:
        """Send the given body unchanged as a webhook."""
        parcel = self._parcel(order)
        if not parcel.url:
            raise Refused(reply(422, {"errors": ["neither url here nor webhook_url in the defaults"]}))
        answers = await self.simulation.webhooks.send(parcel, copies=order.get("copies", 1))
        return {"answers": [answer.shown() for answer in answers]}

    def _parcel(self, order: dict[str, Any]) -> Parcel:
        raw = order["raw"].encode() if "raw" in order else orjson.dumps(order.get("payload", {}))
        return self.simulation.arbitrary(
            raw,
            url=order.get("url", ""),
            headers=order.get("headers", {}),
            signed=order.get("signed", True),
            retry=order.get("retry", False),
        )


class Reports:
    """Requests that read the simulator's state."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    async def counts(self) -> dict[str, Any]:
        """The exact counts."""
        return self.simulation.counts.shown() | {"grants": self.simulation.grants.counts}

    async def keys(self) -> dict[str, Any]:
        """The public keys of the webhooks' signatures."""
        return {**self.simulation.keys.public()}

    async def answers(self) -> dict[str, Any]:
        """The forms of answers that can be scripted, each with the services that write it."""
        return {"answers": answers.services()}

    async def faults(self) -> dict[str, Any]:
        """The scripts, and to how many requests each was applied."""
        return {"faults": self.simulation.faults.shown()}

    async def state(self, request: Request) -> Response:
        """A summary: locations, defaults, and conversations, the newest last."""
        world = self.simulation.world
        begun = list(world.conversations.values())[-_limit(request) :]
        state = {
            "location_id": self.simulation.options.location_id,
            "webhook_url": self.simulation.defaults.webhook_url,
            "defaults": self.simulation.defaults,
            "locations": [{"id": each.id, "conversations": len(each.by_date)} for each in world.locations.values()],
            "conversations": [self._summary(each) for each in begun],
        }
        return _json(200, state)

    async def requests(self, request: Request) -> Response:
        """The last requests, filtered."""
        query = request.query_params
        listed = self.simulation.records.listed(
            endpoint=query.get("endpoint", ""),
            contact_id=query.get("contact_id", ""),
            limit=_limit(request),
        )
        return _json(200, {"requests": listed})

    async def conversation(self, request: Request) -> Response:
        """One conversation, by its id or its contact's id."""
        world = self.simulation.world
        given = request.path_params["id"]
        conversation = world.conversations.get(world.conversation_of.get(given, given))
        if conversation is None:
            return _json(404, {"errors": [f"no conversation {given}"]})
        shown = [self.simulation.shown(message) for message in conversation.messages]
        return _json(200, {"conversation": self._summary(conversation), "messages": shown})

    def _summary(self, conversation: Conversation) -> dict[str, Any]:
        last = conversation.last
        return {
            "id": conversation.id,
            "location_id": conversation.location_id,
            "contact_id": conversation.contact_id,
            "messages": len(conversation.messages),
            "inbound": conversation.inbound,
            "last_text": last.body if last else "",
            "last_direction": last.direction if last else "",
            "last_channel": last.channel.name if last else "",
        }


def _taking(name: str, act: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]) -> Endpoint:
    async def take(request: Request) -> Response:
        return _json(200, await act(shapes.check(name, read_json(await request.body()))))

    return _guarded(take)


def _told(tell: Callable[[Request], Awaitable[dict[str, Any]]]) -> Endpoint:
    async def take(request: Request) -> Response:
        return _json(200, await tell(request))

    return _guarded(take)


def _bare(act: Callable[[], Awaitable[dict[str, Any]]]) -> Endpoint:
    async def take(_request: Request) -> Response:
        return _json(200, await act())

    return _guarded(take)


def _guarded(take: Endpoint) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        try:
            _refuse_strangers(request)
            return await take(request)
        except Refused as refused:
            return Response(refused.answer.content, refused.answer.status, media_type=refused.answer.media_type)

    return endpoint


def _refuse_strangers(request: Request) -> None:
    """Refuse requests of other web pages: a browser would let any page send webhooks from this machine."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise Refused(reply(403, {"errors": [f"requests from pages of {origin} are refused"]}))


def _limit(request: Request) -> int:
    given = request.query_params.get("limit", "")
    return max(1, int(given)) if given.isdecimal() else _ALL


def _json(status: int, value: Any) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
