"""One running simulator: the world, its clock, and the events that more than one interface causes."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from bridge.simulator import ids, keys, wire_format
from bridge.simulator.channels import EMAIL
from bridge.simulator.counts import RequestCounts
from bridge.simulator.faults import FaultBook
from bridge.simulator.grants import GrantBook
from bridge.simulator.hub import Hub
from bridge.simulator.media import MediaHost
from bridge.simulator.onlooking import Onlooker
from bridge.simulator.records import Records
from bridge.simulator.webhooks import Parcel, Webhooks
from bridge.simulator.world import Message, World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.simulator.channels import ChannelKind
    from bridge.simulator.options import Defaults, Options
    from bridge.simulator.window import RequestWindow
    from bridge.simulator.world import Direction, SimulatedContact


class Simulation:
    """Contains all state of a simulator."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.randomness = ids.source(options.seed)
        self.keys = keys.load(options.state_dir)
        self.hub = Hub()
        self.defaults: Defaults = options.defaults
        self.counts = RequestCounts()
        self.onlooker = Onlooker(options)
        self.media = MediaHost(self)
        self.rates: dict[str, RequestWindow] = {}
        self._begin()
        self.webhooks = Webhooks(self.counts, self.hub)

    def reset(self) -> None:
        """Remove everything except the keys and the options."""
        self._begin()
        self.webhooks.forget(self.counts)
        self.hub.publish("reset", {})

    def now(self) -> int:
        """GHL's time, in milliseconds."""
        return int((time.time() + self.defaults.clock_skew_seconds) * 1000)

    def id(self) -> str:
        """Make an id."""
        return ids.mint(self.randomness)

    def write(
        self,
        contact: SimulatedContact,
        channel: ChannelKind,
        text: str,
        *,
        direction: Direction,
        at: int | None = None,
        **more: Any,
    ) -> Message:
        """Add a new message to the contact's conversation."""
        conversation = more.pop("conversation", None) or self.world.conversation(contact)
        more.setdefault("id", self.id())
        if channel is EMAIL:
            more["email_message_id"] = self.id()
            more.setdefault("subject", "Your message")
        message = Message(
            location_id=contact.location_id,
            contact_id=contact.id,
            conversation_id=conversation.id,
            direction=direction,
            channel=channel,
            body=text,
            at=self.now() if at is None else at,
            provider_id=more.pop("provider_id", "") or self.world.locations[contact.location_id].provider_id,
            **more,
        )
        message.thread_id = message.thread_id or message.email_message_id
        if message.media:
            self.media.attach(message)
        self.world.add(message)
        self.hub.publish("message", self.shown(message))
        return message

    def shown(self, message: Message) -> dict[str, Any]:
        """A message, for the control API and the page."""
        return wire_format.row(message, with_body=True) | {
            "text": wire_format.plain(message.body) if message.channel is EMAIL else message.body,
            "channel": message.channel.name,
            "email_message_id": message.email_message_id,
            "media": message.media,
        }

    def event_of(self, message: Message) -> dict[str, Any]:
        """Build the webhook of a message, with a new webhook id."""
        contact = self.world.contacts[message.contact_id]
        webhook_id = ids.mint_uuid(self.randomness)
        return wire_format.event(message, contact, app_id=self.options.app_id, webhook_id=webhook_id, now=self.now())

    def parcel_of(self, event: dict[str, Any]) -> Parcel:
        """Sign an event and prepare it for posting."""
        self.counts.webhook_events[str(event.get("type"))] += 1
        note = {"contactId": str(event.get("contactId", "")), "webhookId": str(event.get("webhookId", ""))}
        return self.parcel(orjson.dumps(event), kind=str(event.get("type")), note=note)

    def parcel(self, raw: bytes, *, kind: str, note: Mapping[str, str] | None = None) -> Parcel:
        """Sign bytes and prepare them for posting to the receiver."""
        signed = self.keys.signatures(raw, legacy=self.defaults.legacy_signature)
        return Parcel(
            url=self.defaults.webhook_url,
            raw=raw,
            headers={"Content-Type": "application/json", "User-Agent": "ghl-bridge-simulator"} | signed,
            delays=self.defaults.retry_delays,
            timeout=self.defaults.webhook_timeout,
            kind=kind,
            note=note,
        )

    def arbitrary(self, raw: bytes, *, url: str, headers: Mapping[str, str], signed: bool, retry: bool) -> Parcel:
        """Prepare any body for posting to any address; `headers` override the simulator's."""
        parcel = self.parcel(raw, kind="arbitrary")
        own = parcel.headers if signed else {"Content-Type": "application/json"}
        return replace(parcel, url=url or parcel.url, headers={**own, **headers}, delays=parcel.delays if retry else ())

    def app_event(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Build an INSTALL or UNINSTALL webhook, with a new webhook id."""
        app_id, now = self.options.app_id, wire_format.iso(self.now())
        envelope = {"appId": app_id, "versionId": app_id, "timestamp": now, "webhookId": ids.mint_uuid(self.randomness)}
        return {"type": kind, **fields, **envelope}

    async def echo(self, message: Message) -> None:
        """Send the OutboundMessage webhook of a post, if and when the defaults say so."""
        if self.defaults.echo == "off" or not self.defaults.webhook_url:
            return
        parcel = self.parcel_of(self.event_of(message))
        if self.defaults.echo == "before":
            await self.webhooks.send(parcel)
        else:
            self.webhooks.send_later(parcel, seconds=self.defaults.echo_seconds)

    def change(self, changed: dict[str, Any]) -> None:
        """Change defaults."""
        changed = {name: tuple(value) if isinstance(value, list) else value for name, value in changed.items()}
        self.defaults = replace(self.defaults, **changed)

    def _begin(self) -> None:
        self.defaults = self.options.defaults
        self.world = World(self.randomness)
        self.world.put_location(self.options.location_id, self.options.ghl_token)
        self.counts = RequestCounts()
        self.grants = GrantBook(self.randomness)
        self.records = Records()
        self.faults = FaultBook()
        self.rates = {}
