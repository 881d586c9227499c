"""What is wrong with an operation's input, in a sentence instead of a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

# Each field with a pattern, and what it holds.
FORMS = {
    "since": "a number with s, m, h or d, like 24h",
    "day": "a date, like 2026-12-01",
    "after": "the `next` of another page",
    "cause": "the id of a cause, as `dead-letters causes` shows it",
    "reason": "a reason, like stop_word",
    "location_id": "an id as GHL writes it",
    "contact_id": "an id as GHL writes it",
    "name": "1 to 64 letters, digits and @ . _ + -",
}


def faults_of(error: ValidationError) -> list[tuple[str, str]]:
    """Each wrong field, with its place (`ids.0`) and the sentence about it."""
    return [(".".join(map(str, one["loc"])), _sentence(one)) for one in error.errors(include_input=False)]


def _sentence(fault: ErrorDetails) -> str:
    name = next((part for part in reversed(fault["loc"]) if isinstance(part, str)), "")
    if fault["type"] == "string_pattern_mismatch" and name in FORMS:
        return f"must be {FORMS[name]}"
    # "" stands for no filter.
    return fault["msg"].removeprefix("Value error, ").replace("Input should be", "must be").replace("must be '', ", "must be ")
