"""GHL's own bot, Conversation AI: which messages it wrote, and where it is on auto-pilot.

What GHL answers for a message that the bot didn't write isn't documented; 404 here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.simulator import refusals
from bridge.simulator.overlays import CONVERSATION_AI
from bridge.simulator.wire import Call, CallAnswer, reply

if TYPE_CHECKING:
    from bridge.simulator.official import Official
    from bridge.simulator.simulation import Simulation


class ConversationAI:
    """The endpoints. Each answers a call that `gate` has accepted."""

    def __init__(self, simulation: Simulation, official: Official) -> None:
        self.simulation = simulation
        self.official = official

    async def generation(self, call: Call, mine: set[str]) -> CallAnswer:
        """`GET /conversation-ai/generations`."""
        self._check(call, "/conversation-ai/generations")
        world = self.simulation.world
        message = world.messages.get(call.query["messageId"])
        if message is None or message.location_id not in mine or message.id not in world.generated:
            return reply(404, {"statusCode": 404, "message": "Generation not found", "error": "Not Found"})
        fields = {
            "prompt": "Be friendly.",
            "responseMessage": message.body,
            "actionLogs": [],
            "history": [],
            "mode": "auto-pilot",
        }
        return reply(200, fields)

    async def agents(self, call: Call, mine: set[str]) -> CallAnswer:
        """`GET /conversation-ai/agents/search`."""
        self._check(call, "/conversation-ai/agents/search")
        bots = [bot for location in sorted(mine) for bot in self.simulation.world.bots.get(location, [])]
        rows = [{"id": f"bot{number}", "mode": "auto-pilot", **bot} for number, bot in enumerate(bots)]
        return reply(200, {"agents": rows, "totalCount": len(rows), "count": len(rows)})

    def _check(self, call: Call, path: str) -> None:
        faults = self.official.faults_of_query(CONVERSATION_AI, path, call.query)
        if faults:
            raise refusals.unprocessable(faults)
