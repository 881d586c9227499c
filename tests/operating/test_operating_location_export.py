"""`locations export`: a file that can be applied again, without any secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import NotKnown, WrongInput
from bridge.locations_file import read, revealed, tables_of
from bridge.operating.location_export import ExportQuery, export
from bridge.operating.locations import Apply, apply
from tests.stored import PROVIDED, locations_of

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations

FILES = {
    "nothing but an id": "[locations.Bare]\nmode = 'off'",
    "every kind of value": '''
[defaults]
mode = "draft"
debounce_seconds = 1.5
[locations.Full]
name = "Zahnärzte \\"Süd\\" # 1"
ghl_token = "pit-very-secret"
workflow_secret = "workflow-very-secret"
channels = ["SMS", "Email"]
types = { TYPE_NEW_CHAT = "Live_Chat" }
takeover_seconds = -1
required_tags = ["ai_test", "a \\\\ b"]
off_tags = []
contact_lookup = false
provider = "openai"
[locations.Full.openai]
base_url = "https://api.example.com/v1"
model = "m"
token = "openai-very-secret"
system_prompt = """

You answer for a dentist.\\r
Say \\"\\"\\" and \\\\ where it fits.
"""
[locations.Full.agencii]
attachments = [{ file_id = "f1", tools = [{ type = "file_search" }] }]
[locations.Full.agent_studio]
input_variables = { "a key" = "b" }
[locations.Full.handover]
''',
    "two of them": '[locations.A]\nmode = "off"\n[locations.B.assistable]\nassistant_id = "x"\ntoken = "t-very-secret"',
}


def stored(redis: Redis) -> dict[str, object]:
    """The settings of all locations, with their secrets."""
    return {each.location.id: revealed(each.location.model_dump()) for each in locations_of(redis).all()}


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_what_is_exported_can_be_applied_again(perform: Operations, redis: Redis, file: str) -> None:
    """Every setting stays, secrets included, and no secret is in the file."""
    perform(apply, Apply(locations=tables_of(read(file, {}))))
    before = stored(redis)

    toml = perform(export, ExportQuery()).toml

    assert "very-secret" not in toml
    perform(apply, Apply(locations=tables_of(read(toml, {})), prune=True))
    assert stored(redis) == before
    assert perform(export, ExportQuery()).toml == toml


def test_one_location_is_exported_alone(perform: Operations) -> None:
    """An unknown one is an error."""
    perform(apply, Apply(locations={"A": {**PROVIDED, "name": "one"}, "B": {**PROVIDED, "name": "two"}}))
    assert [each.id for each in read(perform(export, ExportQuery(location_id="B")).toml, {})] == ["B"]
    with pytest.raises(NotKnown, match="location C is not known"):
        perform(export, ExportQuery(location_id="C"))


STORED = {"stored": True}
REFUSED = {
    "no secret is stored": ({"ghl_token": STORED}, "locations.A.ghl_token: is { stored = true }, but no secret is stored"),
    "the location is new": ({"webhook": {"token": STORED}}, "locations.A.webhook.token: is { stored = true }, but no secret"),
    "no secret": ({"name": STORED}, "locations.A.name"),
    "the address is another one": (
        {"openai": {"base_url": "https://evil.example/v1", "token": STORED}},
        "locations.A.openai.token: is { stored = true }, but the address is another one",
    ),
}


@pytest.mark.parametrize(("table", "says"), REFUSED.values(), ids=REFUSED)
def test_a_secret_that_can_not_stay_is_named(perform: Operations, redis: Redis, table: dict[str, object], says: str) -> None:
    """Nothing is changed: a stored secret is only sent to the address that it was stored for."""
    perform(
        apply, Apply(locations={"A": {"mode": "off", "openai": {"base_url": "https://api.example/v1", "token": "very-secret"}}})
    )
    before = stored(redis)
    with pytest.raises(WrongInput) as refused:
        perform(apply, Apply(locations={"A": {"mode": "off", **table}}))
    assert says in str(refused.value)
    assert stored(redis) == before
