"""What `doctor` found, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.errors import BridgeError, DidNotWork


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `ok`, or what is wrong and what to do. A `note` is worth knowing and nothing wrong."""

    what: str
    ok: bool
    says: str
    note: bool = False


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """Findings, in the order in which one would mend things."""

    findings: tuple[Finding, ...]


def note(what: str, says: str) -> Finding:
    """Something worth knowing."""
    return Finding(what, ok=True, says=says, note=True)


def attempt(what: str, look: Callable[[], str]) -> Finding:
    """Look at one thing: what it answers is well, what it raises is wrong."""
    try:
        return Finding(what, ok=True, says=look())
    except BridgeError as error:
        return Finding(what, ok=False, says=str(error))


def fail(says: str) -> str:
    """Say what is wrong. Raises DidNotWork."""
    raise DidNotWork(says)
