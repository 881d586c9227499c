"""Causes: errors of dead letters without their ids and numbers, so that one cause is one group. Pure."""

from __future__ import annotations

import re
from hashlib import sha256

# Ids, addresses with ids, and large numbers or fractions. The number in HTTP 422 stays.
_ID = re.compile(r"\b(?=[\w-]*\d)[\w-]{12,}\b")
_NUMBER = re.compile(r"\b(?:\d+\.\d+|\d{4,})\b")
CHARACTERS = 12


def general(error: str) -> str:
    """The error of a group: without ids and large numbers."""
    return _NUMBER.sub("…", _ID.sub("…", error))


def cause_id(error: str) -> str:
    """The id of an error's group: the same in every process."""
    return sha256(general(error).encode()).hexdigest()[:CHARACTERS]
