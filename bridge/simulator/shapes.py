"""JSON schemas for the orders of the control API, so that a misspelt key is an error."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

from bridge.simulator.answers import WRITTEN
from bridge.simulator.media import FILES
from bridge.simulator.services import SERVICES
from bridge.simulator.wire import Refused, reply

_TEXT = {"type": "string"}
_NAME = {"type": "string", "minLength": 1}
_FLAG = {"type": "boolean"}
_SECONDS = {"type": "number", "minimum": 0}
_COUNT = {"type": "integer", "minimum": 0}
_TAGS = {"type": "array", "items": _TEXT}
_HEADERS = {"type": "object", "additionalProperties": _TEXT}
_WHO = {"location_id": _NAME, "contact_id": _NAME}
GROUPS = (
    *("post", "completion", "contact", "messages", "conversation", "search", "tags", "oauth", "media", "transcription"),
    "conversation_ai",
)
_WHEN = {"when": {"enum": ["before", "after"]}}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


OAUTH_CALLS = ("oauth_token", "oauth_reconnect")


def _action(kind: str, properties: dict[str, Any] | None = None, *required: str) -> dict[str, Any]:
    return _object({"kind": {"const": kind}, **(properties or {})}, "kind", *required)


ACTIONS: dict[str, dict[str, Any]] = {
    "delay": _action("delay", {"seconds": _SECONDS, **_WHEN}, "seconds"),
    "status": _action("status", {"status": {"type": "integer"}, "body": {}, "headers": _HEADERS, **_WHEN}, "status"),
    "cut": _action("cut", _WHEN),
    "hang": _action("hang", _WHEN),
    "trickle": _action("trickle", {"seconds": _SECONDS, "where": {"enum": ["headers", "body"]}, **_WHEN}, "seconds"),
    "html": _action("html", _WHEN),
    "lie": _action("lie", _WHEN),
    "endless": _action("endless", _WHEN),
    "big": _action("big", {"bytes": _COUNT, **_WHEN}, "bytes"),
    "text": _action("text", {"text": _TEXT}, "text"),
    "empty": _action("empty"),
    "claim": _action("claim", {"message_id": _NAME, "deliver": _FLAG}, "deliver"),
    "ok_false": _action("ok_false", {"error": _TEXT}, "error"),
    "answer": _action("answer", {"form": {"enum": list(WRITTEN)}}, "form"),
}
_ANY_ACTION = {"type": "object", "properties": {"kind": {"enum": list(ACTIONS)}}, "required": ["kind"]} | {
    "allOf": [{"if": {"properties": {"kind": {"const": kind}}}, "then": shape} for kind, shape in ACTIONS.items()]
}

SHAPES: dict[str, dict[str, Any]] = {
    "locations": _object({"id": _NAME, "token": _NAME}, "id", "token"),
    "contacts": _object(
        {**_WHO, "tags": _TAGS, "dnd": _FLAG, "dndSettings": {"type": "object"}, "email": _TEXT, "phone": _TEXT},
        "contact_id",
    ),
    "merge": _object({"contact_id": _NAME, "into": _NAME}, "contact_id", "into"),
    "say": _object(
        {
            **_WHO,
            "channel": _NAME,
            "text": _TEXT,
            "attachments": _TAGS,
            "media": {"type": "array", "items": {"enum": list(FILES)}},
            "subject": _TEXT,
            "conversation_provider_id": _NAME,
            "date_added": {"type": ["string", "number"]},
            "webhook": _FLAG,
            "copies": {"type": "integer", "minimum": 1},
            "wait": _FLAG,
        },
        "text",
    ),
    "burst": _object(
        {
            "location_id": _NAME,
            "contacts": {"type": "integer", "minimum": 1},
            "messages_each": {"type": "integer", "minimum": 1},
            "rate": {"type": "number", "exclusiveMinimum": 0},
            "text": _TEXT,
            "channel": _NAME,
            "copies": {"type": "integer", "minimum": 1},
            "webhook": _FLAG,
        },
        "contacts",
        "messages_each",
    ),
    "human": _object(
        {
            **_WHO,
            "text": _TEXT,
            "channel": _NAME,
            "user_id": {"type": ["string", "null"]},
            "source": _TEXT,
            "date_added": {"type": ["string", "number"]},
            "bot": _FLAG,
            "webhook": _FLAG,
        },
        "contact_id",
        "text",
    ),
    "bots": _object({"location_id": _NAME, "bot": _TEXT, "channels": _TAGS}, "location_id"),
    "install": _object({"location_id": _NAME, "company_id": _NAME, "location_ids": _TAGS, "webhook": _FLAG}),
    "uninstall": _object({"location_id": _NAME, "company_id": _NAME, "webhook": _FLAG}),
    "expire": _object({"owner": _NAME, "refresh": _FLAG}, "owner"),
    "failure": _object(
        {"contact_id": _NAME, "status": {"enum": ["failed", "undelivered", "opt_out", "delivered", "read"]}}, "contact_id"
    ),
    "kills": _object({"process": {"enum": ["worker", "web", "redis"]}}, "process"),
    "workflow": _object(
        {
            "message_id": _NAME,
            "contact_id": _NAME,
            "form": {"enum": ["free", "json", "form", "raw"]},
            "pairs": {"type": "object", "additionalProperties": _TEXT},
            "test": _FLAG,
            "url": _NAME,
            "headers": _HEADERS,
            "copies": {"type": "integer", "minimum": 1},
            "retry": _FLAG,
        }
    ),
    "webhook": _object(
        {
            "payload": {},
            "raw": _TEXT,
            "url": _NAME,
            "headers": _HEADERS,
            "signed": _FLAG,
            "copies": {"type": "integer", "minimum": 1},
            "retry": _FLAG,
        }
    ),
    "fault": _object(
        {
            "on": {"enum": [*GROUPS, *OAUTH_CALLS, *SERVICES]},
            "location_id": _NAME,
            "contact_id": _NAME,
            "times": {"type": "integer", "minimum": 1},
            "skip": _COUNT,
            "action": {"if": {"type": "array"}, "then": {"items": _ANY_ACTION, "minItems": 1}, "else": _ANY_ACTION},
        },
        "on",
        "action",
    ),
    "defaults": _object(
        {
            "webhook_url": _TEXT,
            "retry_delays": {"type": "array", "items": _SECONDS},
            "webhook_timeout": _SECONDS,
            "legacy_signature": {"enum": ["off", "both", "only"]},
            "echo": {"enum": ["on", "off", "before"]},
            "echo_seconds": _SECONDS,
            "echo_source": _TEXT,
            "completion_seconds": _SECONDS,
            "completion_token": _TEXT,
            "deliver": _FLAG,
            "post_seconds": _SECONDS,
            "read_seconds": _SECONDS,
            "list_lag_seconds": _SECONDS,
            "files_elsewhere": _FLAG,
            "workflow_url": _TEXT,
            "token_seconds": _SECONDS,
            "oauth_seconds": _SECONDS,
            "refresh_seconds": _SECONDS,
            "rate_limit": _COUNT,
            "rate_seconds": _SECONDS,
            "clock_skew_seconds": {"type": "number"},
            "retired_versions": {"type": "array", "items": _TEXT},
            "media_late_seconds": _SECONDS,
            "media_url_seconds": _SECONDS,
            "spoken": _TEXT,
        }
    ),
}
_JUDGES = {name: Draft202012Validator(shape) for name, shape in SHAPES.items()}


def check(name: str, given: Any) -> dict[str, Any]:
    """Return a valid order, or refuse it with all its errors."""
    faults = [f"{error.json_path}: {error.message}" for error in _JUDGES[name].iter_errors(given)]
    if faults:
        raise Refused(reply(422, {"errors": faults}))
    order: dict[str, Any] = given
    return order
