"""The page of operators: who may do what, adding and removing; and the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from bridge.errors import Malformed, WrongInput
from bridge.model import Role
from bridge.operating import operators
from bridge.operating.audit import AuditQuery, audit
from bridge.operating.operation import Nothing
from bridge.receiver.api.questions import question
from bridge.receiver.console.locations import names
from bridge.receiver.console.pages import Moved, Page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bridge.operating.operators import OperatorAdded
    from bridge.receiver.console.pages import Visit

ON_A_PAGE = 20
MOST_SKIPPED = 10_000
ROLES = {
    Role.READ: "read: sees everything",
    Role.OPERATE: "operate: also replays, pauses, answers, lifts opt-outs",
    Role.ADMIN: "admin: also changes settings and access, and erases",
}
ask = question(operators.add)


def show(visit: Visit) -> Page:
    """The page of all named operators."""
    return _page(visit)


def add(visit: Visit) -> Page:
    """The same page with the token of the new operator, which is shown only now, or with the errors."""
    locations = [id_ for id_ in visit.form.get("location_ids", ()) if id_]
    fields = {"name": visit.given("name").strip(), "role": visit.given("role")}
    try:
        added = visit.perform(operators.add, ask({}, [], orjson.dumps({**fields, "location_ids": locations})))
    except (Malformed, WrongInput) as error:
        return _page(visit, wrong=str(error), given=fields, chosen=locations)
    return _page(visit, added=added)


def remove(visit: Visit) -> Moved:
    """Remove an operator."""
    name = visit.path("name")
    visit.perform(operators.remove, operators.OperatorQuery(name))
    return Moved("/console/operators", f"{name} is removed: its token and its logins have ended.")


def show_audit(visit: Visit) -> Page:
    """The audit log, newest first."""
    skip = min(MOST_SKIPPED, visit.number("from"))
    found = visit.perform(audit, AuditQuery(skip=skip, limit=ON_A_PAGE + 1)).changes
    following = skip + ON_A_PAGE if len(found) > ON_A_PAGE else 0
    return Page("audit.html", "overview", {"changes": found[:ON_A_PAGE], "start": skip, "next": following})


def _page(
    visit: Visit,
    *,
    added: OperatorAdded | None = None,
    wrong: str = "",
    given: Mapping[str, str] | None = None,
    chosen: Sequence[str] = (),
) -> Page:
    shown = {
        "operators": visit.perform(operators.list_, Nothing()).operators,
        "roles": ROLES,
        "names": names(visit),
        "added": added,
        "wrong": wrong,
        "given": given or {"name": "", "role": Role.READ},
        "chosen": chosen,
    }
    return Page("operators.html", "overview", shown, 422 if wrong else 200)
