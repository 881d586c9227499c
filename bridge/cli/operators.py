"""`ghl-bridge operators` and `audit`: who may do what, and who did what."""

from __future__ import annotations

import sys

from bridge.cli.context import operations
from bridge.cli.output import confirm, print_json, print_table
from bridge.errors import WrongInput
from bridge.model import Role
from bridge.operating import operators
from bridge.operating.audit import AuditQuery
from bridge.operating.audit import audit as read_audit
from bridge.operating.operation import Nothing


def list_all(*, as_json: bool) -> None:
    """Print all named operators, one per line."""
    found = operations()(operators.list_, Nothing()).operators
    if as_json:
        print_json(found)
        return
    rows = [
        (each.name, each.role, ",".join(each.location_ids) or "all", _day(each.added_at), _day(each.expires_at)) for each in found
    ]
    print_table(("operator", "role", "locations", "added", "expires"), rows)


def add(name: str, role: str, locations: tuple[str, ...], *, days: int, as_json: bool) -> None:
    """Print the token of a new operator. Raises WrongInput if there is one of this name, or a location is not known."""
    if role not in set(Role):
        raise WrongInput(f"{role} is not a role: choose read, operate or admin")
    asked = operators.AddOperator(name=name, role=Role(role), location_ids=locations, days=days)
    added = operations()(operators.add, asked)
    if as_json:
        print_json(added)
        return
    print(added.token)
    print(f"the token of {name}, shown only now; it expires on {_day(added.operator.expires_at)}", file=sys.stderr)


def remove(name: str, *, yes: bool, as_json: bool) -> None:
    """Remove an operator. Raises WrongInput if there is none of this name."""
    confirm(f"Remove operator {name}? Its token stops working.", yes=yes)
    removed = operations()(operators.remove, operators.OperatorQuery(name))
    if as_json:
        print_json(removed)
        return
    print(f"{name} is removed: its token and its logins have ended")


def audit(*, limit: int, as_json: bool) -> None:
    """Print the newest changes, newest first."""
    changes = operations()(read_audit, AuditQuery(limit=limit)).changes
    if as_json:
        print_json(changes)
        return
    rows = [(each.at or "", each.who, each.what, ",".join(each.ids), each.outcome) for each in changes]
    print_table(("at", "who", "what", "ids", "outcome"), rows)


def _day(moment: str | None) -> str:
    return (moment or "")[:10]
