"""Everything that can go wrong, sorted by what to do next.

    BridgeError
    ├── Rejected              the sender's fault: answered with its HTTP status, nothing is kept
    │   ├── Malformed         400
    │   ├── Unauthorized      401
    │   ├── Closed            403, whoever asks
    │   ├── TooLarge          413
    │   └── TooOften          429; carries the wait
    ├── Unavailable           state could not be written: 429, the sender tries again
    ├── Retryable             may pass later; carries the wait that the other side asked for
    │   ├── BudgetExhausted   GHL's rate limit for the location is reached: the location waits; not counted as an attempt
    │   └── ServiceDown       the other side (GHL, a provider) is down: no connection, a 5xx, no readable answer
    ├── OutOfResources        this machine lacks a descriptor, memory, a thread or a codec: wait; not counted as an attempt
    ├── OutcomeUnknown        a write left this machine and no readable answer came back
    ├── Permanent             retrying won't help: dead letter
    │   └── OperatorMustFix   token, scope or provider settings: dead letter, and said to the operator
    │       ├── CutOff        an answer ended at its limit with nothing whole in it: only another provider may do better
    │       └── TokenRefused  a login was refused: three in a row put the location on hold
    ├── Fenced                the lease was lost: stop, and write nothing
    ├── WrongInput            the person at the command line: exit code 2
    │   └── NotKnown          ... named an id that is not there
    ├── DidNotWork            the command was right, the world was not: exit code 1
    └── Misconfigured         refuse to start: exit code 78

Not answering is a value (`Skip`), never an exception. Messages name what happened, to which id, and what to do next; they
hold no token, no message text, no phone number and no e-mail address, because they are kept and shown.
"""

from __future__ import annotations

import errno

# What the system says when this process or machine has no more of something; whoever is asked then is not at fault.
SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


class BridgeError(Exception):
    """The root: everything that the bridge itself raises.

    `said` is the start of the body in which another service reported the fault, as it came: at most 4 KiB, and never part of the
    message. It may hold anything, tokens and texts included; only what removes those may keep it.
    """

    said: bytes = b""


class Rejected(BridgeError):
    """A request that is refused unread."""

    status = 400
    code = "rejected"


class Malformed(Rejected):
    """A request that is not of the form that the admin API's document gives."""

    code = "malformed"


class Closed(Rejected):
    """An endpoint that the operator has not enabled."""

    status = 403
    code = "closed"


class TooOften(Rejected):
    """Too many failed logins; `wait` is in seconds."""

    status = 429
    code = "too_often"

    def __init__(self, message: str, *, wait: float) -> None:
        super().__init__(message)
        self.wait = wait


class Unauthorized(Rejected):
    """No, wrong or `N/A` signature or secret."""

    status = 401
    code = "unauthorized"


class TooLarge(Rejected):
    """A body over the limit."""

    status = 413
    code = "too_large"


class Unavailable(BridgeError):
    """State could not be read or written in time."""


class Retryable(BridgeError):
    """May pass later.

    `retry_after` is in seconds, as asked for by the other side; None lets the bridge's own schedule decide.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BudgetExhausted(Retryable):
    """The location's budget at GHL has no room for the request, which was not made or was answered 429."""


class ServiceDown(Retryable):
    """The other side is down: it took no connection, answered 5xx, or nothing readable. Others will meet the same."""


class OutOfResources(BridgeError):
    """This machine has no descriptor, memory, thread or codec left for it: nothing was sent, and nobody else is at fault."""


class OutcomeUnknown(BridgeError):
    """A write left this machine and nothing readable came back: it may have been carried out."""


class Permanent(BridgeError):
    """Retrying won't help. `outcome_unknown`: a write may have been carried out, and nothing can tell whether it was."""

    def __init__(self, message: str, *, outcome_unknown: bool = False) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown


class OperatorMustFix(Permanent):
    """A token, a scope or a provider setting is wrong."""


class CutOff(OperatorMustFix):
    """An answer was cut off at its limit and holds nothing whole: asking the same again costs the same and ends the same."""


class TokenRefused(OperatorMustFix):
    """A login was refused. `side` is `ghl` or `provider`; three in a row put the location on hold.

    `renewable`: the token is called invalid, so that another one of the same grant may do.
    """

    def __init__(self, message: str, *, side: str, renewable: bool = False) -> None:
        super().__init__(message)
        self.side = side
        self.renewable = renewable


class Fenced(BridgeError):
    """Another worker holds the lane now, or nobody does."""


class StandingChanged(BridgeError):
    """Somebody spoke, stopped or paused after the guards were asked: nothing was sent, and they are to be asked again."""


class AlreadySent(BridgeError):
    """What was about to be posted is in GHL already: GHL told of it after the turn was read."""


class WrongInput(BridgeError):
    """The command line or the file named something that is not there or not allowed."""

    exit_code = 2


class NotKnown(WrongInput):
    """An id that is not known here."""


class DidNotWork(BridgeError):
    """The command was right, but it could not be carried out."""

    exit_code = 1


class Misconfigured(BridgeError):
    """A setting is missing or wrong."""

    exit_code = 78


def shortage_of(error: BaseException) -> str:
    """What this machine lacks, in words, if that is what an error or one of its causes comes from; else empty."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OutOfResources):
            return str(seen)
        if isinstance(seen, OSError) and seen.errno in SHORTAGES:
            return f"this machine is out of resources: {errno.errorcode[seen.errno]}"
        if isinstance(seen, MemoryError):
            return "this machine is out of resources: no memory"
        if type(seen) is LookupError:  # what a codec that can't be loaded raises; a missing key or index has a class of its own
            return "this machine is out of resources: a codec could not be loaded"
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return ""
