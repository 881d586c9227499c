"""Operators: people and scripts that use the console, the admin API or the command line, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.model.ids import LocationId


class Role(StrEnum):
    """What an operator may do: each role may also do what the ones before it may.

    `read` sees; `operate` also replays, pauses, answers and lifts opt-outs; `admin` also changes settings and access, and erases.
    """

    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"

    def covers(self, needed: Role) -> bool:
        """Whether this role may do what needs another one."""
        order = tuple(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who acts. `location_ids` None: all locations. `name` is empty for the one with BRIDGE_ADMIN_TOKEN, or on this machine.

    `mark` changes when an operator of the same name is added again.
    """

    name: str = ""
    role: Role = Role.ADMIN
    location_ids: frozenset[LocationId] | None = None
    mark: str = ""


# With BRIDGE_ADMIN_TOKEN, or with access to Redis itself.
OWNER = Operator()
