"""The worker: calls the completion service, posts its text, and lets Celery repeat failed tasks."""

from __future__ import annotations

import os
from typing import Any

import httpx
from celery import Celery

app = Celery("tutorial", broker=os.environ["REDIS_URL"])
# Tutorials say `httpx.post`, which reads the certificate store each time. The soak doesn't compare speed: it uses one client.
http: Any = httpx if os.environ.get("TUTORIAL_HTTP") else httpx.Client(timeout=60)


# Without the backoff, Celery waits three minutes before each retry.
@app.task(autoretry_for=(Exception,), max_retries=3, retry_backoff=True)
def answer(event: dict[str, Any]) -> None:
    """Answer one message."""
    completion = http.post(
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
    posted = http.post(
        f"{os.environ['GHL_API_URL']}/conversations/messages",
        headers={"Authorization": f"Bearer {os.environ['GHL_TOKEN']}", "Version": "2021-04-15"},
        json={"type": "SMS", "contactId": event["contactId"], "message": completion.json()["run"]["output"]},
    )
    posted.raise_for_status()
