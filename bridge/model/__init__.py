"""The domain's terms as values without behaviour.

GHL's terms for GHL's objects (location, contact, conversation), the glossary's terms for ours (lane, turn, reason).
Times are whole milliseconds since 1970 (`_ms`), because Redis' clock gives them and they compare without rounding; durations in
settings and for people are seconds.
"""

from __future__ import annotations

from bridge.model.completions import Completion, Question
from bridge.model.contacts import Contact, PastMessage, Situation, Standing
from bridge.model.ids import FORM_SUBMISSION, UNKNOWN_LINE, Channel, ContactId, ConversationId, Lane, LocationId, MessageId
from bridge.model.media import Attachment, MediaKind, Reading
from bridge.model.operators import OWNER, Operator, Role
from bridge.model.outcomes import NO_REPLY_REASONS, Reason, Status
from bridge.model.posts import LedgerEntry, Listed, Posted, Posting, Reply, SendState, Sent, Window
from bridge.model.turns import Again, AskedFor, Dead, Ended, HandedOver, Rollback, Skip, Turn
from bridge.model.webhooks import AppChange, ContactUpdate, Ignored, InboundMessage, OutboundMessage, WebhookAnswer

__all__ = [
    "FORM_SUBMISSION",
    "NO_REPLY_REASONS",
    "OWNER",
    "UNKNOWN_LINE",
    "Again",
    "AppChange",
    "AskedFor",
    "Attachment",
    "Channel",
    "Completion",
    "Contact",
    "ContactId",
    "ContactUpdate",
    "ConversationId",
    "Dead",
    "Ended",
    "HandedOver",
    "Ignored",
    "InboundMessage",
    "Lane",
    "LedgerEntry",
    "Listed",
    "LocationId",
    "MediaKind",
    "MessageId",
    "Operator",
    "OutboundMessage",
    "PastMessage",
    "Posted",
    "Posting",
    "Question",
    "Reading",
    "Reason",
    "Reply",
    "Role",
    "Rollback",
    "SendState",
    "Sent",
    "Situation",
    "Skip",
    "Standing",
    "Status",
    "Turn",
    "WebhookAnswer",
    "Window",
]
