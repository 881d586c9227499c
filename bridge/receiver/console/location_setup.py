"""The setup of a location that has the app: its provider, in draft mode and for contacts with a tag, checked like a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from bridge.errors import WrongInput
from bridge.locations import Location, Provider
from bridge.locations_file import NEEDED, faults_of
from bridge.operating import locations
from bridge.operating.provider_faults import login_fault
from bridge.operating.settings_in_words import LABELS
from bridge.receiver.console.pages import Moved, Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.receiver.console.pages import Visit

DEFAULT_TAG = "ai_test"
# The source of a token if the form has none.
OTHERWISE = {
    "assistable": "If empty, the server's ASSISTABLE_TOKEN is used.",
    "agencii": "If empty, the server's AGENCII_TOKEN is used.",
    "openai": "May be empty if the service needs none.",
    "webhook": "May be empty if the endpoint needs none.",
    "agent_studio": "A private integration's token with the scope agent-studio.write.",
}


def show(visit: Visit) -> Page:
    """The form for the chosen provider."""
    chosen = visit.asked("provider")
    provider = chosen if chosen in NEEDED else get_args(Provider)[0]
    return _form(visit, provider, {"required_tags": DEFAULT_TAG}, {})


def set_up(visit: Visit) -> Page | Moved:
    """Apply the form as a locations file, or show the errors beside their fields."""
    id_, provider = visit.path("id"), visit.given("provider")
    if provider not in NEEDED:
        raise WrongInput("choose who answers")
    fields = {name: visit.given(name).strip() for name in ("name", "required_tags", *_fields(provider))}
    table = _table(provider, fields)
    faults = faults_of(id_, table, private_urls=visit.admin_services.settings.allow_private_urls)
    faults = faults or _login_fault(visit, id_, provider, table)
    if faults:
        return _form(visit, provider, fields, faults)
    visit.perform(locations.apply, locations.Apply(locations={id_: table}))
    note = f"{fields['name'] or id_} is set up: replies are drafts that only staff see"
    return Moved(
        f"/console/locations/{id_}",
        note + (f", for contacts with the tag {fields['required_tags']}." if fields["required_tags"] else "."),
    )


def _fields(provider: str) -> tuple[str, ...]:
    return (*NEEDED.get(provider, ()), "token")


def _table(provider: str, given: Mapping[str, str]) -> dict[str, Any]:
    """The location's table; empty fields have a default elsewhere, or are missing."""
    tags = [tag.strip() for tag in given["required_tags"].split(",") if tag.strip()]
    own = {name: given[name] for name in _fields(provider) if given[name]}
    return {
        "name": given["name"],
        "mode": "draft",
        "provider": provider,
        "required_tags": tags,
        **({provider: own} if own else {}),
    }


def _login_fault(visit: Visit, id_: str, provider: str, table: Mapping[str, Any]) -> dict[str, str]:
    """The error for a missing token, without which the service can't be called."""
    fault = login_fault(Location.model_validate({**table, "id": id_}), provider, visit.admin_services.providers)
    return {f"{provider}.token": fault} if fault else {}


def _form(visit: Visit, provider: str, given: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    own = [
        {
            "name": name,
            "label": LABELS[name].capitalize(),
            "value": given.get(name, "") if name != "token" else "",
            "fault": faults.get(f"{provider}.{name}", ""),
            "hint": OTHERWISE.get(provider, "") if name == "token" else "",
        }
        for name in _fields(provider)
    ]
    fields = {f"{provider}.{name}" for name in _fields(provider)}
    shown = {
        "id": visit.path("id"),
        "providers": {name: LABELS[name] for name in NEEDED},
        "provider": provider,
        "given": given,
        "own": own,
        "faults": faults,
        "others": [f"{key}: {fault}" for key, fault in faults.items() if key not in fields | {"name"}],
    }
    return Page("location_setup.html", "locations", shown, 422 if faults else 200)
