"""The findings of `doctor`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.errors import BridgeError, DidNotWork


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check: `ok`, or the problem and what to do. A `note` is information and not a problem."""

    what: str
    ok: bool
    says: str
    note: bool = False


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """Findings, in the order in which to fix them."""

    findings: tuple[Finding, ...]


def note(what: str, says: str) -> Finding:
    """A finding that is only information."""
    return Finding(what, ok=True, says=says, note=True)


def attempt(what: str, look: Callable[[], str]) -> Finding:
    """Run one check: its result is an `ok` finding, a BridgeError that it raises is a problem."""
    try:
        return Finding(what, ok=True, says=look())
    except BridgeError as error:
        return Finding(what, ok=False, says=str(error))


def fail(says: str) -> str:
    """Report a problem. Raises DidNotWork."""
    raise DidNotWork(says)
