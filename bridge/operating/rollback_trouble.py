"""The problem that Redis has lost writes: a failover to a replica that lagged, a restored copy, or a FLUSHALL. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.operating.trouble import Trouble, counted
from bridge.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.store.operators.symptoms import Symptoms

MOST_NAMED = 3


def rollbacks(symptoms: Symptoms) -> Iterator[Trouble]:
    """Writes that Redis confirmed are lost. Where no sweep runs, messages may be lost until an operator runs one."""
    known = symptoms.rollback
    if known is None:
        return
    unswept = known.unswept
    says = "Redis has lost writes that it had confirmed: the state went back. Older conversations are checked against GHL first."
    if unswept:
        named = ", ".join(unswept[:MOST_NAMED]) + (", ..." if len(unswept) > MOST_NAMED else "")
        where = counted(len(unswept), "location", "locations")
        says += f" No sweep looks for lost messages in {where} ({named}), because reconcile_minutes = 0."
    else:
        says += " The sweep looks for lost messages."
    yield Trouble(
        cause="rollback",
        name="State went back",
        says=says,
        command="ghl-bridge reconcile --since 24h",
        critical=bool(unswept),
        since=iso(known.at_ms),
    )
