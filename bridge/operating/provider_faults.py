"""What locations' providers lack: an id, an address, a token. Checked before settings are stored, like the rest of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import OperatorMustFix, WrongInput
from bridge.locations_file import lacking, unencrypted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.completion.providers import Providers
    from bridge.locations import Location


def check_providers(locations: Sequence[Location], providers: Providers) -> None:
    """Refuse locations whose provider, or fallback, can't be asked. With `mode = "off"` only addresses are checked.

    A token may come from the environment of this process, like ASSISTABLE_TOKEN. Raises WrongInput with every fault.
    """
    faults = [*lacking(locations), *([] if providers.settings.allow_private_urls else unencrypted(locations))]
    for one in locations:
        for name in (one.provider, one.fallback_provider) if one.mode != "off" else ():
            place = f"locations.{one.id}.{name}."
            if name and not any(fault.startswith(place) for fault in faults) and (fault := login_fault(one, name, providers)):
                faults.append(f"{place}token: {fault}")
    if faults:
        raise WrongInput("\n".join(faults))


def login_fault(location: Location, name: str, providers: Providers) -> str:
    """Why a provider with all other settings can't be called: the sentence about its token; empty if it can."""
    try:
        providers.service(location, name)
    except OperatorMustFix as error:
        return str(error)
    return ""
