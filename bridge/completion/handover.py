"""A service asks for a person: outright, by a tool's name, or by a marker that is the whole last line of its reply. Pure.

What it says outright counts in every location. A tool and a marker are the operator's own words for it: they count only where the
location has a table `handover`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.completion.envelope import Envelope
    from bridge.locations import HandoverSettings

MOST_NOTE_CHARACTERS = 1000
NOTE = "note"
WHEN_TO_CALL = (
    "Hand the conversation over to a person of the business. Call it when the contact asks for a person, or needs something that "
    "you can't do."
)


def asks_for_a_person(envelope: Envelope, signs: HandoverSettings | None) -> bool:
    """Whether a service says so outright, or by the name of a tool that it wants called or has called."""
    return envelope.handover or (signs is not None and bool(signs.tool) and signs.tool in (*envelope.tools, *envelope.ran))


def without_marker(text: str, signs: HandoverSettings | None) -> str | None:
    """A text without the marker that is its whole last line; None if it has none."""
    if signs is None or not signs.marker:
        return None
    before, _, last_line = text.rstrip().rpartition("\n")
    return before.rstrip() if last_line.strip() == signs.marker else None


def tool(name: str) -> dict[str, Any]:
    """The tool as OpenAI's `tools` describe one: what a model calls when the contact needs a person."""
    note = {"type": "string", "description": "What the person should know, in one or two sentences."}
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": WHEN_TO_CALL,
            "parameters": {"type": "object", "properties": {NOTE: note}, "required": []},
        },
    }
