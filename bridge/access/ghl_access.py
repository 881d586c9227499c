"""A location's access to GHL: by the token of its file, or by the grant of its install."""

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
    """Opens GHL for a location."""

    def __init__(self, renewing: TokenRefresh, budgets: Budgets) -> None:
        self._renewing = renewing
        self._budgets = budgets

    def open(self, kept: LocationRecord, need: Need, breaker: Breaker | None = None) -> Access:
        """A location's access, for reads of this urgency. Whether there is a token at all is found out when one is shown."""
        budget = self._budgets.of(kept.location.location_id)
        return Access(bearer=self._bearer(kept), budget=budget, need=need, breaker=breaker or Unwatched())

    def permit(self, location_id: LocationId, need: Need) -> Permit:
        """What a script takes one request of the location's budget by, along with what else it does."""
        return self._budgets.permit(location_id, need)

    def _bearer(self, kept: LocationRecord) -> Bearer:
        """A token that the file gives wins: whoever wrote it there meant it."""
        token = kept.location.ghl_token
        if token:
            return Fixed(token.get_secret_value())
        return _Lent(self._renewing, kept) if kept.installed_at_ms else _Nobody(kept)


class _Lent:
    """The token of a grant."""

    def __init__(self, renewing: TokenRefresh, kept: LocationRecord) -> None:
        self._renewing = renewing
        self._owner = of_location(kept.location.location_id)
        self._company_id = kept.company_id

    def current(self) -> str:
        """The token, renewed in time."""
        return self._renewing.token(self._owner, self._company_id)

    def refused(self, token: str) -> str:
        """The next one."""
        return self._renewing.another(self._owner, token, self._company_id)


class _Nobody:
    """No token at all."""

    def __init__(self, kept: LocationRecord) -> None:
        self._kept = kept

    def current(self) -> str:
        """Raise OperatorMustFix."""
        id_ = self._kept.location.id
        raise OperatorMustFix(f"location {id_} has no ghl_token: apply one with `ghl-bridge locations apply`, or install the app")

    def refused(self, token: str) -> None:
        """None."""
        del token
