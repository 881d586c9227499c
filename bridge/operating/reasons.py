"""What each reason means, in a sentence: the same in the terminal and on the console."""

from __future__ import annotations

from bridge.model import Reason

REASONS: dict[str, str] = {
    Reason.NOT_INBOUND: "Not a message from the contact.",
    Reason.NOT_A_MESSAGE: "A call, a voicemail or another event that is not a text.",
    Reason.UNKNOWN_TYPE: "It came by a message type that is not known here; the location's `types` may map it to a channel.",
    Reason.UNKNOWN_LOCATION: "Its location is not known here, or was removed.",
    Reason.OTHER_APP: "It was meant for another marketplace app.",
    Reason.LOCATION_PAUSED: "The location is paused, or its mode is off.",
    Reason.CHANNEL_OFF: "Messages of this channel are not answered in this location.",
    Reason.BLANK: "It holds no text, and no file that wants an answer.",
    Reason.TOO_OLD: "It was too old when its turn came.",
    Reason.HUMAN_TAKEOVER: "A person has taken the conversation over.",
    Reason.CONVERSATION_PAUSED: "An operator paused the conversation.",
    Reason.OFF_TAG: "The contact has a tag that switches replies off.",
    Reason.MISSING_TAG: "The contact lacks a tag that replies need.",
    Reason.DND: "The contact does not want to be disturbed.",
    Reason.STOP_WORD: "The contact asked to stop.",
    Reason.OUTSIDE_HOURS: "The location was closed.",
    Reason.REPLY_CAP: "The contact has had as many replies as a day allows.",
    Reason.LOOP: "Two machines seem to talk to each other.",
    Reason.UNPARSEABLE: "It could not be read.",
    Reason.DROPPED: "An operator dropped it.",
    Reason.SUPERSEDED: "A newer message took its text along.",
    Reason.DUPLICATE: "It is known already, by another way.",
    Reason.AUTO_REPLY: "A machine wrote it: an absence note, or a sender that takes no reply.",
    Reason.UNCONFIGURED: "The location has no provider settings yet.",
    Reason.OVERFLOW: "Too many messages of the contact wait already.",
    Reason.UNREADABLE_MEDIA: "It held nothing but files that could not be read.",
    Reason.OTHER_BOT: "GHL's own bot had answered already.",
    Reason.EMPTY: "The provider answered without a text.",
    Reason.REFUSAL: "The model refused to answer.",
    Reason.FILTERED: "The provider's content filter held the answer back.",
    Reason.TOOL_CALL: "The provider called tools and wrote no text for the contact.",
    Reason.THOUGHTS_ONLY: "The answer held only the model's thoughts.",
    Reason.STALE_JOB: "The provider dropped its run, because a newer one replaced it.",
    Reason.HANDOVER: "The provider asked for a person to go on.",
}
