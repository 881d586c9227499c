"""Alerting: posts problems to `BRIDGE_ALERT_URL`.

All receivers and workers run it, and one process at a time reviews the state. `diagnosis` finds the problems;
`store/operators/alerts.lua` decides when an alert is due, and writes its text; `alert_forms` builds the posted JSON.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from bridge.errors import BridgeError
from bridge.operating.alert_forms import document, form_of, together
from bridge.operating.background import in_background
from bridge.operating.diagnosis import diagnose
from bridge.policy.business_hours import is_open, read
from bridge.store.operators.alerts import Alerts, Cause
from bridge.store.operators.symptoms import look
from bridge.wire.calls import Wire
from bridge.wiring import build_redis

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bridge.notification_settings import AlertForm
    from bridge.operating.trouble import Trouble
    from bridge.policy.business_hours import Hours
    from bridge.settings import Settings
    from bridge.store.redis.connection import Redis

log = structlog.get_logger()

EVERY_SECONDS = 5.0
POST_SECONDS = 10.0
ACCEPTED = range(200, 300)
MOST_TOGETHER = 100


class Alerting:
    """Reviews the state every few seconds until stopped."""

    def __init__(
        self,
        redis: Redis,
        wire: Wire,
        *,
        url: str,
        form: AlertForm = "auto",
        quiet: Hours | None = None,
        every: float = EVERY_SECONDS,
        replicas: int = 0,
    ) -> None:
        self._redis = redis
        self._form = form_of(form, url)
        self._quiet = quiet
        self._alerts = Alerts(redis)
        self._wire = wire
        self._url = url
        self._every = every
        self._replicas = replicas
        self._stopping = threading.Event()

    def run(self) -> None:
        """Review until `stop`. Does nothing if no alert URL is set."""
        while self._url and not self._stopping.wait(self._every):
            try:
                self.once()
            except BridgeError as error:
                log.warning("alerting.waiting", why=str(error))
                # The event's older name, for one version.
                log.warning(
                    "upkeep.waiting", why="this event is called alerting.waiting now; the next version logs only that name"
                )

    def once(self) -> None:
        """Review the state and post what is due, unless another process has reviewed it just now."""
        symptoms = look(self._redis, replicas=self._replicas)
        quiet = self._quiet is not None and is_open(self._quiet, symptoms.now_ms)
        if self._alerts.review(map(cause_of, diagnose(symptoms)), every=self._every * 0.9, quiet=quiet):
            self.deliver()

    def deliver(self) -> None:
        """Post the due alerts, oldest first, those of one kind together. What can't be posted waits for the next review."""
        # A slow alert receiver may take longer than a review; the next reviewer must not post the same alert.
        while self._alerts.may_deliver(2 * POST_SECONDS) and (waiting := self._alerts.waiting(most=MOST_TOGETHER)):
            if self._stopping.is_set():
                return
            alerts = together(waiting)
            answer = self._wire.call("POST", self._url, headers={}, json=document(alerts, self._form), seconds=POST_SECONDS)
            if answer.status not in ACCEPTED:
                log.warning("alert.refused", cause=alerts[0].document["cause"], status=answer.status)
                return
            self._alerts.delivered(*alerts)

    def stop(self) -> None:
        """Stop reviewing."""
        self._stopping.set()


def build_alerting(settings: Settings) -> Alerting:
    """Build `Alerting` with its own clients. Raises Misconfigured."""
    quiet = read(settings.quiet_hours, settings.time_zone) if settings.quiet_hours else None
    return Alerting(
        build_redis(settings),
        Wire(),
        url=settings.alert_url,
        form=settings.alert_form,
        quiet=quiet,
        replicas=settings.confirm_replicas,
    )


def alerting(settings: Settings) -> AbstractContextManager[None]:
    """Review in a separate thread while a block runs. Raises Misconfigured."""
    return in_background(build_alerting(settings))


def cause_of(trouble: Trouble) -> Cause:
    """A problem as `alerts.lua` needs it: its sentence with the first command, and how long it must last."""
    return Cause(trouble.cause, f"{trouble.says} `{trouble.command}`", trouble.alert_after_seconds, trouble.critical)
