"""Faults: retry and when, or a dead letter."""

from __future__ import annotations

import errno

import pytest

from bridge.errors import (
    Misconfigured,
    OperatorMustFix,
    OutcomeUnknown,
    OutOfResources,
    Permanent,
    Retryable,
    TokenRefused,
    VersionRefused,
)
from bridge.model import Again, Dead
from bridge.policy.retry import decide, is_sorted, words

DELAYS = (30.0, 120.0, 300.0)
READBACK = (6.0, 30.0)
BUSY = Retryable("busy")
UNKNOWN = OutcomeUnknown("reset")


@pytest.mark.parametrize(
    ("error", "attempts", "expected"),
    [
        (BUSY, 0, Again(wait=30, why="busy")),
        (BUSY, 2, Again(wait=300, why="busy")),
        (BUSY, 3, Dead(error="busy")),
        (BUSY, 99, Dead(error="busy")),
        (Retryable("busy", retry_after=7.5), 0, Again(wait=7.5, why="busy")),
        (Retryable("busy", retry_after=0), 1, Again(wait=0, why="busy")),
        (Retryable("busy", retry_after=9999), 2, Again(wait=9999, why="busy")),
        (Retryable("busy", retry_after=1), 3, Dead(error="busy")),
        (Permanent("no"), 0, Dead(error="no")),
        (OperatorMustFix("token"), 0, Dead(error="token")),
        (TokenRefused("token", side="ghl"), 0, Dead(error="token", refused="ghl")),
        (TokenRefused("token", side="provider"), 2, Dead(error="token", refused="provider")),
        (VersionRefused("version"), 0, Dead(error="version", refused="version")),
        (UNKNOWN, 0, Again(wait=6, why="outcome unknown: reset")),
        (UNKNOWN, 3, Again(wait=6, why="outcome unknown: reset")),
        (UNKNOWN, 4, Dead(error="outcome unknown: reset", outcome_unknown=True)),
        (Permanent("no", outcome_unknown=True), 0, Dead(error="no", outcome_unknown=True)),
        (ValueError("a phone number"), 0, Again(wait=30, why="internal fault: ValueError")),
        (ValueError("a phone number"), 3, Dead(error="internal fault: ValueError")),
        (OutOfResources("no thread"), 99, Again(wait=5, why="no thread", counts=False)),
        (OSError(errno.EMFILE, "a path"), 3, Again(wait=5, why="this machine is out of resources: EMFILE", counts=False)),
        (OSError(errno.ENFILE, ""), 99, Again(wait=5, why="this machine is out of resources: ENFILE", counts=False)),
        (OSError(errno.ENOMEM, ""), 99, Again(wait=5, why="this machine is out of resources: ENOMEM", counts=False)),
        (MemoryError(), 99, Again(wait=5, why="this machine is out of resources: no memory", counts=False)),
        (
            LookupError("unknown encoding: idna"),
            3,
            Again(wait=5, why="this machine is out of resources: a codec could not be loaded", counts=False),
        ),
        (KeyError("a phone number"), 3, Dead(error="internal fault: KeyError")),
        (OSError(errno.ECONNRESET, "reset"), 3, Dead(error="internal fault: ConnectionResetError")),
        (Misconfigured("key"), 1, Again(wait=120, why="internal fault: Misconfigured")),
    ],
)
def test_a_fault_is_sorted(error: Exception, attempts: int, expected: Again | Dead) -> None:
    """Temporary faults are retried by the schedule or as requested; others, and those after all attempts, are dead letters."""
    assert decide(error, attempts=attempts, delays=DELAYS, readback=READBACK) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [(BUSY, Dead(error="busy")), (UNKNOWN, Again(wait=0, why="outcome unknown: reset")), (Permanent("no"), Dead(error="no"))],
)
def test_no_delays_are_no_tries(error: Exception, expected: Again | Dead) -> None:
    """With an empty schedule the first fault is the last; an unknown outcome is still read back, once."""
    assert decide(error, attempts=0, delays=(), readback=()) == expected
    assert isinstance(decide(error, attempts=1, delays=(), readback=()), Dead)


def test_every_fault_ends() -> None:
    """A turn has as many retries as there are delays, and one more look after an unknown outcome."""
    for error, most in ((BUSY, len(DELAYS)), (Retryable("", retry_after=0), len(DELAYS)), (UNKNOWN, len(DELAYS) + 1)):
        attempts = 0
        while isinstance(outcome := decide(error, attempts=attempts, delays=DELAYS, readback=READBACK), Again):
            attempts += outcome.counts
            assert attempts <= most
        assert attempts == most


def test_our_own_faults_are_told_by_kind_only() -> None:
    """An unexpected fault's text may contain anything, and is not stored; a known one's is written to be shown."""
    assert words(KeyError("+1555")) == "internal fault: KeyError"
    assert words(BUSY) == "busy"
    assert [is_sorted(error) for error in (BUSY, UNKNOWN, Permanent(""), Misconfigured(""), ValueError())] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_short_waits_that_are_asked_for_are_not_believed_for_ever() -> None:
    """Seven attempts with a second between would end before anybody could fix the cause."""
    delays = (30.0, 120.0, 300.0, 900.0)
    asked = [decide(Retryable("busy", retry_after=1), attempts=tries, delays=delays, readback=()) for tries in range(4)]
    assert [one.wait for one in asked if isinstance(one, Again)] == [1, 1, 1, 900]
