"""Recognises that a service asks for a person: explicitly, with a tool, or with a marker on the last line of its reply. Pure.

An explicit request counts in every location. A tool or a marker counts only if the location has a `handover` table.
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
    """Whether a service asks for a person explicitly, or with a tool that it requests or has called."""
    return envelope.handover or (signs is not None and bool(signs.tool) and signs.tool in (*envelope.tools, *envelope.ran))


def without_marker(text: str, signs: HandoverSettings | None) -> str | None:
    """A text without the marker on its last line; None if it has no marker."""
    if signs is None or not signs.marker:
        return None
    before, _, last_line = text.rstrip().rpartition("\n")
    return before.rstrip() if last_line.strip() == signs.marker else None


def tool(name: str) -> dict[str, Any]:
    """The definition of the tool in the format of OpenAI's `tools`."""
    note = {"type": "string", "description": "What the person should know, in one or two sentences."}
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": WHEN_TO_CALL,
            "parameters": {"type": "object", "properties": {NOTE: note}, "required": []},
        },
    }
