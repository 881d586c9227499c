"""All exceptions of the bridge, sorted by what to do next.

    BridgeError
    ├── Rejected              the sender's fault: answered with its HTTP status, nothing is stored
    │   ├── Malformed         400
    │   ├── Unauthorized      401
    │   ├── Closed            403 for everybody
    │   ├── Forbidden         403 for this operator
    │   ├── TooLarge          413
    │   └── TooOften          429; carries the wait
    ├── Unavailable           state could not be written: 429, the sender repeats it
    ├── Retryable             may succeed later; has the wait that the service asked for
    │   ├── BudgetExhausted   GHL's rate limit for the location is used up: the location waits, which uses no attempt
    │   └── ServiceDown       GHL or a provider is down: no connection, a 5xx, no readable answer
    ├── OutOfResources        this machine lacks a descriptor, memory, a thread or a codec: wait, which uses no attempt
    ├── OutcomeUnknown        a write was sent, but no readable answer came back
    ├── Permanent             retrying won't help: dead letter
    │   └── OperatorMustFix   wrong token, scope or provider settings: dead letter, shown to the operator
    │       ├── VersionRefused  GHL no longer accepts this API version: the location is on hold until it does
    │       ├── CutOff        an answer was cut off without a complete sentence: only another provider can help
    │       └── TokenRefused  a login was refused: three in a row put the location on hold
    ├── Fenced                the lease was lost: stop, and write nothing
    ├── WrongInput            the user's input is wrong: exit code 2
    │   └── NotKnown          an id is not known
    ├── DidNotWork            the input was correct, but the operation failed: exit code 1
    └── Misconfigured         refuse to start: exit code 78

Not answering is a value (`Skip`), never an exception. Messages name what happened, to which id, and what to do next. They contain
no token, message text, phone number or e-mail address, because they are stored and shown.
"""

from __future__ import annotations

import errno

# The system's errors when this process or machine has used up a resource; the called service is not at fault.
SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


class BridgeError(Exception):
    """The base class of all exceptions of the bridge.

    `said` is the beginning of the body in which another service reported the error, unchanged, at most 4 KiB, and never part of
    the message. It may contain anything, also tokens and texts; only code that removes those may store it.
    """

    said: bytes = b""


class Rejected(BridgeError):
    """A request that is refused before it is processed."""

    status = 400
    code = "rejected"


class Malformed(Rejected):
    """A request that doesn't match the admin API's document."""

    code = "malformed"


class Closed(Rejected):
    """An endpoint that the operator has not enabled."""

    status = 403
    code = "closed"


class Forbidden(Rejected):
    """The operator's role, or its limit to some locations, does not allow it."""

    status = 403
    code = "forbidden"


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
    """May succeed later. `retry_after` is the wait (s) that the service asked for; None: the bridge's own schedule decides."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BudgetExhausted(Retryable):
    """The location's rate limit at GHL is used up: the request was not made, or was answered 429."""


class ServiceDown(Retryable):
    """The service is down: it accepted no connection, answered 5xx, or sent no readable answer. Other requests will fail too."""


class OutOfResources(BridgeError):
    """This machine has no descriptor, memory, thread or codec left: nothing was sent, and no service is at fault."""


class OutcomeUnknown(BridgeError):
    """A write was sent, but no readable answer came back: it may have been carried out. `answered`: an unreadable one came."""

    def __init__(self, message: str, *, answered: bool = False) -> None:
        super().__init__(message)
        self.answered = answered


class Permanent(BridgeError):
    """Retrying won't help. `outcome_unknown`: a write may have been carried out, and it is impossible to find out."""

    def __init__(self, message: str, *, outcome_unknown: bool = False) -> None:
        super().__init__(message)
        self.outcome_unknown = outcome_unknown


class OperatorMustFix(Permanent):
    """A token, a scope or a provider setting is wrong."""


class VersionRefused(OperatorMustFix):
    """GHL does not accept the `Version` header that the bridge sends: it would refuse the requests of every location."""


class CutOff(OperatorMustFix):
    """An answer was cut off at its limit without a complete sentence: repeating the question would give the same result."""


class TokenRefused(OperatorMustFix):
    """A login was refused. `side` is `ghl` or `provider`; three in a row put the location on hold.

    `renewable`: the service calls the token invalid, so a new token of the same grant may work.
    """

    def __init__(self, message: str, *, side: str, renewable: bool = False) -> None:
        super().__init__(message)
        self.side = side
        self.renewable = renewable


class Fenced(BridgeError):
    """The lease was lost: another worker holds the lane, or none does."""


class StandingChanged(BridgeError):
    """The standing changed after the guards were checked: nothing was sent, and the guards must be checked again."""


class NotConfirmed(BridgeError):
    """Too few replicas have the record of a part that is about to be posted: nothing was sent."""


class AlreadySent(BridgeError):
    """The part is already in GHL, which reported it after the turn was read."""


class WrongInput(BridgeError):
    """The command line or the file contains something unknown or not allowed."""

    exit_code = 2


class NotKnown(WrongInput):
    """An id is not known."""


class DidNotWork(BridgeError):
    """The input was correct, but the operation failed."""

    exit_code = 1


class Misconfigured(BridgeError):
    """A setting is missing or wrong."""

    exit_code = 78


def shortage_of(error: BaseException) -> str:
    """The resource that this machine lacks, as a sentence, if an error or one of its causes comes from that; else ""."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OutOfResources):
            return str(seen)
        if isinstance(seen, OSError) and seen.errno in SHORTAGES:
            return f"this machine is out of resources: {errno.errorcode[seen.errno]}"
        if isinstance(seen, MemoryError):
            return "this machine is out of resources: no memory"
        if type(seen) is LookupError:  # raised for a codec that can't be loaded; a missing key or index raises a subclass
            return "this machine is out of resources: a codec could not be loaded"
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return ""
