"""Workflows of a location that send a webhook about a message, in the free "Webhook" action's form or a user's own."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from bridge.simulator.wire import Refused, reply
from bridge.simulator.wire_format import iso

if TYPE_CHECKING:
    from bridge.simulator.simulation import Simulation
    from bridge.simulator.world import Message, SimulatedContact

_MERGE_FIELD = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_DAY_MS = 24 * 3600 * 1000


class Workflows:
    """Orders of the control API that run a workflow. The schema of each order was checked before."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    async def tell(self, order: dict[str, Any]) -> dict[str, Any]:
        """Send the webhook of a contact's message; without its id, of the contact's newest message."""
        message = self._message(order)
        raw, content_type = self._body(message, order)
        url = order.get("url") or self.simulation.defaults.workflow_url
        if not url:
            raise _wrong("neither url here nor workflow_url in the defaults")
        headers = {"Content-Type": content_type, **order.get("headers", {})}
        parcel = self.simulation.arbitrary(raw, url=url, headers=headers, signed=False, retry=order.get("retry", False))
        answers = await self.simulation.webhooks.send(replace(parcel, kind="workflow"), copies=order.get("copies", 1))
        return {"message_id": message.id, "body": raw.decode(), "answers": [answer.shown() for answer in answers]}

    def _message(self, order: dict[str, Any]) -> Message:
        world = self.simulation.world
        if "message_id" in order:
            found = world.messages.get(order["message_id"])
        else:
            conversation = world.conversations.get(world.conversation_of.get(order.get("contact_id", ""), ""))
            inbound = [each for each in conversation.messages if each.direction == "inbound"] if conversation else []
            found = inbound[-1] if inbound else None
        if found is None:
            raise _wrong("no such message, and no contact who has written")
        return found

    def _body(self, message: Message, order: dict[str, Any]) -> tuple[bytes, str]:
        # GHL's "Test" button runs a workflow without a message: its merge fields are empty.
        fields = {} if order.get("test") else _merge_fields(message)
        pairs = {name: _filled(text, fields) for name, text in order.get("pairs", {}).items()}
        match order.get("form", "free"):
            case "form":
                return urlencode(pairs).encode(), "application/x-www-form-urlencoded"
            case "json":
                return orjson.dumps(pairs), "application/json"
            case "raw":
                # A body that its user wrote as a template: GHL inserts the values unchanged.
                written = ",".join('"' + name + '":"' + value + '"' for name, value in pairs.items())
                return f"{{{written}}}".encode(), "application/json"
            case _:
                contact = self.simulation.world.contacts[message.contact_id]
                shown = free(message, contact, pairs, told=not order.get("test"), now=self.simulation.now())
                return orjson.dumps(shown), "application/json"


def free(message: Message, contact: SimulatedContact, pairs: dict[str, str], *, told: bool, now: int) -> dict[str, Any]:
    """The free action's fixed form; `told`: of the message that started the workflow, else of a test run's empty values."""
    name = f"Contact {contact.id[:4]}"
    fields = {"type": message.channel.type_id, "body": message.body, "direction": "inbound", "status": message.status}
    return {
        "contact_id": contact.id,
        "first_name": "Contact",
        "last_name": contact.id[:4],
        "full_name": name,
        "email": contact.email,
        "phone": contact.phone,
        "tags": ",".join(contact.tags),
        "country": "US",
        "date_created": iso(now - _DAY_MS),
        "full_address": "",
        "contact_type": "lead",
        "location": {
            "name": "Simulated location",
            "address": "",
            "city": "",
            "state": "",
            "country": "US",
            "postalCode": "",
            "fullAddress": "",
            "id": message.location_id,
        },
        "message": fields if told else dict.fromkeys(fields, ""),
        "workflow": {"id": "d325be72-ae1d-490a-b6e7-62b404ecd35b", "name": "Inbound to AI"},
        "triggerData": {},
        "contact": {"attributionSource": {}, "lastAttributionSource": {}},
        "attributionSource": {},
        "customData": pairs,
    }


def _merge_fields(message: Message) -> dict[str, str]:
    return {
        "message.id": message.email_message_id or message.id,
        "message.body": message.body,
        "message.type": str(message.channel.type_id),
        "message.direction": message.direction,
        "conversation.id": message.conversation_id,
        "contact.id": message.contact_id,
        "location.id": message.location_id,
    }


def _filled(text: str, fields: dict[str, str]) -> str:
    """Replace merge fields; one that GHL doesn't know, or has no value for, becomes empty."""
    return _MERGE_FIELD.sub(lambda match: fields.get(match[1], ""), text)


def _wrong(message: str) -> Refused:
    return Refused(reply(422, {"errors": [message]}))
