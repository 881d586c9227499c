"""Removes a model's thoughts, tool calls, control tokens and citation marks from a text for the contact. Pure.

The rules for the marks of `dialects`:

* **A mark that is only mentioned is text**: in a Markdown code span or block; between quotes that touch it; or in the middle of a
  sentence: behind a space that follows no end of a sentence, and before a punctuation mark, or a space and more of that line
  (for a closing mark or a control token: a space and a small letter). At the start of a line and next to a word, a mark counts.
* **A block runs to the first closing mark** of its dialect. Thoughts that never close are `unclosed`, and no text of the answer
  is visible, unless they contain a tool call, which ends them. A tool call that never closes runs to the end.
* **A closing mark alone ends thoughts**: all text before it is thought, because several models' templates write the opening mark.
  That ends nested blocks, too. If an opening mark is inside a sentence of the same line, the block is the text between the two.
* **Folded HTML counts only if it is marked as reasoning**, by its `type` or its whole summary. Other HTML is for the contact.
* **A code fence around the whole answer is not code** if its content begins with a mark or is a tool call; and a closing mark in
  a code block counts unless its opening mark is in that block, too.
* **Prose is thought only in a known format**: a known first line with its known closing line (`answer_forms`).
* In doubt, text is removed rather than thoughts sent. A text without a mark is returned as it came, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.completion.answer_forms import unfenced, unwrapped, without_call, without_lead
from bridge.completion.dialects import THOUGHTS, TOOL_CALL
from bridge.completion.mark_removal import Unclosed, without_marks
from bridge.model import Reason

_MOST_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Visible:
    """The text for the contact, and the kinds of text that were removed. `reason` says why no text is left, None if some is.

    `removed` are kinds ("thoughts", "tool call", "control tokens", "citation marks", "other turns"), never text of the answer.
    `unclosed`: the answer ends within a thought; `text` is then empty.
    """

    text: str
    reason: Reason | None
    removed: tuple[str, ...]
    unclosed: bool


def visible(text: str) -> Visible:
    """The part of `text` that is for the contact, in time linear in its length."""
    removed: dict[str, None] = {}
    left = text
    try:
        for _ in range(_MOST_ROUNDS):
            before = left
            left = _round(left, removed)
            if left == before:
                return Visible(left, _why_silent(left, removed), tuple(removed), unclosed=False)
    except Unclosed:
        return Visible("", Reason.THOUGHTS_ONLY, tuple({**removed, THOUGHTS: None}), unclosed=True)
    # Marks that are assembled from pieces again and again, which doesn't happen by accident.
    return Visible("", _why_silent("", removed), tuple(removed), unclosed=False)


def _why_silent(left: str, removed: dict[str, None]) -> Reason | None:
    if left.strip():
        return None
    if TOOL_CALL in removed:
        return Reason.TOOL_CALL
    return Reason.THOUGHTS_ONLY if THOUGHTS in removed else Reason.EMPTY


def _round(text: str, removed: dict[str, None]) -> str:
    """Remove the marks once. Removing text may create a new mark, so the caller repeats this until nothing changes."""
    text = without_lead(unfenced(text), removed)
    return without_call(unwrapped(without_marks(text, removed), removed), removed)
