"""Why a location is on hold, and what ends the hold, as sentences."""

from __future__ import annotations

_WHY = {
    "ghl": "GHL refused three logins in a row",
    "provider": "its completion service refused three logins in a row",
    "version": "GHL does not accept the API version that the bridge sends",
}
_CURE = {"version": "Set GHL_API_VERSION to one that GHL supports, and restart: waiting messages are answered then"}


def why_held(side: str) -> str:
    """The reason, from `hold_why` of the location."""
    return _WHY.get(side, "a service refused three logins in a row")


def cure_of(side: str) -> str:
    """What to do about the hold."""
    return _CURE.get(side, "Apply a new token, or resume it")
