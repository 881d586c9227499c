"""The registry of completion services by `provider`. A new one needs a module and a line here."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.addresses import PLAIN_HTTP, may_be_asked
from bridge.completion import agencii, agent_studio, assistable, openai, webhook
from bridge.completion.exchange import Anew, Exchange
from bridge.completion.retrying import Retrying
from bridge.errors import OperatorMustFix
from bridge.metrics import PROVIDER_REQUEST, Tally
from bridge.wire.backoff import TRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.completion import Completer, Service, TakesFiles
    from bridge.locations import Location
    from bridge.settings import Settings
    from bridge.wire.calls import Wire

    Builder = Callable[[Location, Settings], Service]

SERVICES: Mapping[str, Builder] = {
    "assistable": assistable.of,
    "agencii": agencii.of,
    "openai": openai.of,
    "webhook": webhook.of,
    "agent_studio": agent_studio.of,
}


@dataclass(frozen=True, slots=True)
class Providers:
    """Builds completers from a location's settings, with defaults from the environment."""

    wire: Wire
    settings: Settings
    tally: Tally = field(default_factory=Tally)
    services: Mapping[str, Builder] = field(default_factory=lambda: SERVICES)
    sleep: Callable[[float], None] = time.sleep

    def __call__(
        self,
        location: Location,
        name: str,
        *,
        may_deliver: bool,
        patient: bool = True,
        before_send: Callable[[], None] | None = None,
    ) -> Completer:
        """The completer of this provider for this location; `patient`: it retries temporary errors within seconds.

        `before_send` is called immediately before each request is sent; it prevents the request by raising.
        Raises OperatorMustFix if settings are missing.
        """
        wire, service = self._counted(name), self.service(location, name)
        exchange = Exchange(wire, service, may_deliver=may_deliver, handover=location.handover, before_send=before_send)
        return Retrying(Anew(exchange), sleep=self.sleep, attempts=TRIES if patient else 1)

    def circuit(self, location: Location, name: str) -> str:
        """The key of the circuit that this provider shares with all others at the same address with the same login."""
        service = self.service(location, name)
        who = "\n".join((service.url, *(f"{header}: {value}" for header, value in sorted(service.headers.items()))))
        return f"{name}-{hashlib.sha256(who.encode()).hexdigest()[:16]}"

    def takes_history(self, location: Location, name: str) -> bool:
        """Whether this provider needs the earlier messages with each question."""
        return self.service(location, name).takes_history

    def takes_files(self, location: Location, name: str) -> TakesFiles:
        """Which files this provider accepts."""
        return self.service(location, name).takes_files

    def service(self, location: Location, name: str) -> Service:
        """A provider of the location as plain values. Raises OperatorMustFix if settings are missing or not allowed."""
        service = self.services[name](location, self.settings)
        if not (self.settings.allow_private_urls or may_be_asked(service.url)):
            raise OperatorMustFix(f"location {location.id}: the url of {name} {PLAIN_HTTP}")
        return service

    def _counted(self, provider: str) -> Wire:
        def observe(method: str, path: str, ended: str, seconds: float) -> None:
            del method, path
            self.tally.time(PROVIDER_REQUEST, provider, ended, seconds=seconds)

        return self.wire.observed(observe)
