"""All routes of one simulator, in one application."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from bridge.simulator import control, page
from bridge.simulator.completions import Completions
from bridge.simulator.conversation_ai import ConversationAI
from bridge.simulator.ghl import Ghl
from bridge.simulator.oauth import OAuth
from bridge.simulator.official import Official
from bridge.simulator.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.simulator.options import Options


def build(options: Options) -> Starlette:
    """Build the application. Run it with `serving.run`; otherwise connections can't be cut."""
    simulation = Simulation(options)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await simulation.webhooks.close()

    routes = [
        *page.routes(),
        *control.routes(simulation),
        *_ghl(simulation),
        *_completions(simulation),
        *simulation.media.routes(),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    # The server waits for open answers before it ends the lifespan, and the page's stream never ends by itself.
    app.state.stop = simulation.hub.close
    app.state.simulation = simulation
    return app


def _ghl(simulation: Simulation) -> list[Route]:
    official = Official()
    ghl, oauth, bots = Ghl(simulation, official), OAuth(simulation, official), ConversationAI(simulation, official)
    table = (
        ("POST", "/conversations/messages", "post", "post", ghl.send),
        ("GET", "/conversations/search", "search", "search", ghl.search),
        ("GET", "/conversations/messages/email/{id}", "email", "messages", ghl.email),
        ("GET", "/conversations/messages/{id}", "message", "messages", ghl.message),
        ("GET", "/conversations/{id}/messages", "messages", "messages", ghl.messages),
        ("GET", "/conversations/{id}", "conversation", "conversation", ghl.conversation),
        ("GET", "/contacts/{id}", "contact", "contact", ghl.contact),
        ("PUT", "/contacts/{id}", "update_contact", "contact", ghl.update_contact),
        ("POST", "/contacts/{id}/tags", "add_tags", "tags", ghl.add_tags),
        ("GET", "/conversation-ai/generations", "generation", "conversation_ai", bots.generation),
        ("GET", "/conversation-ai/agents/search", "bots", "conversation_ai", bots.agents),
        ("DELETE", "/contacts/{id}/tags", "remove_tags", "tags", ghl.remove_tags),
    )
    return [
        Route("/oauth/token", oauth.exchange("oauth_token", oauth.token), methods=["POST"]),
        Route("/oauth/reconnect", oauth.exchange("oauth_reconnect", oauth.reconnect), methods=["POST"]),
        Route("/oauth/locationToken", oauth.exchange("location_token", oauth.location_token), methods=["POST"]),
        *(Route(path, ghl.exchange(name, group, handle), methods=[method]) for method, path, name, group, handle in table),
    ]


def _completions(simulation: Simulation) -> list[Route]:
    return [Route(path, exchange, methods=["POST"]) for path, exchange in Completions(simulation).exchanges()]
