"""The location of all runs, with a shape's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.locations import Location
from tests.proof.far_side import LOCATION

if TYPE_CHECKING:
    from collections.abc import Mapping


def location_of(url: str, settings: Mapping[str, Any]) -> Location:
    """A location with services at this address; `settings` have priority, also within tables."""
    usual: dict[str, Any] = {
        "id": LOCATION,
        "ghl_token": "pit",
        "debounce_seconds": 1.0,
        "sms_max_segments": 60,
        "assistable": {"assistant_id": "a", "token": "t", "url": f"{url}/assistable", "delivery": "bridge"},
        "webhook": {"url": f"{url}/webhook"},
        "agencii": {"api_integration_id": "i", "token": "t", "url": f"{url}/agencii"},
    }
    given = dict(settings)
    if "assistable" in given:
        given["assistable"] = {**usual["assistable"], **given["assistable"]}
    if "transcription" in given:
        given["transcription"] = {"base_url": f"{url}/v1", **given["transcription"]}
    return Location.model_validate({**usual, **given})
