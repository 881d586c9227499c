"""Posted alerts match the documented formats of Slack, Discord and Teams webhooks.

The schemas hold the documented rules as read on 2026-11-30: Slack's "Sending messages using incoming webhooks" and "Formatting
text"; Discord's "Execute Webhook" and its OpenAPI document (`IncomingWebhookRequestPartial`); Teams' "Create and send messages"
(Workflows take adaptive cards) and the schema of adaptive cards 1.4.
"""

from __future__ import annotations

import html
import re
from typing import Any, get_args

import jsonschema
import orjson
import pytest

from bridge.operating.alert_forms import MOST_LINES, Form, document, form_of, together
from bridge.store.operators.alerts import Alert

# A message needs a text; no other field of ours is known there.
SLACK = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "minLength": 1, "maxLength": 40_000, "pattern": r"^[^<>]*$"}},
    "additionalProperties": False,
}
DISCORD = {
    "type": "object",
    "required": ["content"],
    "properties": {
        "content": {"type": "string", "minLength": 1, "maxLength": 2000},
        "allowed_mentions": {
            "type": "object",
            "properties": {
                "parse": {"type": "array", "items": {"enum": ["users", "roles", "everyone"]}, "uniqueItems": True},
                "users": {"type": "array", "maxItems": 100},
                "roles": {"type": "array", "maxItems": 100},
                "replied_user": {"type": "boolean"},
            },
            "additionalProperties": False,
        },
        "username": {"type": "string", "maxLength": 80},
        "avatar_url": {"type": "string"},
        "tts": {"type": "boolean"},
        "embeds": {"type": "array", "maxItems": 10},
        "flags": {"type": "integer"},
        "thread_name": {"type": "string", "maxLength": 100},
    },
    "additionalProperties": False,
}
TEXT_BLOCK = {
    "type": "object",
    "required": ["type", "text"],
    "properties": {
        "type": {"const": "TextBlock"},
        "text": {"type": "string"},
        "wrap": {"type": "boolean"},
        "maxLines": {"type": "number"},
        "size": {"enum": ["default", "small", "medium", "large", "extraLarge"]},
        "weight": {"enum": ["default", "lighter", "bolder"]},
        "isSubtle": {"type": "boolean"},
    },
    "additionalProperties": False,
}
TEAMS = {
    "type": "object",
    "required": ["type", "attachments"],
    "properties": {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["contentType", "content"],
                "properties": {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "contentUrl": {"type": ["string", "null"]},
                    "content": {
                        "type": "object",
                        "required": ["type", "version", "body"],
                        "properties": {
                            "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
                            "type": {"const": "AdaptiveCard"},
                            "version": {"enum": ["1.0", "1.1", "1.2", "1.3", "1.4"]},
                            "body": {"type": "array", "minItems": 1, "items": TEXT_BLOCK},
                        },
                        "additionalProperties": False,
                    },
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
SCHEMAS: dict[Form, Any] = {"slack": SLACK, "discord": DISCORD, "teams": TEAMS}
TEAMS_BYTES = 28 * 1024


def alert(cause: str, text: str = "", state: str = "begun") -> Alert:
    fields = {"cause": cause, "text": text or f"{cause} is wrong.", "state": state, "at": 1}
    return Alert(orjson.dumps(fields).decode(), fields)


ONE = [alert("overdue", "A conversation waits <10 s & more>: @everyone. `ghl-bridge doctor`")]
MANY = [alert(f"hold:location{number}", f"Location {number} is on hold. " + "x" * 300) for number in range(100)]
LONG = [alert("overdue", "<&>" * 30_000)]


@pytest.mark.parametrize("form", sorted(SCHEMAS))
@pytest.mark.parametrize("alerts", [ONE, MANY, LONG], ids=["one", "many", "long"])
def test_a_form_fits_what_its_receiver_documents(form: Form, alerts: list[Alert]) -> None:
    """This holds for any number, length and content of alerts."""
    made = document(alerts, form)
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[form])
    jsonschema.validate(made, SCHEMAS[form])
    assert len(orjson.dumps(made)) <= TEAMS_BYTES or form != "teams"


def test_slack_shows_the_text_as_it_was() -> None:
    """Its three special characters are escaped, and no escape is cut."""
    text = document(ONE, "slack")["text"]
    assert html.unescape(text) == ONE[0].document["text"]
    assert re.findall(r"&(?!amp;|lt;|gt;)", document(LONG, "slack")["text"]) == []


def test_discord_calls_nobody() -> None:
    """No name in a text mentions anybody."""
    assert document(ONE, "discord")["allowed_mentions"] == {"parse": []}


def test_a_single_alert_keeps_its_fields() -> None:
    """Programs that read cause, state and time continue to work."""
    assert document(ONE, "json") == ONE[0].document


def test_several_alerts_are_one_document_with_each_of_them() -> None:
    """The text has the first ones and the number of the others."""
    made = document(MANY, "json")
    assert (made["cause"], made["state"], len(made["alerts"])) == ("hold", "begun", 100)
    assert made["text"].startswith("100 alerts:\nLocation 0 is on hold.")
    assert made["text"].endswith(f"and {100 - MOST_LINES} more")


def test_alerts_of_a_kind_are_told_together() -> None:
    """Alerts of other kinds wait, and so does the end of a problem that was not reported yet."""
    first, second, third = alert("hold:a"), alert("dead_letters"), alert("hold:b")
    ends, again = alert("hold:a", state="over"), alert("hold:a")
    assert together([first, second, third]) == (first, third)
    assert together([first, ends, again, third]) == (first, third)
    assert together([ends, again]) == (ends,)
    assert together([second, first]) == (second,)


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("https://hooks.slack.com/services/T/B/x", "slack"),
        ("https://discord.com/api/webhooks/1/x", "discord"),
        ("https://ptb.discord.com/api/webhooks/1/x", "discord"),
        ("https://prod-1.westeurope.logic.azure.com:443/workflows/x/triggers/manual/paths/invoke?sig=y", "teams"),
        ("https://default1.2.environment.api.powerplatform.com:443/powerautomate/x", "teams"),
        ("https://acme.webhook.office.com/webhookb2/x", "teams"),
        ("https://hooks.slack.com.evil.example/x", "json"),
        ("https://notdiscord.com/x", "json"),
        ("http://127.0.0.1:9000/alerts", "json"),
        ("", "json"),
    ],
)
def test_the_form_follows_the_address(url: str, form: Form) -> None:
    """The address decides, unless a format is set."""
    assert form_of("auto", url) == form
    assert form_of("teams", url) == "teams"
    assert set(SCHEMAS) | {"json"} == set(get_args(Form))
