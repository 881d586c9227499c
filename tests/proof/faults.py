"""Faults and events that may happen at one call."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """One fault or event at one call of a process."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    LOST = "answer lost"
    LATE = "answer late"
    TWICE = "answer twice"
    ERROR = "error answer"
    ERROR_DONE = "error answer, done all the same"
    UNREADABLE = "answer unreadable"
    LIMITED = "answer 429"
    REFUSED = "answer 401"
    STOPPED = "worker stopped"
    PAUSED_BEFORE = "lease lapsed before"
    PAUSED_AFTER = "lease lapsed after"
    SHARED = "another worker works meanwhile"
    STOP = "STOP arrives"
    PERSON = "a person's message arrives"
    NEWER = "a newer message arrives"
    ECHO = "an echo arrives"
    UNINSTALL = "an uninstall arrives"


ARRIVALS = frozenset({Fault.STOP, Fault.PERSON, Fault.NEWER, Fault.ECHO, Fault.UNINSTALL})
# Only for the calls of a worker in a turn.
OF_TURNS = frozenset({Fault.STOPPED, Fault.PAUSED_BEFORE, Fault.PAUSED_AFTER, Fault.SHARED})
# Makes a difference only with more than one lane.
OF_LANES = frozenset({Fault.SHARED})
OF_HTTP = frozenset({Fault.ERROR_DONE, Fault.UNREADABLE, Fault.LIMITED, Fault.REFUSED})
# After these every message must have the same outcome as without a fault.
PASSING = frozenset(Fault) - ARRIVALS - {Fault.REFUSED}


class Crash(BaseException):
    """The process is gone, and none of its code continues. No code may catch it, like a SIGKILL."""


class Stuck(BaseException):
    """A run that doesn't end. The code under test must not catch it."""


def faults_of(place: str) -> list[Fault]:
    """The faults for a call of this name: Redis calls begin with `redis`, calls of a turn end with `*`."""
    of_redis, of_turn, of_receiver = place.startswith("redis"), place.endswith("*"), place.startswith("redis accept")
    left_out: set[Fault] = set()
    if of_redis:
        left_out |= OF_HTTP
    if not of_turn:
        left_out |= OF_TURNS
    if of_receiver:
        left_out.add(Fault.LATE)  # its caller has given up by then: the same as lost
    return [fault for fault in Fault if fault not in left_out | OF_LANES]
