"""Outcomes of messages, with their reasons."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The status of an inbound message."""

    WAITING = "waiting"
    ANSWERING = "answering"
    RETRYING = "retrying"
    REPLIED = "replied"
    NO_REPLY = "no_reply"
    DELIVERED_BY_PROVIDER = "delivered_by_provider"
    SKIPPED = "skipped"
    DEAD = "dead"


class Reason(StrEnum):
    """Why a message is ignored or skipped, or why a provider gave no reply (`NO_REPLY_REASONS`)."""

    NOT_INBOUND = "not_inbound"
    NOT_A_MESSAGE = "not_a_message"
    UNKNOWN_LOCATION = "unknown_location"
    OTHER_APP = "other_app"
    LOCATION_PAUSED = "location_paused"
    CHANNEL_OFF = "channel_off"
    BLANK = "blank"
    TOO_OLD = "too_old"
    HUMAN_TAKEOVER = "human_takeover"
    CONVERSATION_PAUSED = "conversation_paused"
    OFF_TAG = "off_tag"
    MISSING_TAG = "missing_tag"
    DND = "dnd"
    STOP_WORD = "stop_word"
    OUTSIDE_HOURS = "outside_hours"
    REPLY_CAP = "reply_cap"
    LOOP = "loop"
    UNPARSEABLE = "unparseable"
    DROPPED = "dropped"
    SUPERSEDED = "superseded"
    DUPLICATE = "duplicate"
    AUTO_REPLY = "auto_reply"
    UNCONFIGURED = "unconfigured"
    OVERFLOW = "overflow"
    UNKNOWN_TYPE = "unknown_type"
    UNREADABLE_MEDIA = "unreadable_media"
    OTHER_BOT = "other_bot"
    ANSWERED_BEFORE = "answered_before"
    EMPTY = "empty"
    REFUSAL = "refusal"
    FILTERED = "filtered"
    TOOL_CALL = "tool_call"
    THOUGHTS_ONLY = "thoughts_only"
    STALE_JOB = "stale_job"
    HANDOVER = "handover"


# Why a provider's answer contains nothing to send: the reasons of `no_reply`.
NO_REPLY_REASONS = frozenset(
    {
        Reason.EMPTY,
        Reason.REFUSAL,
        Reason.FILTERED,
        Reason.TOOL_CALL,
        Reason.THOUGHTS_ONLY,
        Reason.STALE_JOB,
        Reason.HANDOVER,
    }
)
