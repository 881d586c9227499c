"""A location's access to GHL, with the token of its file or the grant of its install."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import OperatorMustFix
from bridge.ghl.access import Access, Fixed, Unwatched
from bridge.store.locations.grants import of_location

if TYPE_CHECKING:
    from bridge.access.token_refresh import TokenRefresh
    from bridge.ghl.access import Bearer, Breaker, Need
    from bridge.model import LocationId
    from bridge.store.lanes.patch import Permit
    from bridge.store.limits.budget import Budgets
    from bridge.store.locations.records import LocationRecord


class GHLAccess:
    """Builds a location's access to GHL."""

    def __init__(self, renewing: TokenRefresh, budgets: Budgets) -> None:
        self._renewing = renewing
        self._budgets = budgets

    def open(self, record: LocationRecord, need: Need, breaker: Breaker | None = None) -> Access:
        """A location's access with the priority `need`. A missing token raises only when the token is used."""
        budget = self._budgets.of(record.location.location_id)
        return Access(bearer=self._bearer(record), budget=budget, need=need, breaker=breaker or Unwatched())

    def token_ready(self, kept: LocationRecord) -> bool:
        """Whether a location's token is known, and needs no request before it can be used."""
        return bool(kept.location.ghl_token) or self._renewing.token_ready(of_location(kept.location.location_id))

    def permit(self, location_id: LocationId, need: Need) -> Permit:
        """The permit with which a script counts one request against the location's rate limit."""
        return self._budgets.permit(location_id, need)

    def _bearer(self, kept: LocationRecord) -> Bearer:
        """The token of the file, if there is one, else the grant's."""
        token = kept.location.ghl_token
        if token:
            return Fixed(token.get_secret_value())
        return _GrantToken(self._renewing, kept) if kept.installed_at_ms else _NoToken(kept)


class _GrantToken:
    """The token of a grant."""

    def __init__(self, renewing: TokenRefresh, kept: LocationRecord) -> None:
        self._renewing = renewing
        self._owner = of_location(kept.location.location_id)
        self._company_id = kept.company_id

    def current(self) -> str:
        """The token, renewed if necessary."""
        return self._renewing.token(self._owner, self._company_id)

    def refused(self, token: str) -> str:
        """A newer token than the refused one."""
        return self._renewing.another(self._owner, token, self._company_id)


class _NoToken:
    """A location without a token."""

    def __init__(self, kept: LocationRecord) -> None:
        self._kept = kept

    def current(self) -> str:
        """Raise OperatorMustFix."""
        id_ = self._kept.location.id
        raise OperatorMustFix(f"location {id_} has no ghl_token: apply one with `ghl-bridge locations apply`, or install the app")

    def refused(self, token: str) -> None:
        """None."""
        del token
