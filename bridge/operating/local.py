"""Runs operations on this machine's Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from bridge.errors import BridgeError, WrongInput
from bridge.operating.services import AdminServices

if TYPE_CHECKING:
    from bridge.operating.operation import Operation

A = TypeVar("A")
R = TypeVar("R")
# Scripts read these names in `GET /api/v1/audit`. For one version an outcome keeps the name that its error had before.
OLDER_NAMES = {"AlreadySent": "There", "BudgetExhausted": "Busy", "ServiceDown": "Down", "StandingChanged": "Overtaken"}


class LocalOperations:
    """Runs operations on this machine's Redis, and records changes in the audit log.

    `who` is the interface: cli, token or console.
    """

    def __init__(self, services: AdminServices, *, who: str) -> None:
        self._services = services
        self._who = who

    def __call__(self, operation: Operation[A, R], asked: A) -> R:
        """Run an operation; see `Operations`."""
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
