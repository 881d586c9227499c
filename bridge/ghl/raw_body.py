"""Bodies of workflow webhooks from a user's template: GHL inserts the message without escaping its quotes.

Source: seen on 2026-11-30 in other services whose templates are filled in the same way (typebot.io, uptime-kuma, netbox): a line
break, a tab or a quote in the text makes the body invalid JSON.
"""

from __future__ import annotations

import re
from typing import Any

from bridge.ghl import fields

# The most possible ends of the text to try, and the largest body.
_MOST_ENDS = 40
_MOST_CHARACTERS = 200_000
_TEXT = re.compile(r'"(?:message|body)"\s*:\s*"')
_END = re.compile(r'"(?=\s*[,}])')
_PLACE = "the text's place"
_ID = r'\s*:\s*"([\w.@<>=+~/$-]{1,200})"'
_NAMES = (("contact_id", "contactId"), ("location_id", "locationId"))
_IDS = {
    "contact_id": re.compile(rf'"(?:contact_id|contactId)"{_ID}'),
    "location_id": re.compile(rf'"(?:location_id|locationId)"{_ID}|"location"\s*:\s*\{{\s*"id"{_ID}'),
}


def read(body: bytes) -> dict[str, Any] | None:
    """The body as an object, with its text as the contact wrote it; None if the text can't be found.

    Duplicate names in an object and contradicting ids are refused: the second may be part of the contact's text, which could
    otherwise claim to be from another contact.
    """
    text = body.decode("utf-8-sig", "replace")
    found = _consistent(text)
    if found is not None:
        return fields.flat(found)
    return _cut_out(text) if len(text) <= _MOST_CHARACTERS else None


def may_contradict_itself(body: bytes) -> bool:
    """Whether an id is named more than once, be it in an object or in a text."""
    return any(sum(body.count(b'"%b"' % name.encode()) for name in names) > 1 for names in _NAMES)


def ids(body: bytes) -> dict[str, Any]:
    """The contact's and the location's id of a body that is otherwise unreadable; each empty if not found."""
    text = body[:_MOST_CHARACTERS].decode("utf-8-sig", "replace")
    begin = _TEXT.search(text)
    head, tail = (text[: begin.start()], text[begin.end() :]) if begin else (text, "")
    found = {name: pattern.search(head) or _last(pattern, tail) for name, pattern in _IDS.items()}
    return {name: next(filter(None, match.groups())) for name, match in found.items() if match}


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """The last match: the template's fields after the text come after anything that the contact wrote."""
    last = None
    for match in pattern.finditer(text):
        last = match
    return last


def _cut_out(text: str) -> dict[str, Any] | None:
    begin = _TEXT.search(text)
    if begin is None or not text.lstrip().startswith("{"):
        return None
    for number, end in enumerate(_END.finditer(text, begin.end())):
        if number == _MOST_ENDS:
            break
        found = _consistent(f"{text[: begin.end()]}{_PLACE}{text[end.start() :]}")
        if found is not None:
            return fields.flat(_filled(found, text[begin.end() : end.start()]))
    return None


def _consistent(text: str) -> dict[str, Any] | None:
    """The object, if it names one contact and one location."""
    found = fields.lenient(text, once=True)
    if not isinstance(found, dict):
        return None
    objects = [found, *(value for value in found.values() if isinstance(value, dict))]
    values = [{str(each[name]) for each in objects for name in names if each.get(name)} for names in _NAMES]
    return found if all(len(ids) <= 1 for ids in values) else None


def _filled(root: dict[str, Any], text: str) -> dict[str, Any]:
    """The object with the text inserted, which may be inside a nested object."""
    return {
        name: text if value == _PLACE else _filled(value, text) if isinstance(value, dict) else value
        for name, value in root.items()
    }
