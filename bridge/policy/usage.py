"""The use of an answer, as stored in the lane's record until its turn ends: `NAME|INPUT|OUTPUT`, with a model's tokens. Pure.

The name is the model's, else the provider's; an answer without tokens has an entry too.
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
    """A model's name in the form that reports store."""
    return re.sub(r"[^A-Za-z0-9._:/@+-]", "_", name)[:MOST_CHARACTERS]


def _count(tokens: Mapping[str, float], what: str) -> int:
    return max(0, round(tokens.get(what, 0)))
