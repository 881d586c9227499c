"""The meaning of each reason in a sentence, for the terminal and the console."""

from __future__ import annotations

from bridge.model import Reason

REASONS: dict[str, str] = {
    Reason.NOT_INBOUND: "Not a message from the contact.",
    Reason.NOT_A_MESSAGE: "A call, a voicemail, a form or another event that is not answered as a text.",
    Reason.UNKNOWN_TYPE: "Its message type is unknown; the location's `types` can map it to a channel.",
    Reason.UNKNOWN_LOCATION: "Its location is unknown, or was removed.",
    Reason.OTHER_APP: "It was meant for another marketplace app.",
    Reason.LOCATION_PAUSED: "The location is paused, or its mode is off.",
    Reason.CHANNEL_OFF: "Messages of this channel are not answered in this location.",
    Reason.BLANK: "It has no text, and no file that needs an answer.",
    Reason.TOO_OLD: "It was too old when a worker took it.",
    Reason.HUMAN_TAKEOVER: "The conversation is left to people.",
    Reason.CONVERSATION_PAUSED: "An operator paused the conversation.",
    Reason.OFF_TAG: "The contact has a tag that switches replies off.",
    Reason.MISSING_TAG: "The contact lacks a tag that replies need.",
    Reason.DND: "The contact does not want to be disturbed.",
    Reason.STOP_WORD: "The contact opted out.",
    Reason.OUTSIDE_HOURS: "The location was closed.",
    Reason.REPLY_CAP: "The contact reached its daily reply limit.",
    Reason.LOOP: "The contact seems to be a bot.",
    Reason.UNPARSEABLE: "It could not be read.",
    Reason.DROPPED: "An operator closed its dead letter without an answer.",
    Reason.SUPERSEDED: "Its text is answered together with a newer message.",
    Reason.DUPLICATE: "It already arrived from another source.",
    Reason.AUTO_REPLY: "It is an automatic e-mail, or from a no-reply address.",
    Reason.UNCONFIGURED: "The location has no provider settings yet.",
    Reason.OVERFLOW: "Too many messages of the contact were already waiting.",
    Reason.UNREADABLE_MEDIA: "It had only files that could not be read.",
    Reason.OTHER_BOT: "GHL's own bot had already answered.",
    Reason.ANSWERED_BEFORE: "It was already answered; Redis had lost the record of that.",
    Reason.EMPTY: "The provider answered without a text.",
    Reason.REFUSAL: "The model refused to answer.",
    Reason.FILTERED: "The provider's content filter blocked the answer.",
    Reason.TOOL_CALL: "The provider called tools and wrote no text for the contact.",
    Reason.THOUGHTS_ONLY: "The answer contained only the model's thoughts.",
    Reason.STALE_JOB: "The provider cancelled its run because a newer one replaced it.",
    Reason.HANDOVER: "The provider asked for a person to continue.",
}
