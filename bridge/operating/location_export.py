"""Locations as a file for `locations apply`: differences from the defaults, without any secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.errors import NotKnown
from bridge.locations_toml import written
from bridge.model import LocationId, Role
from bridge.operating.operation import operation
from bridge.operating.reach import visible
from bridge.operating.services import AdminServices


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportQuery:
    """Of one location, or of all."""

    location_id: Annotated[str, Field(max_length=64)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """The `toml` of a locations file. Its secrets are `{ stored = true }`: applied here, it keeps those that are stored."""

    toml: str


@operation("locations.export", "GET", "/locations-file", role=Role.READ, reach=visible)
def export(services: AdminServices, asked: ExportQuery) -> ExportedFile:
    """Export settings as a locations file that can be applied again; secrets stay on the server."""
    ids = [LocationId(asked.location_id)] if asked.location_id else services.locations.ids()
    records = services.locations.some([id_ for id_ in ids if services.sees(id_)])
    if asked.location_id and not records:
        raise NotKnown(f"location {asked.location_id} is not known; `ghl-bridge locations list` shows the known ones")
    return ExportedFile(toml=written(each.location for each in records))
