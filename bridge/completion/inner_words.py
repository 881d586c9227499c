"""What of a text is meant for the contact: without a model's thoughts, tool calls written as text, control tokens and citation marks. Pure.

The rules by which a mark of `dialects` counts:

* **A mark that is written about is text**: in a Markdown code span or code block, between quotes that touch it, or in the midst of a sentence:
  behind a space that follows no end of a sentence, and before a punctuation mark or a space and more of that line (for a closing mark
  or a control token: a small letter). At the start of a line, at an end of the answer, and glued to a word, a mark counts.
* **A block runs to the first closing mark** of its dialect. Thoughts that never close are `unclosed`: nothing of the answer is visible.
  A tool call that never closes runs to the end.
* **A closing mark alone ends thoughts**: all before it is thought (several models' templates write the opening mark). That also ends nested blocks. Only
  where an opening mark stands in the same line, in a sentence, is what lies between the two the block.
* **Folded HTML counts only if it says that it is reasoning**, by its `type` or its whole summary. Other HTML is the contact's.
* **A code fence around the whole answer is no code** if what it holds begins with a mark or is a tool call. A closing mark in a code block counts if its opening one is not in it.
* Where in doubt, words are held back rather than thoughts sent. A text without a mark is returned as it came, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.completion.dialects import (
    BARE_CALL,
    CONTROL_TOKENS,
    FINAL_ACTION,
    LEAD_CLOSES,
    LEAD_OPENS,
    LEADS,
    MARK,
    THOUGHTS,
    TOOL_CALL,
    WRAPPER,
)
from bridge.completion.mark_removal import Unclosed, without_marks
from bridge.completion.written_about import Mentions
from bridge.model import Reason
from bridge.wire.answers import json_object

_MOST_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Visible:
    """What the contact may read, and what was taken out.

    `reason` says why nothing is left, None if something is. `removed` are kinds ("thoughts", "tool call", "control tokens", ...), never
    words of the text. `unclosed`: the answer ended within a thought; then `text` is empty.
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
    text = _without_lead(_unfenced(text), removed)
    return _without_call(_unwrapped(without_marks(text, removed), removed), removed)


def _unfenced(text: str) -> str:
    """The inside of a code fence around the whole answer, if that begins with a mark or is a tool call."""
    whole = text.strip()
    if not (whole.startswith("```") and whole.endswith("```") and whole.count("```") == 2):  # noqa: PLR2004 - one opens, one closes
        return text
    inside = whole.partition("\n")[2][:-3].strip()
    return inside if MARK.match(inside) or BARE_CALL.match(inside) else text


def _without_lead(text: str, removed: dict[str, None]) -> str:
    """Without thoughts that start the answer in prose. Raises Unclosed."""
    for lead, opens, closes in zip(LEADS, LEAD_OPENS, LEAD_CLOSES, strict=True):
        opened = opens.match(text)
        if not opened:
            continue
        closed = None
        for closed in closes.finditer(text, opened.end()):
            pass
        if closed:
            removed[lead.kind] = None
            return text[closed.end() :].strip()
        if not lead.must_close:
            raise Unclosed
    return text


def _unwrapped(text: str, removed: dict[str, None]) -> str:
    """The words within an answer's own tags, or within a chat agent's final action."""
    final = FINAL_ACTION.match(text)
    if final:
        words = json_object(text.encode(errors="surrogatepass"))
        said = words.get("action_input") if words else None
        return said.strip() if isinstance(said, str) else text
    opened = WRAPPER.match(text)
    if not opened:
        return text
    inside = text[opened.end() :].rstrip()
    closing = f"</{opened[1]}>"
    closed = inside[-len(closing) :].lower() == closing.lower()
    if not closed and not removed:
        return text
    removed[CONTROL_TOKENS] = None
    return (inside[: -len(closing)] if closed else inside).strip()


def _without_call(text: str, removed: dict[str, None]) -> str:
    """Without a tool call that is the rest of the answer and carries no mark."""
    call = BARE_CALL.search(text)
    if not call or (call.start() > 0 and text.rstrip()[-1:] not in {"}", "]"}) or Mentions(text).in_code(call.start()):
        return text
    removed[TOOL_CALL] = None
    return text[: call.start()].strip()
