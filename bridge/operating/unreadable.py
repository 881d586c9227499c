"""Locations that no key can decrypt: when a file may replace them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.locations import Location
    from bridge.model import LocationId
    from bridge.operating.services import AdminServices


def check_replaceable(
    services: AdminServices, found: Sequence[Location], unreadable: Sequence[LocationId], *, forced: bool
) -> None:
    """Raise Misconfigured, with the reason, unless the file may replace the locations that can't be decrypted."""
    in_file = {location.location_id: location for location in found}
    absent = [id_ for id_ in unreadable if id_ not in in_file]
    if absent:
        raise Misconfigured(f"BRIDGE_SECRET_KEY can't decrypt {_named(absent)}, and the file lacks them: nothing was changed")
    installed = services.installs.all()
    bare = [id_ for id_ in unreadable if not in_file[id_].ghl_token and id_ not in installed]
    if bare:
        raise Misconfigured(f"the file has no ghl_token for {_named(bare)}, and no key decrypts the stored one. Nothing changed")
    if not forced and services.canary.others_live():
        what = _named(unreadable) if unreadable else "the stored secrets"
        raise Misconfigured(
            f"BRIDGE_SECRET_KEY can't decrypt {what}, and a process with another key runs: use the same key here, or stop that "
            "process, or use --replace-unreadable. Nothing was changed"
        )


def _named(ids: Sequence[str]) -> str:
    return f"location {ids[0]}" if len(ids) == 1 else f"{len(ids)} locations ({', '.join(ids[:5])})"
