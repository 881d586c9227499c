"""GHL's token endpoints. A refresh token works once, so a call is repeated only if nothing was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.ghl import oauth
from bridge.ghl.oauth import App
from bridge.wire.backoff import persist

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.ghl.oauth import Granted, Kind
    from bridge.model import LocationId
    from bridge.settings import Settings
    from bridge.wire.calls import Wire


class Tokens:
    """Requests tokens. A call is retried only if nothing was sent, and raises as `oauth.decipher`."""

    def __init__(self, wire: Wire, base_url: str, app: App, *, version: str = "") -> None:
        self._version = version or oauth.VERSION
        self._wire = wire
        self._base_url = base_url.rstrip("/")
        self.app = app

    def by_code(self, code: str, *, seconds: float) -> Granted:
        """The first pair of an install."""
        return self._ask("/oauth/token", oauth.by_code(self.app, code), {}, what="authorization code", seconds=seconds)

    def by_refresh(self, refresh_token: str, kind: Kind, *, seconds: float) -> Granted:
        """The next pair. The refresh token is invalid afterwards, even if no answer arrives."""
        form = oauth.by_refresh(self.app, refresh_token, kind)
        return self._ask("/oauth/token", form, {}, what="refresh token", seconds=seconds)

    def reconnect(self, owner: str, *, seconds: float) -> str:
        """A new code for an install (`location:ID` or `company:ID`) whose tokens are lost, without an action by a person."""
        headers = {"Version": self._version, "Accept": "application/json"}

        def attempt(left: float) -> str:
            shown = oauth.reconnect(self.app, owner)
            answer = self._wire.call("POST", self._base_url + "/oauth/reconnect", headers=headers, json=shown, seconds=left)
            return oauth.decipher_code(answer.status, answer.headers, answer.body)

        return persist(attempt, seconds=seconds)

    def for_location(self, company_token: str, company_id: str, location_id: LocationId, *, seconds: float) -> Granted:
        """One location's token, in exchange for an agency's, which stays valid."""
        form, shown = oauth.for_location(company_id, location_id), {"Authorization": f"Bearer {company_token}"}
        # The same endpoint has another name in v3 (GHL's apps/v3/oauth-v3.json).
        path = "/oauth/location-token" if self._version == "v3" else "/oauth/locationToken"
        return self._ask(path, form, shown, what="token of the agency", seconds=seconds)

    def _ask(self, path: str, form: Mapping[str, str], shown: Mapping[str, str], *, what: str, seconds: float) -> Granted:
        headers = {"Version": self._version, "Accept": "application/json", **shown}

        def attempt(left: float) -> Granted:
            answer = self._wire.call("POST", self._base_url + path, headers=headers, form=form, seconds=left)
            return oauth.decipher(answer.status, answer.headers, answer.body, what=what)

        return persist(attempt, seconds=seconds)


def build_tokens(settings: Settings, wire: Wire) -> Tokens | None:
    """GHL's token endpoints for the app of the settings; None without one."""
    if not settings.ghl_client_id or settings.ghl_client_secret is None:
        return None
    app = App(
        client_id=settings.ghl_client_id,
        client_secret=settings.ghl_client_secret.get_secret_value(),
        redirect_url=settings.ghl_redirect_url,
    )
    return Tokens(wire, settings.ghl_api_url, app, version=settings.ghl_api_version)
