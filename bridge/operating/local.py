"""Runs operations on this machine's Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from bridge.errors import BridgeError, WrongInput
from bridge.model import OWNER
from bridge.operating.limited_services import LimitedServices
from bridge.operating.permission import check
from bridge.operating.services import AdminServices

if TYPE_CHECKING:
    from bridge.model import Operator
    from bridge.operating.operation import Operation

A = TypeVar("A")
R = TypeVar("R")
# Scripts read these names in `GET /api/v1/audit`. For one version an outcome keeps the name that its error had before.
OLDER_NAMES = {"AlreadySent": "There", "BudgetExhausted": "Busy", "ServiceDown": "Down", "StandingChanged": "Overtaken"}


class LocalOperations:
    """Runs operations on this machine's Redis as far as the operator may, and records changes in the audit log.

    `who` is the interface: cli, token or console.
    """

    def __init__(self, services: AdminServices, *, who: str, operator: Operator = OWNER) -> None:
        self._services = services if operator.location_ids is None else LimitedServices(services, operator.location_ids)
        self._who = f"{who}:{operator.name}" if operator.name else who
        self._operator = operator

    def __call__(self, operation: Operation[A, R], asked: A) -> R:
        """Run an operation; see `Operations`. Raises Forbidden if the operator may not."""
        check(self._operator, operation, self._services, asked)
        ids = operation.about(asked) if operation.about else ()
        outcome = "failed"
        try:
            answer = operation.run(self._services, asked)
            outcome = "done"
        except WrongInput:
            ids = ()  # the operation was refused and changed nothing
            raise
        except BridgeError as error:
            name = type(error).__name__
            outcome = OLDER_NAMES.get(name, name)
            raise
        finally:
            if ids:
                self._services.audit.note(who=self._who, what=operation.name, ids=ids, outcome=outcome)
        return answer
