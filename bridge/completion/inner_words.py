"""What of a text is meant for the contact: no thoughts of a model, no tool calls, control tokens or citation marks. Pure.

The rules by which a mark of `dialects` counts:

* **A mark that is written about is text**: in a Markdown code span or block; between quotes that touch it; or in the midst of a
  sentence: behind a space that follows no end of a sentence, and before a punctuation mark, or a space and more of that line
  (for a closing mark or a control token: a space and a small letter). At the start of a line and glued to a word, a mark counts.
* **A block runs to the first closing mark** of its dialect. Thoughts that never close are `unclosed`, and nothing of the answer
  is visible, unless a tool call stands in them, which ends them. A tool call that never closes runs to the end.
* **A closing mark alone ends thoughts**: all before it is thought, since several models' templates write the opening mark. That
  ends nested blocks, too. If an opening mark stands in a sentence of the same line, the block is what lies between the two.
* **Folded HTML counts only if it says that it is reasoning**, by its `type` or its whole summary. Other HTML is the contact's.
* **A code fence around the whole answer is no code** if what it holds begins with a mark or is a tool call; and a closing mark in
  a code block counts unless its opening mark is in that block, too.
* **Prose is thought only by its form**: a known first line with its known partner (`answer_forms`).
* Where in doubt, words are held back rather than thoughts sent. A text without a mark is returned as it came, byte for byte.
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
    """What the contact may read, and what was taken out.

    `reason` says why nothing is left, None if something is. `removed` are kinds ("thoughts", "tool call", "control tokens",
    "citation marks", "other turns"), never words of the text. `unclosed`: the answer ends within a thought; `text` is then empty.
    """

    text: str
    reason: Reason | None
    removed: tuple[str, ...]
    unclosed: bool


def visible(text: str) -> Visible:
    """What of `text` is meant for the contact; in time linear in its length."""
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
    # Marks that are put together from pieces over and over: nobody writes so by accident.
    return Visible("", _why_silent("", removed), tuple(removed), unclosed=False)


def _why_silent(left: str, removed: dict[str, None]) -> Reason | None:
    if left.strip():
        return None
    if TOOL_CALL in removed:
        return Reason.TOOL_CALL
    return Reason.THOUGHTS_ONLY if THOUGHTS in removed else Reason.EMPTY


def _round(text: str, removed: dict[str, None]) -> str:
    """Take out what counts. What a cut joins may be a mark anew: the caller comes back until nothing changes."""
    text = without_lead(unfenced(text), removed)
    return without_call(unwrapped(without_marks(text, removed), removed), removed)
