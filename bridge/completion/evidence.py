"""Evidence: what a service reports about the origin of an answer, as stored in the timeline. Pure.

It has names, ids, numbers and times, never texts: of a knowledge base the ids and scores of matches, of tools their names. A
provider's module puts its data into `Envelope.evidence`; this module keeps the known part, with limits.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import orjson

from bridge.wire.answers import as_text, part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.completion.envelope import Envelope

MOST_BYTES = 2048
# The caller adds the provider and the milliseconds.
_ROOM_BYTES = MOST_BYTES - 100
_LONGEST, _MOST_ITEMS, _MOST_COUNT = 80, 10, 10**15

# The conversation was longer: the service has lost it.
SESSION_LOST = "session_lost"
# The answer names another conversation than the question did.
OTHER_CONVERSATION = "other_conversation"


def _word(value: object) -> str | float | None:
    """A name, an id, a time or a number of at most one line."""
    match value:
        case bool():
            return None
        case int():
            return value if abs(value) < _MOST_COUNT else None
        case float():
            return round(value, 4) if math.isfinite(value) else None
        case str():
            words = " ".join(as_text(value).split())
            return words[:_LONGEST] if words.isprintable() else None
        case _:
            return None


def _words(value: object) -> list[str | float]:
    """Names or ids; of an object its own."""
    rows = value[:_MOST_ITEMS] if isinstance(value, list | tuple) else []
    found = (
        _word(part(row, "id") or part(row, "name") or part(row, "file_id") if isinstance(row, dict) else row) for row in rows
    )
    return [one for one in found if one not in (None, "")]


def _scores(value: object) -> list[list[str | float]]:
    """The matches in a knowledge base: the id of each, and its score if there is one."""
    rows = value[:_MOST_ITEMS] if isinstance(value, list | tuple) else []
    pairs = ([part(row, "id"), part(row, "score")] if isinstance(row, dict) else row for row in rows)
    found = ([_word(one) for one in pair[:2]] if isinstance(pair, list) else [_word(pair)] for pair in pairs)
    return [[one for one in pair if one not in (None, "")] for pair in found if pair[0] not in (None, "")]


def _counts(value: object) -> dict[str, float]:
    """Numbers by name."""
    rows = list(value.items())[:_MOST_ITEMS] if isinstance(value, dict) else []
    found = ((_word(name), _word(count)) for name, count in rows)
    return {name: count for name, count in found if isinstance(name, str) and isinstance(count, int | float)}


# The fields in which services put the text of a match, beside its id.
_WORDS = (("metadata", "text"), ("text",), ("content",), ("quote",))
MOST_WORDS = 8_000


def texts_of(envelope: Envelope) -> str:
    """The texts of the matches in a knowledge base, by their ids, for the location that stores them."""
    rows = [row for name in ("knowledge", "references") for row in _rows(envelope.evidence.get(name))]
    return "\n\n".join(f"{_word(part(row, 'id')) or '?'}\n{words}" for row in rows if (words := _words_of(row)))[:MOST_WORDS]


def _rows(value: object) -> list[dict[str, Any]]:
    return [row for row in value[:_MOST_ITEMS] if isinstance(row, dict)] if isinstance(value, list) else []


def _words_of(row: dict[str, Any]) -> str:
    return next(filter(None, (as_text(part(row, *path)).strip() for path in _WORDS)), "")


# In this order; what exceeds the limit is omitted.
_KEPT: Mapping[str, Callable[[object], object]] = {
    "warnings": _words,
    "model": _word,
    "agent": _word,
    "integration": _word,
    "session": _word,
    "finish_reason": _word,
    "tools": _words,
    "tokens": _counts,
    "read_units": _word,
    "messages": _word,
    "knowledge": _scores,
    "namespace": _word,
    "references": _words,
    "annotations": _word,
    "thread": _word,
    "completed_at": _word,
    "run": _word,
}
NAMES = tuple(_KEPT)


def evidence_of(envelope: Envelope) -> dict[str, Any]:
    """The known part of an answer's evidence, without empty, unknown and unexpected values."""
    fields = {"session": envelope.session_id, "finish_reason": envelope.ended, "tools": envelope.tools, **envelope.evidence}
    evidence: dict[str, Any] = {}
    for name, form in _KEPT.items():
        value = form(fields.get(name))
        if value not in (None, "", [], {}) and len(orjson.dumps({**evidence, name: value})) <= _ROOM_BYTES:
            evidence[name] = value
    return evidence


def is_other(echoed: object, asked: str) -> bool:
    """Whether an answer names another conversation than the question did; an answer without one doesn't."""
    return bool(asked) and as_text(echoed) not in ("", asked)


def names_of(listed: object) -> tuple[str, ...]:
    """The names of called tools: under `name`, or under `function.name` as in OpenAI's format."""
    calls: Iterable[object] = listed if isinstance(listed, list) else ()
    return tuple(filter(None, (as_text(part(call, "function", "name")) or as_text(part(call, "name")) for call in calls)))


def tokens_of(usage: object) -> Mapping[str, object]:
    """A model's tokens by their use; names are OpenAI's, or without their suffix as in Assistable's v3."""
    counts = {name: part(usage, f"{name}_tokens") or part(usage, name) for name in ("prompt", "completion", "total")}
    return {name: count for name, count in counts.items() if count}
