"""The end of a turn as records of messages and as a timeline event, and its consequences. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bridge.model import Status

if TYPE_CHECKING:
    from bridge.model import Ended, Turn


def outcome(ended: Ended) -> dict[str, str]:
    """The fields of a message's record at its end."""
    replies = orjson.dumps(ended.reply_message_ids).decode()
    return {"status": ended.status, "reason": ended.reason or "", "facts": ended.facts, "replies": replies}


def event_of(ended: Ended) -> dict[str, Any]:
    """The end as an event of the timeline."""
    event: dict[str, Any] = {"step": ended.status, "message_ids": ended.message_ids}
    if ended.reason:
        event |= {"reason": ended.reason, "facts": ended.facts}
    if ended.reply_message_ids:
        event["reply_ids"] = ended.reply_message_ids
    return event


def is_claim_true(turn: Turn, ended: Ended) -> bool | None:
    """Whether a provider's claim that it delivered was true; None without a claim, or without an outcome."""
    if turn.answer is None or not turn.answer.claims_delivery:
        return None
    return {Status.DELIVERED_BY_PROVIDER: True, Status.REPLIED: False}.get(ended.status)


def is_reply(ended: Ended) -> bool:
    """Whether the contact got a reply with this end."""
    return ended.answered or ended.status in {Status.REPLIED, Status.DELIVERED_BY_PROVIDER}
