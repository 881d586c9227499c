"""The tutorial's bridge, tuned: Celery's threads, one httpx client per thread, one TLS context; none of the bridge's duties."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import httpx
from celery import Celery
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

tasks = Celery("tuned", broker=os.environ["REDIS_URL"], set_as_current=False)
tasks.conf.update(
    task_ignore_result=True, worker_pool="threads", worker_prefetch_multiplier=1, worker_enable_remote_control=False
)
TLS = httpx.create_ssl_context(trust_env=False)
MINE = threading.local()


def http() -> httpx.Client:
    """This thread's client."""
    if not hasattr(MINE, "client"):
        MINE.client = httpx.Client(timeout=60, verify=TLS, trust_env=False)
    client: httpx.Client = MINE.client
    return client


@tasks.task
def answer(event: dict[str, Any]) -> None:
    """Answer one message."""
    completion = http().post(
        os.environ["ASSISTABLE_URL"],
        headers={"Authorization": f"Bearer {os.environ['ASSISTABLE_TOKEN']}"},
        json={
            "location_id": event["locationId"],
            "assistant_id": os.environ["ASSISTANT_ID"],
            "contact_id": event["contactId"],
            "conversation_id": event["conversationId"],
            "last_message_id": event["messageId"],
            "channel": event["messageType"],
            "input": event["body"],
            "messages": [],
        },
    )
    completion.raise_for_status()
    posted = http().post(
        f"{os.environ['GHL_API_URL']}/conversations/messages",
        headers={"Authorization": f"Bearer {os.environ['GHL_TOKEN']}", "Version": "2021-04-15"},
        json={"type": "SMS", "contactId": event["contactId"], "message": completion.json()["run"]["output"]},
    )
    posted.raise_for_status()


async def webhook(request: Request) -> JSONResponse:
    """Accept an event."""
    answer.delay(await request.json())
    return JSONResponse({"status": "queued"})


app = Starlette(routes=[Route("/webhooks/ghl", webhook, methods=["POST"])])
