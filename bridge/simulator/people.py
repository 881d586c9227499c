"""Actions of people in the simulated world: contacts write, staff answer, locations and contacts are created."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bridge.simulator import channels
from bridge.simulator.wire import Refused, reply

if TYPE_CHECKING:
    from bridge.simulator.channels import ChannelKind
    from bridge.simulator.simulation import Simulation
    from bridge.simulator.world import Message, SimulatedContact

_AT_ONCE = 256
_BURST_TEXT = "Message {n} of contact {c}"


class People:
    """Orders of the control API for actions of people. The schema of each order was checked before."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    async def put_location(self, order: dict[str, Any]) -> dict[str, Any]:
        """Add a location and its token."""
        location = self.simulation.world.put_location(order["id"], order["token"])
        return {"id": location.id, "conversation_provider_id": location.provider_id}

    async def put_contact(self, order: dict[str, Any]) -> dict[str, Any]:
        """Add a contact, or change one."""
        contact = self._contact(order)
        contact.tags = order.get("tags", contact.tags)
        contact.dnd = order.get("dnd", contact.dnd)
        contact.dnd_settings = order.get("dndSettings", contact.dnd_settings)
        contact.email = order.get("email", contact.email)
        contact.phone = order.get("phone", contact.phone)
        conversation = self.simulation.world.conversation(contact)
        return {"contact_id": contact.id, "location_id": contact.location_id, "conversation_id": conversation.id}

    async def merge(self, order: dict[str, Any]) -> dict[str, Any]:
        """Merge one contact into another: its id is removed, its conversation stays."""
        world = self.simulation.world
        gone = world.contacts.get(order["contact_id"])
        if gone is None:
            raise _wrong(f"no contact {order['contact_id']}")
        kept = world.put_contact(gone.location_id, order["into"])
        world.merge(gone, kept)
        return {"contact_id": kept.id, "conversation_id": world.conversation(kept).id}

    async def say(self, order: dict[str, Any]) -> dict[str, Any]:
        """Create a message of the contact."""
        contact = self._contact(order)
        message = self._inbound(contact, order)
        ids = _ids(message)
        if not order.get("webhook", True) or not self.simulation.defaults.webhook_url:
            return ids | {"webhook_id": None, "answers": []}
        event = self.simulation.event_of(message)
        parcel = self.simulation.parcel_of(event)
        ids["webhook_id"] = event["webhookId"]
        if not order.get("wait", True):
            self.simulation.webhooks.send_later(parcel, seconds=0)
            return ids | {"answers": []}
        answers = await self.simulation.webhooks.send(parcel, copies=order.get("copies", 1))
        return ids | {"answers": [answer.shown() for answer in answers]}

    async def burst(self, order: dict[str, Any]) -> dict[str, Any]:
        """Create messages of many contacts, in turn."""
        began = time.monotonic()
        location_id = self._location_id(order)
        people = [self.simulation.id() for _ in range(order["contacts"])]
        places = asyncio.Semaphore(_AT_ONCE)
        rate = order.get("rate")
        statuses: Counter[str] = Counter()

        async def one(turn: int) -> None:
            number, place = divmod(turn, len(people))
            if rate:
                await asyncio.sleep(began + turn / rate - time.monotonic())
            async with places:
                said = await self.say(_single(order, location_id, people[place], number, place))
            statuses.update(str(answer["status_code"] or "unreachable") for answer in said["answers"])

        sent = order["messages_each"] * len(people)
        await asyncio.gather(*map(one, range(sent)))
        seconds = round(time.monotonic() - began, 3)
        return {"location_id": location_id, "contact_ids": people, "sent": sent, "by_status": statuses, "seconds": seconds}

    async def human(self, order: dict[str, Any]) -> dict[str, Any]:
        """Create a message of a person at the business, or of GHL's own bot. Without a user id it looks like an automation's."""
        contact = self._contact(order)
        user_id = order["user_id"] if "user_id" in order else self.simulation.id()
        message = self.simulation.write(
            contact,
            self._channel(order, contact),
            order["text"],
            direction="outbound",
            at=_moment(order.get("date_added")),
            user_id=user_id or "",
            source=order.get("source", "app"),
        )
        if order.get("bot"):
            self.simulation.world.generated.add(message.id)
        ids = _ids(message)
        if not order.get("webhook", True) or not self.simulation.defaults.webhook_url:
            return ids | {"webhook_id": None, "answers": []}
        event = self.simulation.event_of(message)
        answers = await self.simulation.webhooks.send(self.simulation.parcel_of(event))
        return ids | {"webhook_id": event["webhookId"], "answers": [answer.shown() for answer in answers]}

    async def bots(self, order: dict[str, Any]) -> dict[str, Any]:
        """Add a bot of GHL, on auto-pilot, to a location."""
        bot = {"name": order.get("bot", "GHL's bot"), "channels": order.get("channels", ["SMS"])}
        self.simulation.world.bots.setdefault(order["location_id"], []).append(bot)
        return bot

    async def failure(self, order: dict[str, Any]) -> dict[str, Any]:
        """Make the newest reply undelivered: GHL marks it `failed` and sends another OutboundMessage webhook.

        An order may set another `status`.
        """
        world = self.simulation.world
        conversation = world.conversations.get(world.conversation_of.get(order["contact_id"], ""))
        written = [each for each in conversation.messages if each.direction == "outbound"] if conversation else []
        replies = [each for each in written if each.channel is not channels.COMMENT]
        if not replies:
            raise _wrong(f"nothing was sent to contact {order['contact_id']}")
        replies[-1].status = order.get("status", "failed")
        self.simulation.hub.publish("failure", self.simulation.shown(replies[-1]))
        if self.simulation.defaults.webhook_url:
            await self.simulation.webhooks.send(self.simulation.parcel_of(self.simulation.event_of(replies[-1])))
        return _ids(replies[-1])

    def _inbound(self, contact: SimulatedContact, order: dict[str, Any]) -> Message:
        more = {"subject": order["subject"]} if "subject" in order else {}
        return self.simulation.write(
            contact,
            self._channel(order, contact),
            order["text"],
            direction="inbound",
            at=_moment(order.get("date_added")),
            provider_id=order.get("conversation_provider_id", ""),
            attachments=order.get("attachments", []),
            media=order.get("media", []),
            **more,
        )

    def _location_id(self, order: dict[str, Any]) -> str:
        location_id = str(order.get("location_id", self.simulation.options.location_id))
        if location_id not in self.simulation.world.locations:
            self.simulation.world.put_location(location_id, self.simulation.options.ghl_token)
        return location_id

    def _contact(self, order: dict[str, Any]) -> SimulatedContact:
        known = self.simulation.world.contacts.get(order.get("contact_id", ""))
        if known and order.get("location_id", known.location_id) != known.location_id:
            raise _wrong(f"contact {known.id} is of location {known.location_id}")
        if known:
            return known
        location_id = self._location_id(order)
        return self.simulation.world.put_contact(location_id, order.get("contact_id") or self.simulation.id())

    def _channel(self, order: dict[str, Any], contact: SimulatedContact) -> ChannelKind:
        if "channel" not in order:
            last = self.simulation.world.conversation(contact).last
            return last.channel if last else channels.SMS
        channel = channels.named(order["channel"])
        if channel is None:
            raise _wrong(f"no channel {order['channel']}; there are {', '.join((*channels.BY_NAME, *channels.BY_TYPE_STRING))}")
        return channel


def _single(order: dict[str, Any], location_id: str, contact_id: str, number: int, place: int) -> dict[str, Any]:
    text = order.get("text", _BURST_TEXT).replace("{n}", str(number + 1)).replace("{c}", str(place + 1))
    passed: dict[str, Any] = {key: order[key] for key in ("channel", "copies", "webhook") if key in order}
    return {"location_id": location_id, "contact_id": contact_id, "text": text, **passed}


def _ids(message: Message) -> dict[str, Any]:
    """The ids of a message. For e-mails, webhooks and the REST API use different ids."""
    return {
        "message_id": message.email_message_id or message.id,
        "rest_message_id": message.id,
        "conversation_id": message.conversation_id,
        "contact_id": message.contact_id,
        "location_id": message.location_id,
    }


def _moment(given: str | float | None) -> int | None:
    """Read a time: ISO text, or milliseconds."""
    if given is None:
        return None
    if isinstance(given, int | float):
        return int(given)
    try:
        return round(datetime.fromisoformat(given).timestamp() * 1000)
    except ValueError as error:
        raise _wrong(f"date_added: {error}") from None


def _wrong(message: str) -> Refused:
    return Refused(reply(422, {"errors": [message]}))
