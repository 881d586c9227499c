"""What an operator who asks for an answer overrules: the location's own rules, but nothing that the contact or GHL forbids.

Do-not-disturb, stop words, the messaging window, a location that is paused, on hold or uninstalled, and channels to which GHL
accepts no replies still prevent the answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.model import AskedFor, Channel, Reason

if TYPE_CHECKING:
    from bridge.locations import Location
    from bridge.model import Skip, Standing


def overrule(location: Location, asked_for: str) -> Location:
    """The location for a turn that an operator asked for, without the overruled settings; a draft is sent as a reply."""
    if not asked_for:
        return location
    rules = {
        "channels": tuple(Channel),
        "off_tags": (),
        "required_tags": (),
        "max_replies_per_day": 0,
        "takeover_seconds": 0.0,
        "takeover_by_workflow": False,
        "business_hours": (),
    }
    mode = {"mode": "live"} if asked_for == AskedFor.DRAFT and location.mode == "draft" else {}
    return location.model_copy(update={**rules, **mode})


def overrule_standing(standing: Standing, asked_for: str) -> Standing:
    """The standing without an operator's pause and the agent's request for a person, if the operator asked for an answer."""
    return replace(standing, paused_at_ms=0, handover_at_ms=0) if asked_for else standing


def still_holds(skip: Skip | None, asked_for: str) -> Skip | None:
    """The reason to skip one message, unless the operator overruled it: an operator sees whether it is an automatic reply."""
    return None if skip and asked_for and skip.reason is Reason.AUTO_REPLY else skip
