"""GHL's REST API, as far as a bridge uses it."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Any

from bridge.simulator import channels, gate, refusals, wire_format
from bridge.simulator.exchange import SimulatedEndpoint
from bridge.simulator.overlays import CONTACTS, CONVERSATIONS, SENT
from bridge.simulator.wire import Call, CallAnswer, reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bridge.simulator.channels import ChannelKind
    from bridge.simulator.faults import Script
    from bridge.simulator.official import Official
    from bridge.simulator.simulation import Simulation
    from bridge.simulator.world import Conversation, Message, SimulatedContact

_PAGE = 20
_PAGE_MAX = 100


class Ghl:
    """The endpoints. Each answers a call that `gate` has accepted."""

    def __init__(self, simulation: Simulation, official: Official) -> None:
        self.simulation = simulation
        self.official = official

    def exchange(self, name: str, group: str, handle: Callable[[Call, set[str]], Awaitable[CallAnswer]]) -> SimulatedEndpoint:
        """Make an ASGI endpoint out of one of the methods below."""

        async def entered(call: Call, _script: Script) -> CallAnswer:
            return await handle(call, gate.enter(self.simulation, call))

        return SimulatedEndpoint(
            simulation=self.simulation,
            name=name,
            group=group,
            handle=entered,
            subject=self._find_subject,
            headers=lambda call: gate.limits(self.simulation, call),
        )

    async def send(self, call: Call, mine: set[str]) -> CallAnswer:
        """`POST /conversations/messages`."""
        body = self._checked_body(call, CONVERSATIONS, "SendMessageBodyDto")
        contact = self._contact(body["contactId"], mine)
        conversation = self.simulation.world.conversation(contact)
        answering = conversation.last.channel if conversation.last else None
        channel = channels.sent_as(body["type"], provider_id=body.get("conversationProviderId", ""), answering=answering)
        refusals.judge_send(body, channel, contact, conversation, self.simulation.now())
        await asyncio.sleep(self.simulation.defaults.post_seconds)
        message = self._file(body, channel or channels.SMS, contact)
        await self.simulation.echo(message)
        return reply(SENT, wire_format.receipt(message))

    async def message(self, call: Call, mine: set[str]) -> CallAnswer:
        """`GET /conversations/messages/{id}`."""
        message = await self._read_message(call, mine)
        return reply(200, {"message": wire_format.row(message, with_body=True)})

    async def email(self, call: Call, mine: set[str]) -> CallAnswer:
        """`GET /conversations/messages/email/{id}`."""
        message = await self._read_message(call, mine)
        return reply(200, wire_format.email_row(message, self.simulation.world.contacts[message.contact_id]))

    async def messages(self, call: Call, mine: set[str]) -> CallAnswer:
        """`GET /conversations/{id}/messages`."""
        self._check_query(call, "/conversations/{conversationId}/messages")
        conversation = self._conversation(call.params["id"], mine)
        await self._pause()
        limit = _limit(call)
        # One more than requested shows whether there is another page.
        found = list(islice(self._listed(call, conversation), limit + 1))
        rows = [wire_format.row(message, with_body=False) for message in found[:limit]]
        last = rows[-1]["id"] if rows else ""
        return reply(200, {"messages": {"lastMessageId": last, "nextPage": len(found) > limit, "messages": rows}})

    async def search(self, call: Call, mine: set[str]) -> CallAnswer:
        """`GET /conversations/search`."""
        self._check_query(call, "/conversations/search")
        location = self.simulation.world.locations.get(call.query["locationId"])
        if location is None or location.id not in mine:
            raise refusals.wrong_location()
        await self._pause()
        contact_id = call.query.get("contactId", "")
        if contact_id:
            found = self._of_contact(contact_id, location.id)
            return self._search_answer(found, len(found))
        before = int(float(call.query["startAfterDate"])) if "startAfterDate" in call.query else None
        walk = self.simulation.world.by_last_message(location, before=before)
        return self._search_answer(list(islice(walk, _limit(call))), len(location.by_date))

    async def conversation(self, call: Call, mine: set[str]) -> CallAnswer:
        """`GET /conversations/{id}`."""
        conversation = self._conversation(call.params["id"], mine)
        await self._pause()
        return reply(200, wire_format.conversation_card(conversation))

    async def contact(self, call: Call, mine: set[str]) -> CallAnswer:
        """`GET /contacts/{id}`."""
        contact = self._contact(call.params["id"], mine)
        await self._pause()
        return reply(200, {"contact": wire_format.contact_card(contact)})

    async def update_contact(self, call: Call, mine: set[str]) -> CallAnswer:
        """`PUT /contacts/{id}`, as far as it assigns the contact to a user."""
        body = self._checked_body(call, CONTACTS, "UpdateContactDto")
        contact = self._contact(call.params["id"], mine)
        contact.assigned_to = body.get("assignedTo", contact.assigned_to)
        return reply(200, {"succeded": True, "contact": wire_format.contact_card(contact)})

    async def add_tags(self, call: Call, mine: set[str]) -> CallAnswer:
        """`POST /contacts/{id}/tags`."""
        tags = self._checked_body(call, CONTACTS, "TagsDTO")["tags"]
        contact = self._contact(call.params["id"], mine)
        contact.tags.extend(tag for tag in dict.fromkeys(tags) if tag not in contact.tags)
        return reply(SENT, {"tags": contact.tags})

    async def remove_tags(self, call: Call, mine: set[str]) -> CallAnswer:
        """`DELETE /contacts/{id}/tags`."""
        tags = self._checked_body(call, CONTACTS, "TagsDTO")["tags"]
        contact = self._contact(call.params["id"], mine)
        contact.tags[:] = [tag for tag in contact.tags if tag not in tags]
        return reply(200, {"tags": contact.tags})

    def _find_subject(self, call: Call) -> None:
        """The contact that a request is about, for scripts and counts; called before anything is checked."""
        world = self.simulation.world
        given = call.params.get("id", "") or call.query.get("messageId", "")
        conversation = world.conversations.get(given)
        message = world.messages.get(given)
        found = conversation.contact_id if conversation else message.contact_id if message else given
        call.contact_id = call.text("contactId") or call.query.get("contactId", "") or found
        contact = world.contacts.get(call.contact_id)
        call.location_id = call.query.get("locationId", "") or (contact.location_id if contact else "")

    def _checked_body(self, call: Call, file: str, schema: str) -> dict[str, Any]:
        if call.body is None:
            raise refusals.not_json()
        faults = self.official.faults_of(file, schema, call.body)
        if faults:
            raise refusals.unprocessable(faults)
        body: dict[str, Any] = call.body
        return body

    def _check_query(self, call: Call, path: str) -> None:
        faults = self.official.faults_of_query(CONVERSATIONS, path, call.query)
        if faults:
            raise refusals.unprocessable(faults)

    def _contact(self, contact_id: str, mine: set[str]) -> SimulatedContact:
        contact = self.simulation.world.contacts.get(contact_id)
        if contact is None:
            raise refusals.contact_not_found(contact_id)
        if contact.location_id not in mine:
            raise refusals.wrong_location()
        return contact

    def _conversation(self, conversation_id: str, mine: set[str]) -> Conversation:
        conversation = self.simulation.world.conversations.get(conversation_id)
        if conversation is None:
            raise refusals.conversation_not_found(conversation_id)
        if conversation.location_id not in mine:
            raise refusals.wrong_location()
        return conversation

    async def _read_message(self, call: Call, mine: set[str]) -> Message:
        message = self.simulation.world.messages.get(call.params["id"])
        if message is None:
            raise refusals.message_not_found(call.params["id"])
        if message.location_id not in mine:
            raise refusals.wrong_location()
        await self._pause()
        return message

    def _file(self, body: dict[str, Any], channel: ChannelKind, contact: SimulatedContact) -> Message:
        simulation = self.simulation
        text = body.get("html", "") if channel is channels.EMAIL else body.get("message", "")
        more: dict[str, Any] = {"subject": body["subject"]} if "subject" in body else {}
        if simulation.defaults.files_elsewhere:
            more["conversation"] = simulation.world.elsewhere(contact)
        counted = simulation.counts.comments if channel is channels.COMMENT else simulation.counts.posts
        counted[contact.id].append(text)
        return simulation.write(
            contact,
            channel,
            text,
            direction="outbound",
            source=simulation.defaults.echo_source,
            user_id=body.get("userId", ""),
            provider_id=body.get("conversationProviderId", ""),
            thread_id=body.get("threadId", ""),
            attachments=body.get("attachments", []),
            mentions=body.get("mentions", []),
            **more,
        )

    def _listed(self, call: Call, conversation: Conversation) -> Any:
        before = self.simulation.world.messages.get(call.query.get("lastMessageId", ""))
        walk = self.simulation.world.newest_first(conversation, before=before)
        wanted = call.query.get("type", "")
        lag = self.simulation.defaults.list_lag_seconds
        too_new = self.simulation.now() - lag * 1000 if lag else float("inf")
        return (
            message
            for message in walk
            if message.at < too_new and (not wanted or message.channel.type_string in wanted.split(","))
        )

    def _of_contact(self, contact_id: str, location_id: str) -> list[Conversation]:
        world = self.simulation.world
        ids = (world.other_conversation_of.get(contact_id, ""), world.conversation_of.get(contact_id, ""))
        found = (world.conversations.get(one) for one in ids)
        return [one for one in found if one and one.messages and one.location_id == location_id]

    def _search_answer(self, found: list[Conversation], total: int) -> CallAnswer:
        contacts = self.simulation.world.contacts
        rows = [wire_format.conversation_row(each, contacts[each.contact_id]) for each in found]
        return reply(200, {"conversations": rows, "total": total})

    async def _pause(self) -> None:
        await asyncio.sleep(self.simulation.defaults.read_seconds)


def _limit(call: Call) -> int:
    return max(1, min(int(float(call.query.get("limit", _PAGE))), _PAGE_MAX))
