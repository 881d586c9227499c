"""The audit log: who changed what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.model import Role
from bridge.operating.operation import operation
from bridge.operating.reach import everywhere
from bridge.operating.services import AdminServices
from bridge.times import iso


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. `who` is the interface (token, console, cli) and, after a colon, the operator's name if it has one.

    `outcome` is `done` or the class name of the error.
    In this version it is `Busy` for BudgetExhausted and `Down` for ServiceDown; the next version writes the new names.
    """

    at: str | None
    who: str
    what: str
    ids: tuple[str, ...]
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Changes, newest first."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """Which changes: `skip` the newest ones, and return at most `limit`."""

    skip: Annotated[int, Field(ge=0, le=10_000)] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 100


@operation("audit", "GET", "/audit", role=Role.ADMIN, reach=everywhere)
def audit(services: AdminServices, asked: AuditQuery) -> Changes:
    """List changes by operators, newest first."""
    entries = services.audit.page(skip=asked.skip, most=asked.limit)
    return Changes(
        changes=tuple(
            Change(at=iso(each.at_ms), who=each.who, what=each.what, ids=each.ids, outcome=each.outcome) for each in entries
        )
    )
