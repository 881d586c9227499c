"""What a process takes from its machine at start, so that it is not missing later: descriptors and codecs."""

from __future__ import annotations

import codecs
import pkgutil
import resource
from contextlib import suppress
from encodings import __path__ as codecs_path

# For each slot: GHL, its provider, a name look-up, and one for what is left of an earlier call.
DESCRIPTORS_A_SLOT = 4
# Redis (64 and 40, infra/docs/how-to/operate.md), the broker's 64, and what Python, logs and the event loop hold.
DESCRIPTORS_BESIDES = 256
# Connections at the receiver, slow ones included.
DESCRIPTORS_FOR_CLIENTS = 1024


def prepare() -> int:
    """Raise the soft limit of descriptors to the hard one and load all codecs; answers how many descriptors there may be.

    A codec that can't be loaded once, because no descriptor is left, is missing to Python for ever: `idna`, say, which every
    name look-up needs.
    """
    for module in pkgutil.iter_modules(codecs_path):
        with suppress(LookupError):  # some are another system's
            codecs.lookup(module.name)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS refuses what it calls unlimited
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return descriptors()


def descriptors() -> int:
    """How many descriptors this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft if soft != resource.RLIM_INFINITY else 1 << 30


def descriptors_needed(slots: int) -> int:
    """How many descriptors the larger of receiver and worker may need at once; `slots` are a worker's threads."""
    return DESCRIPTORS_BESIDES + max(DESCRIPTORS_FOR_CLIENTS, DESCRIPTORS_A_SLOT * slots)
