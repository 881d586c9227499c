"""What each completion service requires and how it answers. Pure, except for ids and the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bridge.simulator.wire import Call, CallAnswer, Refused, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.simulator.world import World

    Mint = Callable[[], str]

_ASSISTABLE_FIELDS = ("location_id", "assistant_id", "contact_id", "conversation_id", "last_message_id", "channel", "input")
_HELP_PAGE_FIELDS = ("location_id", "assistant_id", "contact_id")
_AGENCII_OPTIONAL = ("chatId", "aliasChatId", "additionalInstructions")
# An Agencii integration of this name answers in plain text.
TEXT_ONLY = "textOnly"


@dataclass(frozen=True, slots=True)
class ServiceBehaviour:
    """The behaviour of one service.

    `unauthorized` is the body of its 401; `demands_login`: it refuses requests without a login. `check` refuses what the service
    would refuse; `said` returns the contact's text; `subject` returns the contact of a request; `answer` makes the answer from a
    text and the id of the message that contains it (the contact's message if nothing was delivered).
    """

    unauthorized: dict[str, Any]
    demands_login: bool
    check: Callable[[Call], None]
    said: Callable[[Call], str]
    subject: Callable[[Call, World], None]
    answer: Callable[[Call, str, str, Mint], CallAnswer]


def _check_assistable(call: Call) -> None:
    _demand(call, _ASSISTABLE_FIELDS, "message")
    _check_turns(call, "messages", ("user", "assistant"))


def _check_help_page(call: Call) -> None:
    _demand(call, _HELP_PAGE_FIELDS, "message")


def _check_webhook(call: Call) -> None:
    _demand(call, ("chatInput", "sessionId"), "message")


def _check_agent_studio(call: Call) -> None:
    _demand(call, ("message", "locationId"), "message")
    if call.headers.get("version") != "v3":
        raise Refused(reply(401, {"statusCode": 401, "message": "version header is invalid."}))
    if not isinstance(call.body.get("executionId", ""), str):
        raise Refused(
            reply(422, {"statusCode": 422, "message": ["executionId must be a string"], "error": "Unprocessable Entity"})
        )


def _check_agencii(call: Call) -> None:
    _demand(call, ("message", "apiIntegrationId"), "detail")
    wrong = [name for name in _AGENCII_OPTIONAL if not isinstance(call.body.get(name), str | None)]
    if wrong:
        raise Refused(reply(400, {"detail": f"Not a string: {', '.join(wrong)}"}))


def _check_openai(call: Call) -> None:
    if not call.text("model"):
        raise Refused(reply(400, {"error": {"message": "you must provide a model parameter", "type": "invalid_request_error"}}))
    _check_turns(call, "messages", ("system", "user", "assistant"))


def _demand(call: Call, names: tuple[str, ...], key: str) -> None:
    missing = [name for name in names if not call.text(name).strip()]
    if missing:
        raise Refused(reply(400, {key: f"Missing or empty: {', '.join(missing)}"}))


def _check_turns(call: Call, key: str, roles: tuple[str, ...]) -> None:
    turns = call.body.get(key)
    if not isinstance(turns, list) or not all(_is_turn(turn, roles) for turn in turns):
        raise Refused(reply(400, {"message": f"{key} must be a list of {{role, content}}"}))


def _is_turn(turn: Any, roles: tuple[str, ...]) -> bool:
    return isinstance(turn, dict) and isinstance(turn.get("content"), str | list) and turn.get("role") in roles


def _by_ids(call: Call, world: World) -> None:
    del world
    call.location_id, call.contact_id = call.text("location_id"), call.text("contact_id")


def _by_ghl_ids(call: Call, world: World) -> None:
    del world
    call.location_id, call.contact_id = call.text("locationId"), call.text("contactId")


def _by_name(call: Call, world: World) -> None:
    """A chat's name may contain GHL's ids, as in `ghl:{location}:{conversation}`."""
    name = call.text("aliasChatId") or call.text("chatId") or call.text("sessionId")
    for part in name.split(":"):
        conversation = world.conversations.get(part)
        contact = world.contacts.get(conversation.contact_id if conversation else part)
        if contact:
            call.location_id, call.contact_id = contact.location_id, contact.id
            return
    call.contact_id = name


def _by_words(call: Call, world: World) -> None:
    """Only the text shows its author: the one who wrote the last line."""
    last = _last_turn(call).rpartition("\n")[2].strip()
    newest = 0
    for conversation in world.conversations.values():
        for each in conversation.messages:
            if each.direction == "inbound" and each.body.strip() == last and each.sequence > newest:
                newest = each.sequence
                call.location_id, call.contact_id = conversation.location_id, conversation.contact_id


def _last_turn(call: Call) -> str:
    turns = call.body.get("messages") if isinstance(call.body, dict) else None
    last = turns[-1] if isinstance(turns, list) and turns else None
    content = last.get("content") if isinstance(last, dict) else ""
    if isinstance(content, list):
        # Text and pictures: the model only counts the pictures.
        words = [part["text"] for part in content if part.get("type") == "text"]
        pictures = sum(part.get("type") == "image_url" for part in content)
        return "\n".join((*words, f"({pictures} seen)")) if pictures else "\n".join(words)
    return str(content)


def run(
    call: Call,
    text: str,
    message_id: str,
    mint: Mint,
    *,
    refusal: str | None = None,
    calls: Sequence[dict[str, Any]] = (),
) -> CallAnswer:
    """Write Assistable's answer; `calls` are the tools that the assistant has called."""
    turns: list[dict[str, Any]] = [{"role": "assistant", "content": text, "refusal": refusal, "annotations": []}]
    response = {"messages": turns, "toolCalls": [*calls], "completionTimestamp": datetime.now(UTC).isoformat()}
    message = {"conversationId": call.text("conversation_id"), "messageId": message_id, "traceId": mint()}
    knowledge = {"matches": [], "namespace": call.text("assistant_id"), "usage": {"readUnits": 1}}
    fields = {"output": text, "input": call.text("input"), "response": response, "message": message, "knowledge_base": knowledge}
    return reply(200, {"run": fields})


def _data(call: Call, text: str, message_id: str, mint: Mint) -> CallAnswer:
    status = "sent" if message_id != call.text("last_message_id") else "queued"
    return reply(200, {"success": True, "data": {"response": text, "thread_id": mint(), "status": status}})


def _chat(call: Call, text: str, message_id: str, mint: Mint) -> CallAnswer:
    del message_id
    if call.text("apiIntegrationId") == TEXT_ONLY:
        return CallAnswer(200, text.encode(), "text/plain")
    # The vendor sends no time zone here.
    now = datetime.now(UTC).replace(tzinfo=None).isoformat()
    message = {"id": mint(), "content": text, "role": "assistant", "type": "text", "createdAt": now}
    chat = {
        "chatId": call.text("chatId") or mint(),
        "createdAt": now,
        "threadId": mint(),
        "assistantId": mint(),
        "name": call.text("apiIntegrationId"),
        "message": message | {"references": [], "fileIds": [], "assistantData": None, "functions": None},
        "numMessages": 2,
        "aliasChatId": call.body.get("aliasChatId"),
    }
    return reply(200, chat)


def _chat_completion(call: Call, text: str, message_id: str, mint: Mint) -> CallAnswer:
    del message_id
    return completion(call, choice(text, "stop"), mint)


def choice(text: str, finish_reason: str) -> dict[str, Any]:
    """Write the one choice of a chat completion."""
    message = {"role": "assistant", "content": text or None, "refusal": None}
    return {"index": 0, "message": message, "finish_reason": finish_reason}


def completion(call: Call, choice: dict[str, Any], mint: Mint) -> CallAnswer:
    """Write OpenAI's answer around a choice."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    frame = {"id": f"chatcmpl-{mint()}", "object": "chat.completion", "created": round(datetime.now(UTC).timestamp())}
    return reply(200, {**frame, "model": call.text("model"), "choices": [choice], "usage": usage})


def _output(call: Call, text: str, message_id: str, mint: Mint) -> CallAnswer:
    del call, message_id, mint
    return reply(200, {"output": text})


def _executed(call: Call, text: str, message_id: str, mint: Mint) -> CallAnswer:
    """Agent Studio's answer: the execution that was named, or a new one."""
    del message_id
    fields = {"success": True, "executionId": call.text("executionId") or mint(), "interactionId": mint(), "response": text}
    ended = {"type": "text", "nextExpectedInput": "text", "goalCompletion": False, "executionStatus": "completed"}
    return reply(200, {**fields, **ended, "flowSwitch": False, "attachments": [], "generativeOutputs": []})


def _words(key: str) -> Callable[[Call], str]:
    return lambda call: call.text(key)


_ASSISTABLE_401 = {"message": "Unauthorized"}
_AGENCII_401 = {"detail": "Invalid or missing authorization token."}
_OPENAI_401 = {"error": {"message": "Incorrect API key provided", "type": "invalid_request_error", "code": "invalid_api_key"}}
_AGENT_STUDIO_401 = {"statusCode": 401, "message": "Invalid token: access token is invalid"}
_WEBHOOK_401 = {"message": "Authorization data is wrong!"}

SERVICES = {
    "assistable": ServiceBehaviour(_ASSISTABLE_401, True, _check_assistable, _words("input"), _by_ids, run),
    "assistable_help_page": ServiceBehaviour(_ASSISTABLE_401, True, _check_help_page, _words("message"), _by_ids, _data),
    "agencii": ServiceBehaviour(_AGENCII_401, True, _check_agencii, _words("message"), _by_name, _chat),
    "openai": ServiceBehaviour(_OPENAI_401, False, _check_openai, _last_turn, _by_words, _chat_completion),
    "agent_studio": ServiceBehaviour(_AGENT_STUDIO_401, True, _check_agent_studio, _words("message"), _by_ghl_ids, _executed),
    "webhook": ServiceBehaviour(_WEBHOOK_401, False, _check_webhook, _words("chatInput"), _by_name, _output),
}
# Their paths. The vendors' documentation and their clients differ in names and slashes.
PATHS = (
    ("/v2/ghl-chat-completion", "assistable"),
    ("/v2/ghl/chat-completion", "assistable_help_page"),
    ("/get_completion", "agencii"),
    ("/get_completion/", "agencii"),
    ("/get_response", "agencii"),
    ("/v1/chat/completions", "openai"),
    ("/agent-studio/agent/{agent}/execute", "agent_studio"),
    ("/webhook/{path:path}", "webhook"),
)
