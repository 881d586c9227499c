"""`ghl-bridge locations`: apply, list, show."""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bridge.errors import WrongInput
from bridge.model import LocationId

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.locations import Location
    from bridge.store.locations import Kept, Locations

UNITS = ((86400, "days"), (3600, "h"), (60, "min"), (1, "s"))


def apply(file: Path) -> None:
    """Read the file whole, check it, keep its locations. Raises WrongInput with every fault; then nothing was changed."""
    from bridge.locations import read, without_effect

    found = read(_text(file), os.environ)
    _refuse_missing_providers(found)
    store = _kept()
    before = {location.id: store.get(location.location_id) for location in found}
    store.apply(found)
    for location in found:
        print(f"applied {location.id}  {location.name}  ({location.mode}, {location.provider})")
        was = before[location.id]
        if was and was.hold_since_ms and tokens(was.location) != tokens(location):
            _lift(store, location.location_id, "a changed token was applied")
        if unused := without_effect(location):
            print(f"  note: this version does not act on: {', '.join(unused)}", file=sys.stderr)


def list_all(*, as_json: bool) -> None:
    """All locations, a line each."""
    from bridge.cli.door import print_json, print_table

    kept = _kept().all()
    if as_json:
        print_json([_summary(each) for each in kept])
        return
    rows = [(each.location.id, each.location.name, each.location.mode, state(each), _ago(each)) for each in kept]
    print_table(("location", "name", "mode", "state", "last event"), rows)


def show(id_: str, *, as_json: bool) -> None:
    """One location's settings without its secrets. Raises WrongInput if it is not known."""
    from bridge.cli.door import print_json, print_table

    kept = _known(id_)
    if as_json:
        print_json({**_summary(kept), "settings": _shown(kept.location.model_dump())})
        return
    flat = _flat(_shown(kept.location.model_dump()))
    print_table(("setting", "value"), [(name, str(value)) for name, value in flat])


def pause(id_: str) -> None:
    """Skip what comes for a location. Raises WrongInput if it is not known."""
    _known(id_)
    _kept().pause(LocationId(id_), paused=True)
    print(f"{id_} is paused: its messages are skipped, with the reason location_paused, until `locations resume {id_}`")


def resume(id_: str) -> None:
    """End a pause or a hold. Raises WrongInput if the location is not known."""
    _known(id_)
    _kept().pause(LocationId(id_), paused=False)
    print(f"{id_} is not paused")
    _lift(_kept(), LocationId(id_), "resumed by an operator")


def tokens(location: Location) -> tuple[object, ...]:
    """Every login that the location uses: a hold ends when one of them changes."""
    return (location.ghl_token, location.assistable.token, location.agencii.token, location.openai.token, location.webhook.token)


def _known(id_: str) -> Kept:
    kept = _kept().get(LocationId(id_))
    if kept is None:
        raise WrongInput(f"location {id_} is not known; `ghl-bridge locations list` shows the ones that are")
    return kept


def _lift(store: Locations, id_: LocationId, why: str) -> None:
    replayed = store.lift_hold(id_, why=why)
    if replayed is not None:
        print(f"{id_} is no longer on hold: what waited is answered now, {replayed} dead letter(s) are replayed")


def _kept() -> Locations:
    from bridge.cli.door import settings
    from bridge.wiring import build_locations, build_redis

    here = settings()
    return build_locations(here, build_redis(here))


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"{file} can't be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}") from None


def _refuse_missing_providers(found: tuple[Location, ...]) -> None:
    from bridge.completion.providers import BUILDERS

    faults = [
        f"locations.{each.id}.provider: {each.provider} is not in this version yet; {', '.join(BUILDERS)} is"
        for each in found
        if each.provider not in BUILDERS
    ]
    if faults:
        raise WrongInput("\n".join(faults))


def _summary(kept: Kept) -> dict[str, Any]:
    location = kept.location
    return {
        "id": location.id,
        "name": location.name,
        "mode": location.mode,
        "provider": location.provider,
        "state": "hold" if kept.hold_since_ms else "paused" if kept.paused else "active",
        "hold_since": _iso(kept.hold_since_ms),
        "hold_why": kept.hold_why or None,
        "activated_at": _iso(kept.activated_at_ms),
        "last_event_at": _iso(kept.last_event_at_ms),
    }


def state(kept: Kept) -> str:
    """What stands between this location and its answers."""
    if kept.hold_since_ms:
        return f"on hold: {kept.hold_why} refused three logins"
    return "paused" if kept.paused else "active"


def _iso(at_ms: int) -> str | None:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds") if at_ms else None


def _ago(kept: Kept) -> str:
    """How long ago the newest event came, by this machine's clock."""
    if not kept.last_event_at_ms:
        return "none yet"
    seconds = max(0, round(time.time() - kept.last_event_at_ms / 1000))
    unit, name = next(((unit, name) for unit, name in UNITS if seconds >= unit), UNITS[-1])
    return f"{seconds // unit} {name} ago"


def _shown(value: Any) -> Any:
    from pydantic import SecretStr

    if isinstance(value, dict):
        return {name: _shown(one) for name, one in value.items()}
    return "(set)" if isinstance(value, SecretStr) else value


def _flat(settings: dict[str, Any], under: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in settings.items():
        rows += _flat(value, f"{name}.") if isinstance(value, dict) else [(under + name, "" if value is None else value)]
    return rows
