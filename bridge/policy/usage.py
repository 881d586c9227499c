"""What an answer used, as it stands in the lane's record until its turn is over: `NAME|INPUT|OUTPUT`, tokens of a model. Pure.

The name is the model's, else the provider's; a service that tells no tokens gives an answer too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.model import Completion

MOST_CHARACTERS = 40


def usage_of(completion: Completion) -> str:
    """The name and the tokens of one answer."""
    name = kept_name(str(completion.evidence.get("model") or completion.provider or "unknown"))
    tokens = completion.evidence.get("tokens") or {}
    return f"{name}|{_count(tokens, 'prompt')}|{_count(tokens, 'completion')}"


def kept_name(name: str) -> str:
    """A model's name as reports keep it."""
    return re.sub(r"[^A-Za-z0-9._:/@+-]", "_", name)[:MOST_CHARACTERS]


def _count(tokens: Mapping[str, float], what: str) -> int:
    return max(0, round(tokens.get(what, 0)))
