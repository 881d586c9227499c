"""Whether a person (or an automation, if those count) took over the conversation, or the agent asked for a person.

policy/authors.py decides by the fields of a message whether a person wrote it, `observe` of store/parts/takeover.lua by what is
stored. answering/handover.py handles the agent's request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.model import Reason, Skip
from bridge.times import utc

if TYPE_CHECKING:
    from bridge.locations import Location
    from bridge.model import Standing


def judge_takeover(standing: Standing, location: Location, now_ms: int) -> Skip | None:
    """Whether a person, or an automation if those count, has taken over the conversation. Returns a Skip or None.

    Never for drafts: there staff answers itself, and a comment does not interrupt anybody.
    """
    if location.mode == "draft":
        return None
    if skip := _judge_handover(standing, now_ms):
        return skip
    by, at, id_, why = "a person", standing.human_at_ms, standing.human_id, ""
    if location.takeover_by_workflow and standing.automation_at_ms > at:
        by, at, id_, why = "an automation", standing.automation_at_ms, standing.automation_id, " (takeover_by_workflow is on)"
    seconds = location.takeover_seconds
    if not at or seconds == 0 or standing.resumed_at_ms >= at or (seconds > 0 and now_ms >= at + seconds * 1000):
        return None
    until = "until resumed (takeover_seconds = -1)" if seconds < 0 else f"takeover_seconds = {seconds:g}"
    did = f"called ({id_})" if standing.called and by == "a person" else f"wrote {id_ or 'a message'}"
    return Skip(Reason.HUMAN_TAKEOVER, f"{by} {did} at {utc(at)}, {until}{why}")


def _judge_handover(standing: Standing, now_ms: int) -> Skip | None:
    """Whether the agent has asked for a person, and nobody has resumed the conversation since."""
    at, until = standing.handover_at_ms, standing.handover_until_ms
    if not at or standing.resumed_at_ms >= at or 0 <= until <= now_ms:
        return None
    silent = "until resumed" if until < 0 else f"until {utc(until)}"
    return Skip(Reason.HUMAN_TAKEOVER, f"the agent asked for a person at {utc(at)}, {silent} (handover.seconds)")
