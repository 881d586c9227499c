"""Named operators: each has a token of its own, a role, and possibly a limit to some locations."""

from __future__ import annotations

from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Annotated

from pydantic import Field

from bridge.errors import NotKnown, WrongInput
from bridge.model import LocationId, Role
from bridge.operating.operation import Nothing, operation
from bridge.operating.reach import everywhere
from bridge.operating.services import AdminServices
from bridge.store.operators.operators import StoredOperator
from bridge.times import iso

# Long enough for the e-mail address of an SSO proxy's user.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9@._+-]{0,63}$")]
DAY_MS = 24 * 3600 * 1000
TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorShown:
    """An operator. Without `location_ids` it may see all locations. Times are ISO 8601 in UTC."""

    name: str
    role: Role
    location_ids: tuple[str, ...]
    added_at: str | None
    expires_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorList:
    """All operators, by name; not those with BRIDGE_ADMIN_TOKEN."""

    operators: tuple[OperatorShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOperator:
    """A new operator, for a number of `days`; with `location_ids` it sees only these."""

    name: Name
    role: Role
    location_ids: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], Field(max_length=100)] = ()
    days: Annotated[int, Field(ge=1, le=730)] = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAdded:
    """The new operator, and its token, which is shown only now."""

    operator: OperatorShown
    token: str


@dataclass(frozen=True, slots=True)
class OperatorQuery:
    """The name of an operator."""

    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRemoved:
    """The operator can't log in any more, and its logins have ended."""

    name: str


@operation("operators.list", "GET", "/operators", role=Role.ADMIN, reach=everywhere)
def list_(services: AdminServices, asked: Nothing) -> OperatorList:
    """List the named operators with their roles and locations."""
    del asked
    return OperatorList(operators=tuple(map(_shown, services.operators.all())))


@operation("operators.add", "POST", "/operators", role=Role.ADMIN, reach=everywhere, about=lambda asked: (asked.name,))
def add(services: AdminServices, asked: AddOperator) -> OperatorAdded:
    """Add an operator with a token of its own, for the console, the admin API and the command line."""
    known = {*services.locations.ids(), *services.installs.unconfigured()}
    if unknown := [id_ for id_ in asked.location_ids if LocationId(id_) not in known]:
        raise NotKnown(f"location {', '.join(unknown)} is not known; `ghl-bridge locations list` shows the known ones")
    token = f"op-{token_urlsafe(TOKEN_BYTES)}"
    added = services.operators.add(asked.name, asked.role, asked.location_ids, token, lasts_ms=asked.days * DAY_MS)
    if added is None:
        raise WrongInput(f"there is an operator {asked.name} already: remove it first, or choose another name")
    return OperatorAdded(operator=_shown(added), token=token)


@operation(
    "operators.remove", "DELETE", "/operators/{name}", role=Role.ADMIN, reach=everywhere, about=lambda asked: (asked.name,)
)
def remove(services: AdminServices, asked: OperatorQuery) -> OperatorRemoved:
    """Remove an operator: its token and its logins end at once."""
    if not services.operators.remove(asked.name):
        raise NotKnown(f"there is no operator {asked.name}; `ghl-bridge operators list` shows all")
    return OperatorRemoved(name=asked.name)


def _shown(stored: StoredOperator) -> OperatorShown:
    operator = stored.operator
    return OperatorShown(
        name=operator.name,
        role=operator.role,
        location_ids=tuple(sorted(operator.location_ids or ())),
        added_at=iso(stored.added_at_ms),
        expires_at=iso(stored.expires_at_ms),
    )
