"""What the completion services have in common, as far as a bridge uses them. `services` describes how each answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.simulator import answers, channels
from bridge.simulator.exchange import SimulatedEndpoint
from bridge.simulator.services import PATHS, SERVICES
from bridge.simulator.wire import Call, CallAnswer, Refused, reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.simulator.faults import Script
    from bridge.simulator.services import ServiceBehaviour
    from bridge.simulator.simulation import Simulation


class Completions:
    """The endpoints of all services."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    def exchanges(self) -> Iterator[tuple[str, SimulatedEndpoint]]:
        """Each path with its ASGI endpoint. Scripts call all of them `completion`, or one by its name."""
        for path, name in PATHS:
            yield path, self._exchange(name, SERVICES[name])

    def _exchange(self, name: str, service: ServiceBehaviour) -> SimulatedEndpoint:
        async def handle(call: Call, script: Script) -> CallAnswer:
            return await self._complete(service, call, script)

        return SimulatedEndpoint(
            simulation=self.simulation,
            name=name,
            group="completion",
            handle=handle,
            subject=lambda call: service.subject(call, self.simulation.world),
            headers=lambda _call: {},
        )

    async def _complete(self, service: ServiceBehaviour, call: Call, script: Script) -> CallAnswer:
        self._check_bearer(service, call)
        service.check(call)
        broken = script.speech("ok_false")
        if broken:
            return reply(200, {"ok": False, "error": broken["error"]})
        await asyncio.sleep(self.simulation.defaults.completion_seconds)
        text = _spoken(script, service.said(call))
        odd = script.speech("answer")
        if odd:
            self.simulation.counts.finished[call.contact_id] += 1
            return answers.write(odd["form"], call, text, self.simulation.id)
        message_id = await self._claim(call, script, text)
        self.simulation.counts.finished[call.contact_id] += 1
        return service.answer(call, text, message_id, self.simulation.id)

    def _check_bearer(self, service: ServiceBehaviour, call: Call) -> None:
        wanted = self.simulation.defaults.completion_token
        if (not call.bearer and service.demands_login) or (wanted and call.bearer != wanted):
            raise Refused(reply(401, service.unauthorized))

    async def _claim(self, call: Call, script: Script, text: str) -> str:
        """The id of the reply's message; by default the contact's message, so that nothing counts as delivered.

        Only Assistable delivers.
        """
        claim = script.speech("claim")
        if claim is None and self.simulation.defaults.deliver and call.endpoint.startswith("assistable"):
            claim = {"deliver": True}
        if claim is None or not text.strip():
            return call.text("last_message_id")
        message_id = str(claim.get("message_id") or self.simulation.id())
        if claim["deliver"]:
            await self._deliver(call, message_id, text)
        return message_id

    async def _deliver(self, call: Call, message_id: str, text: str) -> None:
        """Post the reply to GHL, as the service would do with its own token."""
        simulation = self.simulation
        contact = simulation.world.contacts.get(call.contact_id)
        if contact is None:
            return
        conversation = simulation.world.conversation(contact)
        last = next((each for each in reversed(conversation.messages) if each.direction == "inbound"), None)
        channel = last.channel if last else channels.SMS
        simulation.counts.delivered[contact.id].append(text)
        message = simulation.write(
            contact, channel, text, direction="outbound", id=message_id, source=simulation.defaults.echo_source
        )
        await simulation.echo(message)


def _spoken(script: Script, said: str) -> str:
    if script.speech("empty"):
        return ""
    scripted = script.speech("text")
    return str(scripted["text"]) if scripted else f'You said: "{said}". How can I help?'
