"""A location's settings in words."""

from __future__ import annotations

from pydantic import BaseModel

from bridge.locations import HandoverSettings, Location
from bridge.operating.settings_in_words import LABELS, in_words


def test_every_key_of_the_locations_file_has_a_label() -> None:
    """Keys of a location and of its tables have labels, and no label is unused."""
    tables = [Location(id="x"), HandoverSettings(), *(value for _, value in Location(id="x") if isinstance(value, BaseModel))]
    keys = {name for table in tables for name in type(table).model_fields} - {"id"}
    assert keys == LABELS.keys()


def test_what_differs_from_the_defaults_stands_first() -> None:
    """The default is beside it, and durations are exact in their largest unit."""
    location = Location(id="x", takeover_seconds=-1, debounce_seconds=90, mode="draft", max_age_seconds=7200)
    rows = in_words(location)
    assert [(each.key, each.value, each.default) for each in rows if each.changed] == [
        ("mode", "drafts: internal comments that only staff see", "sent to the contact"),
        ("debounce_seconds", "90 s", "5 s"),
        ("max_age_seconds", "2 h", "6 h"),
        ("takeover_seconds", "until somebody resumes it", "1 d"),
    ]
    assert [each.changed for each in rows] == sorted((each.changed for each in rows), reverse=True)


def test_only_what_has_an_effect_is_told() -> None:
    """The provider's own table is shown, and no secret's value."""
    told = {each.key: each.value for each in in_words(Location(id="x", provider="openai", openai={"token": "very-secret"}))}
    assert told["openai.token"] == "set"
    assert told["ghl_token"] == "not set"
    assert not any(key.startswith(("assistable.", "transcription.", "handover.")) for key in told)
