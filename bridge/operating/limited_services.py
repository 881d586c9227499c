"""The stores and clients of operations, for an operator that may see only some locations."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from bridge.operating.services import AdminServices

if TYPE_CHECKING:
    from bridge.model import LocationId


class LimitedServices(AdminServices):
    """The services of another object; `sees` allows only these locations."""

    is_limited = True

    def __init__(self, services: AdminServices, location_ids: frozenset[LocationId]) -> None:
        super().__init__(services.settings)
        self._services = services
        self._location_ids = location_ids

    def __getattribute__(self, name: str) -> object:
        """Every store of the other object, so that none is built twice."""
        if name in SHARED:
            return getattr(self._services, name)
        return super().__getattribute__(name)

    def sees(self, location_id: str) -> bool:
        """Whether the operator may see this location."""
        return location_id in self._location_ids


SHARED = frozenset(name for name, each in vars(AdminServices).items() if isinstance(each, cached_property))
