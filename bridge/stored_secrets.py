"""`{ stored = true }` in a locations file: a secret that stays as stored, because secrets are never shown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from bridge.errors import WrongInput
from bridge.locations import Location
from bridge.provider_tables import STORED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NOT_STORED = "is { stored = true }, but no secret is stored: write the secret, or { env = ... }"
# Otherwise a user who may apply a file could have a token sent to another address.
ELSEWHERE = "is { stored = true }, but the address is another one than it was stored for: write the secret again"


def with_stored(locations: Iterable[Location], before: Mapping[str, Location]) -> tuple[Location, ...]:
    """The locations with the secrets of `before` (by location id) where they ask for them.

    Raises WrongInput with one sentence per secret that isn't stored.
    """
    faults: list[str] = []
    filled = tuple(_filled(one, before.get(one.id), faults) for one in locations)
    if faults:
        raise WrongInput("\n".join(faults))
    return filled


def _filled(location: Location, before: Location | None, faults: list[str]) -> Location:
    fields = location.model_dump()
    stored = before.model_dump() if before else {}
    if not _fill(fields, stored, f"locations.{location.id}", faults):
        return location
    return location if faults else Location.model_validate(fields)


def _fill(fields: dict[str, Any], stored: dict[str, Any], place: str, faults: list[str]) -> bool:
    """Put stored secrets into the fields; returns whether any was requested."""
    asked = False
    for name, value in fields.items():
        if isinstance(value, dict):
            under = stored.get(name)
            asked |= _fill(value, under if isinstance(under, dict) else {}, f"{place}.{name}", faults)
        elif isinstance(value, SecretStr) and value.get_secret_value() == STORED:
            asked, known = True, stored.get(name)
            if known is None:
                faults.append(f"{place}.{name}: {NOT_STORED}")
            elif any(fields.get(address) != stored.get(address) for address in ("url", "base_url")):
                faults.append(f"{place}.{name}: {ELSEWHERE}")
            fields[name] = known
    return asked
