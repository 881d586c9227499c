"""What webhook senders are told: one JSON object, and a status that makes GHL do the right thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response

if TYPE_CHECKING:
    from bridge.errors import Rejected
    from bridge.model import Answer

STATUS = {"accepted": 202, "duplicate": 200, "ignored": 200, "skipped": 200}
RETRY_AFTER_SECONDS = 10


def tell(answer: Answer) -> Response:
    """An answer as HTTP. A skipped message is `ignored` to its sender: there is nothing to send again."""
    fields = {
        "status": "ignored" if answer.status == "skipped" else answer.status,
        "reason": answer.reason,
        "message_id": answer.message_id,
        "conversation_id": answer.conversation_id,
    }
    return _json({name: value for name, value in fields.items() if value}, STATUS[answer.status])


def refuse(error: Rejected) -> Response:
    """A refusal; no detail is given away."""
    return _json({"status": error.code}, error.status)


def not_now() -> Response:
    """429, the one status that every published retry policy of GHL retries."""
    return _json({"status": "unavailable"}, 429, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def _json(document: dict[str, str], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(document), status, headers, media_type="application/json")
