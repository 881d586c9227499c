"""Whether an operator may do something: by its role and by its locations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.errors import Forbidden, NotKnown
from bridge.model import Role

if TYPE_CHECKING:
    from bridge.model import Operator
    from bridge.operating.operation import Operation
    from bridge.operating.services import AdminServices


def check(operator: Operator, operation: Operation[Any, Any], services: AdminServices, asked: Any) -> None:
    """Return if the operator may do it, or raise.

    Raises:
        Forbidden: the role does not cover it, or it is about the whole installation and the operator is limited to locations.
        NotKnown: it is about another location, or about an id that is not known: the operator can't tell the two apart.
        Unavailable: Redis can't be reached.
    """
    needed = operation.role or Role.ADMIN
    if not operator.role.covers(needed):
        raise Forbidden(f"this needs the role {needed}, and operator {operator.name} has the role {operator.role}")
    if operator.location_ids is None:
        return
    about = operation.reach(services, asked) if operation.reach else None
    if about is None:
        some = ", ".join(sorted(operator.location_ids))
        raise Forbidden(f"this is about the whole installation, and operator {operator.name} is limited to {some}")
    if not operator.location_ids.issuperset(about):
        raise NotKnown(f"this is not known here, or operator {operator.name} may not see it")
