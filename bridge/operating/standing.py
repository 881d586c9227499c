"""A contact's standing for operators: opt-outs, pauses, takeovers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.policy.takeover import judge_takeover
from bridge.store.redis.connection import now_ms
from bridge.times import iso

if TYPE_CHECKING:
    from bridge.model import ConversationId, Lane
    from bridge.operating.services import AdminServices


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingShown:
    """What prevents a reply to a contact; times are ISO 8601 in UTC, null if something has not happened.

    `taken_over` says who wrote, when, and until when that applies; null without a takeover. `stopped` maps the channels with an
    opt-out to its time. Tags and do-not-disturb come from events; null if no event reported them.
    """

    paused_since: str | None
    taken_over: str | None
    human_spoke_at: str | None
    stopped: dict[str, str | None]
    tags: tuple[str, ...] | None
    dnd: bool | None
    blocked_channels: tuple[str, ...] | None
    replies_within_a_day: int


def shown(services: AdminServices, lane: Lane, conversation_id: ConversationId) -> StandingShown:
    """A contact's standing now. Raises Unavailable."""
    situation = services.situations.read(lane, conversation_id)
    standing, record = situation.standing, services.locations.open(lane.location_id, situation.location)
    takeover = judge_takeover(standing, record.location, now_ms(services.redis)) if record else None
    return StandingShown(
        paused_since=iso(standing.paused_at_ms),
        taken_over=takeover.facts if takeover else None,
        human_spoke_at=iso(standing.human_at_ms),
        stopped={channel: iso(at) for channel, at in sorted(standing.stopped.items())},
        tags=_sorted(standing.tags),
        dnd=standing.dnd,
        blocked_channels=_sorted(standing.blocked_channels),
        replies_within_a_day=standing.replies,
    )


def _sorted(names: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(names))
