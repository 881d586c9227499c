"""Who may speak to GHL for a location: the token that its file gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import OperatorMustFix
from bridge.ghl.access import Access, Fixed, Unlimited

if TYPE_CHECKING:
    from typing import Never

    from bridge.ghl.access import Bearer, Need
    from bridge.locations import Location


class Gate:
    """Opens GHL for a location."""

    def open(self, location: Location, need: Need) -> Access:
        """A location's access, for reads of this urgency. Whether there is a token at all is found out when one is shown."""
        return Access(bearer=_bearer(location), budget=Unlimited(), need=need)


class _Nobody:
    """No token at all."""

    def __init__(self, location: Location) -> None:
        self._location = location

    def current(self) -> Never:
        """Raise OperatorMustFix."""
        raise OperatorMustFix(f"location {self._location.id} has no ghl_token: apply one with `ghl-bridge locations apply`")

    def refused(self, token: str) -> None:
        """None."""
        del token


def _bearer(location: Location) -> Bearer:
    token = location.ghl_token
    return Fixed(token.get_secret_value()) if token else _Nobody(location)
