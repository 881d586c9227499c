"""Resources that a process reserves at its start: file descriptors and codecs."""

from __future__ import annotations

import codecs
import pkgutil
import resource
from contextlib import suppress
from encodings import __path__ as codecs_path

# For each slot: GHL, its provider, a name look-up, and one left over from an earlier call.
DESCRIPTORS_A_SLOT = 4
# Redis (64 and 40, infra/docs/how-to/operate.md), the broker's 64, and those of Python, logs and the event loop.
DESCRIPTORS_BESIDES = 256
# Connections at the receiver, slow ones included.
DESCRIPTORS_FOR_CLIENTS = 1024


def prepare() -> int:
    """Raise the soft limit of descriptors to the hard limit and load all codecs. Returns the limit.

    If a codec can't be loaded once because no descriptor is left, Python never tries again; every name look-up needs `idna`.
    """
    for module in pkgutil.iter_modules(codecs_path):
        with suppress(LookupError):  # some exist only on other systems
            codecs.lookup(module.name)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS refuses the value for "unlimited"
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return descriptors()


def descriptors() -> int:
    """The maximum number of open descriptors of this process."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 30


def descriptors_needed(slots: int) -> int:
    """The maximum number of descriptors that a receiver or a worker may need; `slots` are a worker's threads."""
    return DESCRIPTORS_BESIDES + max(DESCRIPTORS_FOR_CLIENTS, DESCRIPTORS_A_SLOT * slots)
