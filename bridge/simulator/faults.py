"""Scripted faults: to which requests they apply, how often, and what then fails."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.simulator.wire import Call

# Kinds that end a request, before or after its effect takes place.
ENDINGS = frozenset({"status", "cut", "hang", "html", "big", "lie", "endless"})
# Kinds that change what a completion service answers.
SPEECH = frozenset({"text", "empty", "claim", "ok_false", "answer"})
# With an unreadable 2xx, the request had its effect; with every other ending it had none, unless `when` says so.
_AFTER_BY_DEFAULT = frozenset({"html", "big", "trickle", "lie", "endless"})


@dataclass(slots=True)
class Fault:
    """One script: it skips the first `skip` requests and is applied to the next `times`."""

    on: str
    actions: list[dict[str, Any]]
    location_id: str = ""
    contact_id: str = ""
    skip: int = 0
    left: int | None = None
    met: int = 0

    def fits(self, call: Call, group: str) -> bool:
        """True if the script is about this request."""
        return (
            self.on in (group, call.endpoint)
            and self.left != 0
            and self.location_id in ("", call.location_id)
            and self.contact_id in ("", call.contact_id)
        )

    def meet(self) -> bool:
        """Count a request; true if the script applies to it."""
        if self.skip:
            self.skip -= 1
            return False
        self.met += 1
        if self.left is not None:
            self.left -= 1
        return True


@dataclass(slots=True)
class Script:
    """The faults of one request."""

    actions: list[dict[str, Any]] = field(default_factory=list)

    def before(self) -> list[dict[str, Any]]:
        """The fault before the effect."""
        return [action for action in self.actions if self._at(action, "before")]

    def after(self) -> list[dict[str, Any]]:
        """The fault after the effect."""
        return [action for action in self.actions if self._at(action, "after")]

    def speech(self, kind: str) -> dict[str, Any] | None:
        """The fault that changes a completion service's answer."""
        return next((action for action in self.actions if action["kind"] == kind), None)

    @staticmethod
    def _at(action: dict[str, Any], moment: str) -> bool:
        usual = "after" if action["kind"] in _AFTER_BY_DEFAULT else "before"
        return action["kind"] not in SPEECH and action.get("when", usual) == moment


class FaultBook:
    """All scripts in the order in which they were added; the first that applies decides."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._cleared = asyncio.Event()

    def add(self, given: dict[str, Any]) -> None:
        """Add a script whose schema was checked."""
        action = given["action"]
        fault = Fault(
            on=given["on"],
            actions=action if isinstance(action, list) else [action],
            location_id=given.get("location_id", ""),
            contact_id=given.get("contact_id", ""),
            skip=given.get("skip", 0),
            left=given.get("times"),
        )
        self._faults.append(fault)

    def script_for(self, call: Call, group: str) -> Script:
        """The script for this request."""
        for fault in self._faults:
            if fault.fits(call, group) and fault.meet():
                return Script(fault.actions)
        return Script()

    def clear(self) -> None:
        """Remove all scripts; requests that one delays continue."""
        self._faults.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()

    async def delay(self, seconds: float) -> None:
        """Wait, at most until all scripts are removed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._cleared.wait(), seconds)

    def shown(self) -> list[dict[str, Any]]:
        """The scripts, for the control API."""
        return [
            {"on": fault.on, "location_id": fault.location_id, "contact_id": fault.contact_id, "skip": fault.skip}
            | {"left": fault.left, "met": fault.met, "actions": fault.actions}
            for fault in self._faults
        ]
