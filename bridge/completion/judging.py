"""Decides whether a parsed answer is a reply, no reply, a fault, or a handover. Pure.

A fault is raised; the others are a `Completion`. Speech and silence may come with a handover: the service asks for a person.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.completion.dialects import TOOL_CALL
from bridge.completion.endings import TextEnding, ending
from bridge.completion.evidence import evidence_of, texts_of
from bridge.completion.faults import Unreadable, Unsendable, broken_off, reported
from bridge.completion.handover import MOST_NOTE_CHARACTERS, asks_for_a_person, without_marker
from bridge.completion.inner_words import visible
from bridge.completion.parts import Found, text_of
from bridge.completion.sentences import whole_sentences
from bridge.completion.status_words import cure_of_words
from bridge.completion.text import bounded, clean
from bridge.errors import CutOff
from bridge.model import Completion, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.completion import Service
    from bridge.completion.envelope import Envelope
    from bridge.locations import HandoverSettings

SHORTENED = "shortened: cut off by max_tokens"

# Where a reply usually is in an object: searched first to propose a path to it.
_USUAL_NAMES = ("reply", "output", "answer", "text", "response", "message", "content")
_NAME = re.compile(r"\w{1,40}", re.ASCII)
_DEEPEST = 3


def judge(envelope: Envelope, service: Service, *, form: str, handover: HandoverSettings | None = None) -> Completion:
    """Interpret one answer; `form` is its shape, `handover` how a person is asked for.

    Raises as `reading.completion_of`.
    """
    if envelope.error:
        raise reported(service.name, envelope.error, form)
    how = ending(envelope.ended)
    if envelope.broken_off or how is TextEnding.FAILED:
        raise broken_off(service.name, envelope.broken_off)
    if asks_for_a_person(envelope, handover):
        return _handed_over(envelope, handover)
    if silence := envelope.silence or how.silence or (Reason.TOOL_CALL if envelope.tools else None):
        return _completion(envelope, "", silence)
    found = text_of(envelope.content, lists_of_strings=not envelope.setting)
    if found is None:
        raise _shapeless(envelope, service.name, form)
    if found.refused:
        return _completion(envelope, "", Reason.REFUSAL)
    if envelope.bare and service.is_flow and (cure := cure_of_words(found.text)):
        raise Unsendable(f"{service.name}: only a status sentence of the flow: {cure}")
    if (rest := without_marker(clean(found.text), handover)) is not None and not visible(rest).unclosed:
        return _handed_over(envelope, handover)
    return _speech(envelope, found, service.name, cut=how is TextEnding.CUT)


def _handed_over(envelope: Envelope, handover: HandoverSettings | None) -> Completion:
    """The completion with a handover: the service's text is for the contact too, without the marker."""
    found = text_of(envelope.content, lists_of_strings=not envelope.setting) or Found("")
    reply = "" if found.refused else clean(found.text)
    rest = without_marker(reply, handover)
    seen = visible(reply if rest is None else rest)
    text = bounded(clean(seen.text))
    silence, as_said = None if text else Reason.HANDOVER, reply if text != reply else ""
    read = _completion(envelope, text, silence, _notes(found, seen.removed), as_said=as_said)
    return replace(read, handover=True, note=clean(envelope.note)[:MOST_NOTE_CHARACTERS])


def _speech(envelope: Envelope, found: Found, name: str, *, cut: bool) -> Completion:
    reply = clean(found.text)
    seen = visible(reply)
    text, notes = clean(seen.text), _notes(found, seen.removed)
    if text and TOOL_CALL in seen.removed and _comes_before_the_call(text, reply):
        return _completion(envelope, "", Reason.TOOL_CALL, notes, as_said=reply)
    thought = envelope.thoughts or found.thoughts
    if cut or seen.unclosed:
        text, notes = whole_sentences(text), (*notes, SHORTENED)
        if not text:
            raise _cut_off(envelope, name, nothing_left=thought or not clean(seen.text))
    reason = (seen.reason if reply else Reason.THOUGHTS_ONLY if thought else None) or Reason.EMPTY
    return _completion(envelope, bounded(text), None if text else reason, notes, as_said=reply if text != reply else "")


def _comes_before_the_call(text: str, said: str) -> bool:
    """Whether the remaining text is before a tool call: "Let me check that" promises an answer that never comes."""
    last_line = text.rpartition("\n")[2]
    return TOOL_CALL not in visible(said[: said.rfind(last_line)]).removed


def _completion(
    envelope: Envelope, text: str, why: Reason | None, notes: tuple[str, ...] = (), *, as_said: str = ""
) -> Completion:
    return Completion(
        text=text,
        why_silent=why,
        claimed_message_id=envelope.claimed_message_id,
        says_sent=envelope.says_sent,
        trace_id=envelope.trace_id,
        session_id=envelope.session_id,
        notes=notes,
        as_said=as_said,
        evidence=evidence_of(envelope),
        knowledge=texts_of(envelope),
    )


def _notes(found: Found, removed: tuple[str, ...]) -> tuple[str, ...]:
    kinds = dict.fromkeys((*removed, *(["thoughts"] if found.thoughts else []), *(["citations"] if found.citations else [])))
    notes = [f"removed: {', '.join(kinds)}"] if kinds else []
    return (*notes, *([f"unknown content parts: {', '.join(found.unknown)}"] if found.unknown else []))


def _cut_off(envelope: Envelope, name: str, *, nothing_left: bool) -> CutOff:
    left = "with nothing left for the answer" if nothing_left else "before its first sentence was complete"
    return CutOff(f"{name}: cut off by max_tokens {left}; a model's thoughts count against it: raise {envelope.limit}")


def _shapeless(envelope: Envelope, name: str, form: str) -> Unreadable | Unsendable:
    if not envelope.setting:
        return Unreadable(f"{form}, with no text where the reply should be")
    what = "a flag" if isinstance(envelope.content, bool) else "a list" if isinstance(envelope.content, list) else "an object"
    inside = next(_texts_within(envelope.content, envelope.place, _DEEPEST), "")
    cure = f'set {envelope.setting} = "{inside}"' if inside else "no text is in it; put the reply there as a text"
    return Unsendable(f"{name}: {what} stands at {envelope.setting.rpartition('.')[2]} {envelope.place}; {cure}")


def _texts_within(content: object, place: str, deep: int) -> Iterator[str]:
    """Paths to the texts within, nearest first, usual names before others."""
    items: list[tuple[str, object]] = []
    if isinstance(content, dict):
        names = [name for name in content if _NAME.fullmatch(name)]
        names.sort(key=lambda name: _USUAL_NAMES.index(name) if name in _USUAL_NAMES else len(_USUAL_NAMES))
        items = [(name, content[name]) for name in names]
    elif isinstance(content, list):
        items = [("0", one) for one in content[:1]]
    yield from (f"{place}.{name}" for name, one in items if isinstance(one, str) and one.strip())
    if deep > 1:
        for name, one in items:
            yield from _texts_within(one, f"{place}.{name}", deep - 1)
