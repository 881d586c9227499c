"""Installs of the app, and what is wrong with their tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bridge.model import Role
from bridge.operating.operation import Nothing, operation
from bridge.operating.reach import visible
from bridge.operating.services import AdminServices
from bridge.store.locations.grants import of_company, of_location

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.store.locations.grants import Owner
    from bridge.store.locations.records import LocationRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Unconfigured:
    """Locations where the app is installed and no settings were applied."""

    location_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The source of a location's GHL `token` (file, install or none), and the problem with it (null: none)."""

    token: Literal["file", "install", "none"]
    token_trouble: str | None


@operation("locations.unconfigured", "GET", "/unconfigured-locations", role=Role.READ, reach=visible)
def unconfigured(services: AdminServices, asked: Nothing) -> Unconfigured:
    """List the locations where the app is installed and no settings were applied."""
    del asked
    return Unconfigured(location_ids=tuple(filter(services.sees, services.installs.unconfigured())))


def logins(services: AdminServices, locations: Sequence[LocationRecord]) -> dict[str, Login]:
    """The login of each location, by its id."""
    refusals = services.grants.refusals([owner for record in locations for owner in _owners(record)])
    return {record.location.id: _login(services, record, refusals) for record in locations}


def _owners(kept: LocationRecord) -> list[Owner]:
    own = of_location(kept.location.location_id)
    return [own, of_company(kept.company_id)] if kept.company_id else [own]


def _login(services: AdminServices, kept: LocationRecord, refusals: dict[Owner, str | None]) -> Login:
    if kept.location.ghl_token:
        return Login(token="file", token_trouble=None)  # noqa: S106 - where it comes from, not what it is
    if not kept.installed_at_ms or kept.uninstalled_at_ms:
        return Login(token="none", token_trouble="nothing can be read or posted: set a ghl_token, or install the app")  # noqa: S106
    known = [refusals[owner] for owner in _owners(kept) if refusals[owner] is not None]
    why = next((why for why in known if why), "" if known else "the install returned no tokens")
    return Login(token="install", token_trouble=f"{why}; install the app again: {services.install_link}" if why else None)  # noqa: S106
