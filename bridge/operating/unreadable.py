"""Locations that no key opens: when they may be written over, since nothing can be read of them that would be lost."""

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
    """Raise Misconfigured, naming what is in the way, unless the file may replace what can't be opened."""
    given = {location.location_id: location for location in found}
    absent = [id_ for id_ in unreadable if id_ not in given]
    if absent:
        raise Misconfigured(f"BRIDGE_SECRET_KEY does not open {_named(absent)}, which are not in the file: nothing was changed")
    installed = services.installs.all()
    bare = [id_ for id_ in unreadable if not given[id_].ghl_token and id_ not in installed]
    if bare:
        raise Misconfigured(f"the file has no ghl_token for {_named(bare)}, whose kept one can't be opened: nothing was changed")
    if not forced and services.canary.others_live():
        what = _named(unreadable) if unreadable else "what is kept"
        raise Misconfigured(
            f"BRIDGE_SECRET_KEY does not open {what}, and a process with another key lives: give this one the same key, or stop "
            "that one, or use --replace-unreadable. Nothing was changed"
        )


def _named(ids: Sequence[str]) -> str:
    return f"location {ids[0]}" if len(ids) == 1 else f"{len(ids)} locations ({', '.join(ids[:5])})"
