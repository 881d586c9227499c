"""GHL's refusals, with GHL's error texts. Pure: the bodies are those of tests/samples/errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.simulator.channels import COMMENT, EMAIL
from bridge.simulator.wire import Refused, reply

if TYPE_CHECKING:
    from bridge.simulator.channels import ChannelKind
    from bridge.simulator.world import Conversation, SimulatedContact

SMS_LENGTH = 1600
WINDOW_MILLISECONDS = 24 * 3600 * 1000
_BLOCKING = ("active", "permanent")


def invalid_token() -> Refused:
    """No bearer token, or an unknown one."""
    return _plain(401, "Invalid token: access token is invalid", error="Unauthorized")


def wrong_kind() -> Refused:
    """An agency's token is used although a location's is needed."""
    return _plain(401, "This authClass type is not allowed to access this scope.")


def no_client() -> Refused:
    """Client id or secret are wrong."""
    return _granting(401, "UnAuthorized!", "Invalid client credentials!")


def invalid_grant(what: str) -> Refused:
    """The code or refresh token is unknown or was used before."""
    return _granting(400, "invalid_grant", f"This {what} is invalid")


def not_installed() -> Refused:
    """The app isn't installed in that location, or not through that agency."""
    return _plain(400, "The app is not installed in this location.", error="Bad Request")


def no_version() -> Refused:
    """The `Version` header is missing."""
    return _plain(401, "version header was not found.")


def unknown_version() -> Refused:
    """The `Version` header names an unknown version."""
    return _plain(401, "version header is invalid.")


def retired_version() -> Refused:
    """The `Version` header names a retired version. GHL documents that it is refused, but neither the status nor the text."""
    return _plain(401, "version header is no longer supported.")


def wrong_location() -> Refused:
    """The token belongs to another location."""
    return _plain(403, "The token does not have access to this location.", error="Forbidden")


def too_many() -> Refused:
    """The location's rate limit is reached. GHL documents neither the body nor a Retry-After."""
    return _plain(429, "Too Many Requests")


def not_json() -> Refused:
    """The body cannot be read."""
    return _plain(400, "Unexpected token in JSON at position 0", error="Bad Request")


def unprocessable(messages: list[str]) -> Refused:
    """Body or query don't match the API description."""
    return Refused(reply(422, {"statusCode": 422, "message": messages, "error": "Unprocessable Entity"}))


def contact_not_found(contact_id: str) -> Refused:
    """No contact has that id, or it was merged into another."""
    return _coded(400, "CONVERSATIONS_CONTACT_NOT_FOUND", f"Contact not found for id:{contact_id}")


def message_not_found(message_id: str) -> Refused:
    """No message has that id; a 400, not a 404."""
    return _coded(400, "CONVERSATIONS_MSG_NOT_FOUND", f"Message not found for id:{message_id}")


def conversation_not_found(conversation_id: str) -> Refused:
    """No conversation has that id."""
    return _coded(400, "CONVERSATIONS_CONVERSATION_NOT_FOUND", f"Conversation not found for id:{conversation_id}")


def judge_send(
    body: dict[str, Any], channel: ChannelKind | None, contact: SimulatedContact, conversation: Conversation, now: int
) -> None:
    """Refuse a valid send that GHL would refuse."""
    if channel is None:
        raise unprocessable([f"type {body['type']} cannot be sent by the simulator"])
    if channel is COMMENT:
        _judge_content(body, "message")
        return
    _judge_dnd(channel, contact)
    _judge_address(body, channel, contact)
    _judge_content(body, "html" if channel is EMAIL else "message")
    _judge_kind(body, channel)
    _judge_window(channel, conversation, now)


def _judge_dnd(channel: ChannelKind, contact: SimulatedContact) -> None:
    setting = contact.dnd_settings.get(channel.dnd_key) or {}
    if not contact.dnd and setting.get("status") not in _BLOCKING:
        return
    name = channel.sent_as
    code = f"CONVERSATIONS_MSG_DND_ACTIVE_{name.upper()}"
    raise _full(400, code, f"Cannot send message as DND is active for {name}.")


def _judge_address(body: dict[str, Any], channel: ChannelKind, contact: SimulatedContact) -> None:
    if channel.sent_as in ("SMS", "WhatsApp") and not contact.phone:
        raise _full(400, "CONVERSATIONS_MSG_NO_PHONE", "Missing phone number")
    if channel is not EMAIL:
        return
    if not contact.email:
        raise _full(400, "CONVERSATIONS_MSG_NO_EMAIL", "Unable to send e-mail, contact has no e-mail")
    if body.get("emailTo", contact.email).lower() != contact.email.lower():
        raise _full(400, "CONVERSATIONS_MSG_INVALID_EMAILTO", "emailTo is not an e-mail of the contact")


def _judge_content(body: dict[str, Any], key: str) -> None:
    if not str(body.get(key, "")).strip() and not body.get("attachments"):
        message = "There is no message or attachments for this message. Skip sending."
        raise _coded(422, "CONVERSATIONS_MSG_NO_CONTENT", message)


def _judge_kind(body: dict[str, Any], channel: ChannelKind) -> None:
    if channel.sent_as == "SMS" and len(body.get("message", "")) > SMS_LENGTH:
        raise _full(400, "CONVERSATIONS_MSG_TOO_LONG", f"The message exceeds {SMS_LENGTH} characters.")
    if channel.sent_as == "Custom" and not body.get("conversationProviderId"):
        raise _full(400, "CONVERSATIONS_MSG_CONVERSATION_PROVIDER_MISMATCH", "Invalid conversationProviderId")


def _judge_window(channel: ChannelKind, conversation: Conversation, now: int) -> None:
    last = conversation.last_inbound_at.get(channel.name)
    if channel.window and last is not None and now - last > WINDOW_MILLISECONDS:
        code = "CONVERSATIONS_MSG_CHAT_NO_LONGER_ACTIVE"
        body = {"statusCode": 400, "error": "Bad Request", "message": "This chat is no longer active", "canonicalCode": code}
        raise Refused(reply(400, body | {"arguments": {"channel": channel.name}}))


def _plain(status: int, message: str, *, error: str = "") -> Refused:
    body = {"statusCode": status, "message": message}
    return Refused(reply(status, body | {"error": error} if error else body))


def _granting(status: int, error: str, description: str) -> Refused:
    return Refused(reply(status, {"error": error, "error_description": description}))


def _coded(status: int, code: str, message: str) -> Refused:
    return Refused(reply(status, {"message": message, "canonicalCode": code}))


def _full(status: int, code: str, message: str) -> Refused:
    return Refused(reply(status, {"statusCode": status, "error": "Bad Request", "message": message, "canonicalCode": code}))
