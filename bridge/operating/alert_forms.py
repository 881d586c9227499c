"""Alerts as JSON in the formats of Slack, Discord and Teams, or in the bridge's own. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.notification_settings import AlertForm
    from bridge.store.operators.alerts import Alert

Form = Literal["json", "slack", "discord", "teams"]
# By the last part of the host. Teams' webhooks are those of its Workflows app; older ones end with `webhook.office.com`.
HOSTS: tuple[tuple[str, Form], ...] = (
    ("hooks.slack.com", "slack"),
    ("hooks.slack-gov.com", "slack"),
    ("discord.com", "discord"),
    ("discordapp.com", "discord"),
    (".logic.azure.com", "teams"),
    (".powerplatform.com", "teams"),
    (".webhook.office.com", "teams"),
)
MOST_LINES = 10
# Slack cuts a longer text, Discord refuses one, and Teams takes messages of 28 KB.
MOST_CHARACTERS: dict[Form, int] = {"json": 40_000, "slack": 40_000, "discord": 2_000, "teams": 10_000}
SLACK_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
LONGEST_ESCAPE = 5


def form_of(chosen: AlertForm, url: str) -> Form:
    """The format for an address: the configured one, or the one that the address shows."""
    if chosen != "auto":
        return chosen
    host = (urlsplit(url).hostname or "").lower()
    return next((form for end, form in HOSTS if host == end or host.endswith("." + end.lstrip("."))), "json")


def together(waiting: Sequence[Alert]) -> tuple[Alert, ...]:
    """The oldest alert, and those of the same kind and state that may be posted with it: no end before its beginning."""
    first = waiting[0]
    alerts: list[Alert] = []
    passed: set[str] = set()
    for alert in waiting:
        cause = alert.document["cause"]
        if _kind(alert) == _kind(first) and cause not in passed:
            alerts.append(alert)
        passed.add(cause)
    return tuple(alerts)


def _kind(alert: Alert) -> tuple[str, str]:
    """The cause without its subject (`hold:LOCATION` is a hold), and whether it begins or ends."""
    return alert.document["cause"].partition(":")[0], alert.document["state"]


def document(alerts: Sequence[Alert], form: Form) -> dict[str, Any]:
    """The posted document. A single alert in the format `json` is the stored document; several are `alerts` of one."""
    text = _cut(_text(alerts), MOST_CHARACTERS[form])
    match form:
        case "json" if len(alerts) == 1:
            return alerts[0].document
        case "json":
            kind, state = _kind(alerts[0])
            listed = [alert.document for alert in alerts]
            return {"cause": kind, "text": text, "state": state, "at": listed[-1]["at"], "alerts": listed}
        case "slack":
            return {"text": _escaped(_cut(text, MOST_CHARACTERS[form] // LONGEST_ESCAPE))}
        case "discord":
            # A name in a text must not mention anybody.
            return {"content": text, "allowed_mentions": {"parse": []}}
        case "teams":
            return _card(text)


def _text(alerts: Sequence[Alert]) -> str:
    texts = [str(alert.document["text"]) for alert in alerts]
    if len(texts) == 1:
        return texts[0]
    more = [f"and {len(texts) - MOST_LINES} more"] if len(texts) > MOST_LINES else []
    return "\n".join([f"{len(texts)} alerts:", *texts[:MOST_LINES], *more])


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _escaped(text: str) -> str:
    for sign, escape in SLACK_ESCAPES:
        text = text.replace(sign, escape)
    return text


def _card(text: str) -> dict[str, Any]:
    """A message with one adaptive card, with a block for each line."""
    blocks = [{"type": "TextBlock", "text": line, "wrap": True} for line in text.splitlines()]
    card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4"}
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": {**card, "body": blocks},
    }
    return {"type": "message", "attachments": [attachment]}
