"""Assistable and Agencii, as far as a bridge uses them: what they demand, and what they answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bridge.simulator import channels, ids
from bridge.simulator.exchange import Exchange
from bridge.simulator.wire import Answer, Call, Refused, reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.simulator.faults import Script
    from bridge.simulator.simulation import Simulation

_ASSISTABLE_FIELDS = ("location_id", "assistant_id", "contact_id", "conversation_id", "last_message_id", "channel", "input")
_AGENCII_FIELDS = ("message", "apiIntegrationId")
_AGENCII_OPTIONAL = ("chatId", "aliasChatId", "additionalInstructions")
# An Agencii integration of this name answers in plain text.
TEXT_ONLY = "textOnly"


class Completions:
    """The endpoints of both services."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    def exchange(
        self, name: str, handle: Callable[[Call, Script], Awaitable[Answer]], subject: Callable[[Call], None]
    ) -> Exchange:
        """Make an ASGI endpoint out of one of the methods below."""
        return Exchange(
            simulation=self.simulation,
            name=name,
            group="completion",
            handle=handle,
            subject=subject,
            headers=lambda _call: {},
        )

    async def assistable(self, call: Call, script: Script) -> Answer:
        """`POST /v2/ghl-chat-completion`."""
        self._check_bearer(call, {"message": "Unauthorized"})
        _check_assistable(call)
        broken = script.speech("ok_false")
        if broken:
            return reply(200, {"ok": False, "error": broken["error"]})
        await asyncio.sleep(self.simulation.defaults.completion_seconds)
        text = _spoken(script, call.text("input"))
        message_id = await self._claim(call, script, text)
        self._finish(call)
        return reply(200, _run(call, text, message_id=message_id, trace_id=ids.mint_uuid(self.simulation.randomness)))

    async def agencii(self, call: Call, script: Script) -> Answer:
        """`POST /get_completion`."""
        self._check_bearer(call, {"detail": "Invalid or missing authorization token."})
        _check_agencii(call)
        broken = script.speech("ok_false")
        if broken:
            return reply(200, {"ok": False, "error": broken["error"]})
        await asyncio.sleep(self.simulation.defaults.completion_seconds)
        text = _spoken(script, call.text("message"))
        self._finish(call)
        if call.text("apiIntegrationId") == TEXT_ONLY:
            return Answer(200, text.encode(), "text/plain")
        return reply(200, _chat(call, text, mint=self.simulation.id))

    def find_assistable_subject(self, call: Call) -> None:
        """Find out whom a completion is for."""
        call.location_id, call.contact_id = call.text("location_id"), call.text("contact_id")

    def find_agencii_subject(self, call: Call) -> None:
        """Find out whom a completion is for: a chat's own name may hold GHL's ids, as in `ghl:{location}:{conversation}`."""
        world = self.simulation.world
        name = call.text("aliasChatId") or call.text("chatId")
        for part in name.split(":"):
            conversation = world.conversations.get(part)
            contact = world.contacts.get(conversation.contact_id if conversation else part)
            if contact:
                call.location_id, call.contact_id = contact.location_id, contact.id
                return
        call.contact_id = name

    def _check_bearer(self, call: Call, body: dict[str, Any]) -> None:
        wanted = self.simulation.defaults.completion_token
        if not call.bearer or (wanted and call.bearer != wanted):
            raise Refused(reply(401, body))

    async def _claim(self, call: Call, script: Script, text: str) -> str:
        """Say which message holds the reply: by default the contact's own, which claims nothing."""
        claim = script.speech("claim")
        if claim is None and self.simulation.defaults.deliver:
            claim = {"deliver": True}
        if claim is None or not text.strip():
            return call.text("last_message_id")
        message_id = str(claim.get("message_id") or self.simulation.id())
        if claim["deliver"]:
            await self._deliver(call, message_id, text)
        return message_id

    async def _deliver(self, call: Call, message_id: str, text: str) -> None:
        """Post the reply into GHL, as the service would with its own access."""
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

    def _finish(self, call: Call) -> None:
        self.simulation.counts.finished[call.contact_id] += 1


def _check_assistable(call: Call) -> None:
    missing = [name for name in _ASSISTABLE_FIELDS if not call.text(name).strip()]
    if missing:
        raise Refused(reply(400, {"message": f"Missing or empty: {', '.join(missing)}"}))
    turns = call.body.get("messages")
    if not isinstance(turns, list) or not all(_is_turn(turn) for turn in turns):
        raise Refused(reply(400, {"message": "messages must be a list of {role, content}"}))


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, dict) and isinstance(turn.get("content"), str) and turn.get("role") in ("user", "assistant")


def _check_agencii(call: Call) -> None:
    missing = [name for name in _AGENCII_FIELDS if not call.text(name).strip()]
    if missing:
        raise Refused(reply(400, {"detail": f"Missing required fields: {', '.join(missing)}"}))
    wrong = [name for name in _AGENCII_OPTIONAL if not isinstance(call.body.get(name), str | None)]
    if wrong:
        raise Refused(reply(400, {"detail": f"Not a string: {', '.join(wrong)}"}))


def _spoken(script: Script, said: str) -> str:
    if script.speech("empty"):
        return ""
    scripted = script.speech("text")
    return str(scripted["text"]) if scripted else f'You said: "{said}". How can I help?'


def _run(call: Call, text: str, *, message_id: str, trace_id: str) -> dict[str, Any]:
    turns: list[dict[str, Any]] = [{"role": "assistant", "content": text, "refusal": None, "annotations": []}]
    response = {"messages": turns, "toolCalls": [], "completionTimestamp": datetime.now(UTC).isoformat()}
    message = {"conversationId": call.text("conversation_id"), "messageId": message_id, "traceId": trace_id}
    knowledge = {"matches": [], "namespace": call.text("assistant_id"), "usage": {"readUnits": 1}}
    return {
        "run": {
            "output": text,
            "input": call.text("input"),
            "response": response,
            "message": message,
            "knowledge_base": knowledge,
        }
    }


def _chat(call: Call, text: str, *, mint: Callable[[], str]) -> dict[str, Any]:
    # The vendor writes no zone here.
    now = datetime.now(UTC).replace(tzinfo=None).isoformat()
    message = {"id": mint(), "content": text, "role": "assistant", "type": "text", "createdAt": now}
    return {
        "chatId": call.text("chatId") or mint(),
        "createdAt": now,
        "threadId": mint(),
        "assistantId": mint(),
        "name": call.text("apiIntegrationId"),
        "message": message | {"references": [], "fileIds": [], "assistantData": None, "functions": None},
        "numMessages": 2,
        "aliasChatId": call.body.get("aliasChatId"),
    }
