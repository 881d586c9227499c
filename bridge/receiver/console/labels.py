"""Labels: the colour of a status or a step, and a reason's meaning in a sentence."""

from __future__ import annotations

from bridge.model import Status

TONES = {
    Status.WAITING: "info",
    Status.ANSWERING: "info",
    Status.RETRYING: "warn",
    Status.REPLIED: "good",
    Status.NO_REPLY: "quiet",
    Status.DELIVERED_BY_PROVIDER: "good",
    Status.SKIPPED: "quiet",
    Status.DEAD: "bad",
    "sent": "good",
    "not_sent": "warn",
    "undelivered": "bad",
    "delivered": "good",
    "waited_out": "warn",
    "recovered": "warn",
    "asking": "info",
    "answered": "info",
    "sending": "info",
    "accepted": "info",
    "active": "good",
    "paused": "warn",
    "hold": "bad",
    "unconfigured": "info",
    "uninstalled": "warn",
}


# Steps whose name in timelines says little to people.
STEPS = {
    "heard": "message in GHL",
    "unanswered": "completion failed",
    "waited_out": "GHL did not accept",
    "recovered": "taken over",
    "asking": "asking the provider",
    "answered": "completion",
    "dead": "failed after all retries",
    "try_requested": "try now",
    "answer_requested": "answer anyway",
    "draft_approved": "draft approved",
    "allowed": "opt-out lifted",
    "read": "file read",
    "stopped": "opted out",
}


def step_name(step: str) -> str:
    """The name of a timeline's step on pages."""
    return STEPS.get(step, step.replace("_", " "))


def tone(name: str) -> str:
    """The colour of a status, a step or a state; `quiet` for an unknown one."""
    return TONES.get(name, "quiet")
