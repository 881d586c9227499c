"""Differences between GHL and its published description: each entry of this table is one observed difference.

The published files in `openapi/` are unchanged; these values replace theirs at the given paths.
"""

from __future__ import annotations

from typing import Any

CONVERSATIONS = "conversations-2021-04-15.json"
CONTACTS = "contacts-2021-07-28.json"
OAUTH = "oauth-2021-07-28.json"
CONVERSATION_AI = "conversation-ai-v3.json"
AGENT_STUDIO = "agent-studio-v3.json"

_SCHEMAS = ("components", "schemas")
_SEND = (*_SCHEMAS, "SendMessageBodyDto")
_ID = {"type": "string", "minLength": 1}
_TYPE_LIST = {"type": "string", "pattern": r"^TYPE_[A-Z_]+(,TYPE_[A-Z_]+)*$"}
_SENDABLE = ["SMS", "RCS", "Email", "WhatsApp", "IG", "FB", "Custom", "Live_Chat", "TIKTOK", "InternalComment"]
_MESSAGE_STATUS = ["delivered", "failed", "pending", "read", "sent", "queued"]

OVERLAYS: tuple[tuple[str, tuple[str | int, ...], Any], ...] = (
    # A send needs only these (subType and status are called required); working clients send nothing else.
    (CONVERSATIONS, (*_SEND, "required"), ["type", "contactId"]),
    # The live API refuses unknown properties.
    (CONVERSATIONS, (*_SEND, "additionalProperties"), False),
    # The live documentation (2026-08-30) knows comments, and who is mentioned in them or writes them.
    (CONVERSATIONS, (*_SEND, "properties", "type", "enum"), _SENDABLE),
    (CONVERSATIONS, (*_SEND, "properties", "userId"), {"type": "string"}),
    (CONVERSATIONS, (*_SEND, "properties", "mentions"), {"type": "array", "items": {"type": "string"}}),
    # Called an object; its own example is a string.
    (CONVERSATIONS, (*_SEND, "properties", "subType"), {"type": ["string", "object"]}),
    (CONVERSATIONS, (*_SEND, "properties", "contactId"), _ID),
    # Both are described flat, but GHL sends them wrapped (issues 212 and 54 of the docs repository).
    (
        CONVERSATIONS,
        (*_SCHEMAS, "WrappedMessage"),
        {
            "type": "object",
            "properties": {"message": {"$ref": "#/components/schemas/GetMessageResponseDto"}},
            "required": ["message"],
        },
    ),
    (
        CONVERSATIONS,
        (*_SCHEMAS, "WrappedMessages"),
        {
            "type": "object",
            "properties": {"messages": {"$ref": "#/components/schemas/GetMessagesByConversationResponseDto"}},
            "required": ["messages"],
        },
    ),
    # The example is an object inside the object of that name; the type of its parts is not described.
    (CONVERSATIONS, (*_SCHEMAS, "MessageMeta", "properties", "callDuration"), {"type": ["string", "number"]}),
    # "type: any" is no JSON schema; a query holds a number, or several.
    (CONVERSATIONS, ("query", "/conversations/search", "startAfterDate"), {"type": "number"}),
    # "Types of message to fetched separated with comma": the list of single values can't be meant.
    (CONVERSATIONS, ("query", "/conversations/{conversationId}/messages", "type"), _TYPE_LIST),
    (CONVERSATIONS, (*_SCHEMAS, "SendMessageResponseDto", "properties", "status", "enum"), _MESSAGE_STATUS),
    (CONTACTS, (*_SCHEMAS, "TagsDTO", "additionalProperties"), False),
)

# GHL accepts more values of `Version` than the one in each description.
VERSIONS = frozenset({"2021-04-15", "2021-07-28", "2023-02-21", "v3"})
# A send answers 201; the description says 200.
SENT = 201
