"""A server in GHL's place that issues tokens, on a real socket: each refresh token works once, and all requests are counted."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from bridge.access.token_refresh import TokenRefresh
from bridge.ghl.oauth import App, Granted
from bridge.ghl.tokens import Tokens
from bridge.model import LocationId
from bridge.store.locations.grants import of_company, of_location
from bridge.wire.calls import Wire
from tests.other_side import OtherSide, Visit, http
from tests.stored import grants_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from tests.other_side import Received

APP = App(client_id="app-1", client_secret="s3cret", redirect_url="https://bridge.example/oauth/callback")
COMPANY_ID = "agency"
HERE = LocationId("here")
MINE, AGENCY = of_location(HERE), of_company(COMPANY_ID)


@dataclass(slots=True)
class Lender:
    """The requests, and how they are answered. `seconds` is the lifetime of the tokens, `slow` the duration of an answer.

    `used_up` are the refresh tokens that were shown, `told` what they brought: as GHL, it is told again where the lender
    `repeats`. `reconnects`: the app may be reconnected. `failing` are answers to be given instead, after the effect.
    """

    redis: Redis
    url: str = ""
    seconds: float = 1000.0
    slow: float = 0.0
    numbers: list[int] = field(default_factory=lambda: [0])
    used_up: set[str] = field(default_factory=set)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bearers: list[str] = field(default_factory=list)
    told: dict[str, bytes] = field(default_factory=dict)
    repeats: bool = False
    reconnects: bool = False
    failing: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, visit: Visit) -> None:
        """Answer a connection's requests."""
        while request := visit.request():
            answer = self._answer(request)
            threading.Event().wait(self.slow)
            visit.send(answer)

    def renewing(self) -> TokenRefresh:
        """The token refresh of one process, with its own client."""
        return TokenRefresh(grants_of(self.redis), Tokens(Wire(), self.url, APP))

    def lend(self, *, seconds: float, refresh: str = "refresh-0", kind: str = "Location") -> None:
        """Store an install's tokens, which expire after `seconds`."""
        granted = Granted(
            kind="Company" if kind == "Company" else "Location",
            access_token="access-0",
            refresh_token=refresh,
            seconds=seconds,
            location_id=LocationId("") if kind == "Company" else HERE,
            company_id=COMPANY_ID,
        )
        grants_of(self.redis).install(AGENCY if kind == "Company" else MINE, granted)

    def shown(self, path: str = "/oauth/token") -> list[str]:
        """The refresh tokens or locations in the requests so far."""
        return [form.get("refresh_token") or form.get("locationId", "") for asked, form in self.asked if asked == path]

    def _answer(self, request: Received) -> bytes:
        reconnect = request.target == "/oauth/reconnect"
        form = request.document if reconnect else {name: each[0] for name, each in parse_qs(request.body.decode()).items()}
        with self.lock:
            self.asked.append((request.target, form))
            self.bearers.append(request.headers.get("authorization", ""))
            known = form.get("refresh_token", "")
            if known in self.told and self.repeats:
                return self.failing.pop(0) if self.failing else self.told[known]
            if known in self.used_up:
                return http(400, {"error": "invalid_grant", "error_description": "This refresh token is invalid"})
            if reconnect and not self.reconnects:
                return http(400, {"message": "The app is not installed in this location.", "error": "Bad Request"})
            self.used_up |= {known} - {""}
            if self.failing and not known:
                return self.failing.pop(0)
            answer = http(200, {"authorizationCode": "code", "traceId": "t"}) if reconnect else self._tokens(form)
            if known:
                self.told[known] = answer
            return self.failing.pop(0) if self.failing else answer

    def _tokens(self, form: dict[str, str]) -> bytes:
        self.numbers[0] += 1
        number = self.numbers[0]
        document: dict[str, Any] = {"access_token": f"access-{number}", "expires_in": self.seconds, "companyId": COMPANY_ID}
        if "locationId" in form:
            return http(200, {**document, "locationId": form["locationId"]})
        return http(200, {**document, "refresh_token": f"refresh-{number}", "locationId": HERE})


@contextmanager
def opened(redis: Redis) -> Iterator[Lender]:
    """A token server for one test."""
    lender = Lender(redis)
    with OtherSide(lender.serve) as side:
        lender.url = side.url
        yield lender
