"""The upkeep: one worker at a time looks whether anything is wrong, and tells the operator (`BRIDGE_ALERT_URL`)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.store.alerts import Alerts, Troubles
    from bridge.wire.calls import Wire

log = structlog.get_logger()

EVERY_SECONDS = 5.0
OVERDUE_SECONDS = 60.0
# One or two are somebody's scan of the internet.
MOST_REFUSED_WEBHOOKS = 5
POST_SECONDS = 10.0
ACCEPTED = range(200, 300)


class Upkeep:
    """Reviews every few seconds until stopped."""

    def __init__(self, alerts: Alerts, wire: Wire, *, url: str, every: float = EVERY_SECONDS) -> None:
        self._alerts = alerts
        self._wire = wire
        self._url = url
        self._every = every
        self._stopping = threading.Event()

    def run(self) -> None:
        """Review until `stop`; without an address there is nobody to tell."""
        while self._url and not self._stopping.wait(self._every):
            try:
                if self._alerts.review(name(self._alerts.look()), every=self._every * 0.9):
                    self.deliver()
            except BridgeError as error:
                log.warning("upkeep.waiting", why=str(error))

    def deliver(self) -> None:
        """Post what is to be told, oldest first; what can't be posted waits for the next review."""
        while (alert := self._alerts.next()) and not self._stopping.is_set():
            answer = self._wire.call("POST", self._url, headers={}, json=alert.document, seconds=POST_SECONDS)
            if answer.status not in ACCEPTED:
                log.warning("alert.refused", cause=alert.document["cause"], status=answer.status)
                return
            self._alerts.delivered(alert)

    def stop(self) -> None:
        """Review no more."""
        self._stopping.set()


def name(troubles: Troubles) -> dict[str, str]:
    """Each trouble as a cause and a sentence that says what to do."""
    causes = {
        f"hold:{location}": f"location {location} is on hold: {side} refused three logins in a row; apply a new token, "
        f"or `ghl-bridge locations resume {location}`"
        for location, side in troubles.holds.items()
    }
    causes |= {
        f"provider:{circuit}": f"the completion service {down.name} is down for location {down.location_id} and whoever "
        "shares its login; what waits is answered when it is back: `ghl-bridge doctor` tells more"
        for circuit, down in troubles.down.items()
    }
    causes |= {
        f"missed:{location}": f"location {location}: the sweep found messages that no webhook brought, and took them in; look at "
        f"the app's webhooks in GHL, and `ghl-bridge doctor --location {location}`"
        for location in troubles.missed
    }
    if troubles.dead_letters:
        causes["dead_letters"] = "there are dead letters: `ghl-bridge dead-letters list`"
    if troubles.oldest_overdue_seconds > OVERDUE_SECONDS:
        causes["overdue"] = (
            f"a conversation is overdue by more than {OVERDUE_SECONDS:.0f} s: `ghl-bridge doctor` looks for the cause"
        )
    if troubles.refused_webhooks >= MOST_REFUSED_WEBHOOKS:
        causes["signatures_refused"] = (
            f"{MOST_REFUSED_WEBHOOKS} and more webhooks in ten minutes had a wrong signature or secret: `ghl-bridge doctor`"
        )
    if troubles.capped:
        causes["reply_cap"] = (
            f"a conversation reached max_replies_per_day: `ghl-bridge explain {troubles.capped[0].split(':')[1]}`"
        )
    return causes
