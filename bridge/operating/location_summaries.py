"""Locations as operators see them: summaries, and details with settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from bridge.operating.installs import logins
from bridge.operating.services import AdminServices
from bridge.operating.settings_in_words import SettingInWords
from bridge.store.limits.budget import Left, left_of
from bridge.store.locations.records import LocationRecord
from bridge.times import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationSummary:
    """A summary of a location.

    `state` is active, paused (by an operator), hold (`hold_why`: the side that refused three logins, or `version`), uninstalled
    (the app was uninstalled) or unconfigured (the app is installed, but no settings were applied). `token` is the source of the
    GHL token: file, install or none; `token_trouble` is the problem with it. Times are ISO 8601 in UTC. `failing` is the number
    of messages that failed for good since the last answered one. `budget` is the remaining rate limit at GHL.
    `timezone` is an IANA name.
    """

    id: str
    name: str
    mode: str
    provider: str
    state: str
    hold_since: str | None
    hold_why: str | None
    activated_at: str | None
    last_event_at: str | None
    last_answered_at: str | None
    failing: int
    token: str
    token_trouble: str | None
    budget: Left
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationShown(LocationSummary):
    """A location with its settings; a secret is shown as `(set)`.

    `delivery` says who posts the provider's answers, `bridge` or `provider`; null if that is not known yet. `in_words` are the
    settings that have an effect, those that differ from their defaults first.
    """

    delivery: str | None
    settings: dict[str, Any]
    in_words: tuple[SettingInWords, ...] = ()


def summaries(services: AdminServices, kept: Sequence[LocationRecord]) -> list[dict[str, Any]]:
    """The fields of a `LocationSummary` for each record, in the same order. Raises Unavailable."""
    ids = [each.location.id for each in kept]
    tallies, login, budgets = services.counts.of(ids), logins(services, kept), left_of(services.redis, ids)
    fields = ({**asdict(login[id_]), "budget": budgets[id_]} for id_ in ids)
    return [{**_summary(each, tallies[each.location.id]), **more} for each, more in zip(kept, fields, strict=True)]


def unconfigured(services: AdminServices, id_: str) -> LocationSummary:
    """The summary of a location that has the app but no settings. Raises Unavailable."""
    return LocationSummary(
        id=id_,
        name="",
        mode="",
        provider="",
        state="unconfigured",
        hold_since=None,
        hold_why=None,
        activated_at=None,
        last_event_at=None,
        last_answered_at=None,
        failing=0,
        token="install",  # noqa: S106 - where it comes from
        token_trouble=None,
        budget=left_of(services.redis, [id_])[id_],
    )


def _state(kept: LocationRecord) -> str:
    """The state that keeps a location from answering, or `active`."""
    if kept.uninstalled_at_ms:
        return "uninstalled"
    return "hold" if kept.hold_since_ms else "paused" if kept.paused else "active"


def _summary(kept: LocationRecord, tally: Mapping[str, int]) -> dict[str, Any]:
    location = kept.location
    return {
        "id": location.id,
        "name": location.name,
        "mode": location.mode,
        "provider": location.provider,
        "state": _state(kept),
        "hold_since": iso(kept.hold_since_ms),
        "hold_why": kept.hold_why or None,
        "activated_at": iso(kept.activated_at_ms),
        "last_event_at": iso(kept.last_event_at_ms),
        "last_answered_at": iso(tally.get("answered_at", 0)),
        "failing": tally.get("failing", 0),
        "timezone": location.timezone,
    }


def without_secrets(value: Any) -> Any:
    """Settings with every secret replaced by `(set)`."""
    if isinstance(value, dict):
        return {name: without_secrets(one) for name, one in value.items()}
    return "(set)" if isinstance(value, SecretStr) else value
