"""The locations file: converts TOML or JSON tables to checked settings and back, and names every fault with its key."""

from __future__ import annotations

import tomllib
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import BaseModel, SecretStr, ValidationError

from bridge.addresses import PLAIN_HTTP, may_be_asked
from bridge.errors import WrongInput
from bridge.locations import Location
from bridge.provider_tables import STORED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

# Example values for keys whose default is not a good example.
EXAMPLES = {
    "name": '"Acme Dental"',
    "ghl_token": '{ env = "ACME_GHL_TOKEN" }',
    "workflow_secret": '{ env = "ACME_WORKFLOW_SECRET" }',
    "required_tags": '["ai_test"]',
    "business_hours": '["mon-fri 09:00-17:30", "sat 10:00-13:00"]',
    "away_message": '"We are back at nine."',
    "failure_message": '"Somebody will write to you soon."',
    "dead_letter_tag": '"ai_failed"',
    "fallback_provider": '"openai"',
    "assistant_id": '"..."',
    "agent_id": '"..."',
    "api_integration_id": '"..."',
    "base_url": '"https://api.example.com/v1"',
    "url": '"https://n8n.example.com/webhook/abc/chat"',
    "model": '"..."',
    "token": '{ env = "ACME_TOKEN" }',
}
# Messages for TOML users instead of pydantic's.
KINDS = {
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list",
    "extra_forbidden": "is not a known key",
}
# Without these a provider can't be asked.
NEEDED = {
    "assistable": ("assistant_id",),
    "agencii": ("api_integration_id",),
    "openai": ("base_url", "model"),
    "webhook": ("url",),
    "agent_studio": ("agent_id",),
}


def missing(location: Location) -> list[tuple[str, str]]:
    """Missing keys that the location's providers need, each with an example line."""
    tables = dict(location.provider_tables())
    providers = [name for name in (location.provider, location.fallback_provider) if name]
    keys = [(name, key) for name in providers for key in NEEDED[name] if not getattr(tables[name], key)]
    return [(f"{name}.{key}", f"`{key} = {EXAMPLES[key]}` to [locations.{location.id}.{name}]") for name, key in keys]


def lacking(locations: Iterable[Location]) -> list[str]:
    """The faults of locations whose providers can't be asked, one sentence per key. With `mode = "off"` none is asked."""
    needs = [(one.id, key, example) for one in locations if one.mode != "off" for key, example in missing(one)]
    return [f"locations.{id_}.{key}: is needed: add {example}" for id_, key, example in needs]


def read(text: str, environ: Mapping[str, str]) -> tuple[Location, ...]:
    """Read a locations file. Raises WrongInput with one sentence per fault, each with its key.

    `environ` has the values for `{ env = "NAME" }`. What providers lack is named beside other faults; alone it is not raised.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WrongInput(f"the file is not TOML: {error}") from None
    faults = [
        f"{key}: is not a known table; only [defaults] and [locations.ID] are"
        for key in document.keys() - {"defaults", "locations"}
    ]
    defaults = _table("defaults", document.get("defaults", {}), faults)
    tables = _table("locations", document.get("locations", {}), faults)
    if not tables:
        faults.append("locations: no [locations.ID] table in the file")
    validate = partial(Location.model_validate, context={"environ": environ})
    locations = [
        _build(id_, _over(defaults, _table(f"locations.{id_}", table, faults)), validate, faults) for id_, table in tables.items()
    ]
    found = tuple(location for location in locations if location)
    if faults:
        raise WrongInput("\n".join([*faults, *lacking(found)]))
    return found


def check(tables: Mapping[str, dict[str, Any]]) -> tuple[Location, ...]:
    """Build locations from the tables of `tables_of`, or from JSON tables without `{ env = }`. Raises as `read`."""
    faults: list[str] = []
    locations = [_build(id_, table, _strictly, faults) for id_, table in tables.items()]
    found = tuple(location for location in locations if location)
    if faults:
        raise WrongInput("\n".join([*faults, *lacking(found)]))
    return found


def faults_of(id_: str, table: Mapping[str, Any], *, private_urls: bool) -> dict[str, str]:
    """What is wrong with one location's JSON table, by key: values, what its providers lack, and URLs, unless `private_urls`."""
    try:
        location = _strictly({**table, "id": id_})
    except ValidationError as error:
        return {_key(fault): _sentence(fault) for fault in error.errors(include_input=False)}
    needed = {key: "is needed" for key, _ in missing(location)}
    refused = () if private_urls else _urls(location)
    return needed | {f"{name}.{key}": PLAIN_HTTP for name, key, url in refused if url and not may_be_asked(url)}


def schema(ref: str) -> dict[str, Any]:
    """The JSON schema of one location's table, its parts under `$defs`; `ref` is the template of references to them."""
    found = Location.model_json_schema(ref_template=ref)
    del found["properties"]["id"], found["required"]
    return {**found, "title": "LocationTable"}


def unencrypted(locations: Iterable[Location]) -> list[str]:
    """The faults of provider URLs that would send a token unencrypted to another machine, one sentence per key."""
    return [
        f"locations.{one.id}.{table}.{key}: {PLAIN_HTTP}"
        for one in locations
        for table, key, url in _urls(one)
        if url and not may_be_asked(url)
    ]


def _urls(one: Location) -> Iterator[tuple[str, str, str]]:
    for table, settings in one.provider_tables():
        for key in ("url", "base_url"):
            yield table, key, getattr(settings, key, "")


def tables_of(locations: Iterable[Location]) -> dict[str, dict[str, Any]]:
    """The table of each location without default values and with plain secrets, ready for JSON."""
    return {one.id: revealed(one.model_dump(exclude={"id"}, exclude_unset=True)) for one in locations}


def revealed(value: Any) -> Any:
    """The value with secrets as plain texts; one that is stored stays `{"stored": true}`."""
    if isinstance(value, dict):
        return {name: revealed(one) for name, one in value.items()}
    if not isinstance(value, SecretStr):
        return value
    secret = value.get_secret_value()
    return {"stored": True} if secret == STORED else secret


def _table(name: str, value: object, faults: list[str]) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    faults.append(f"{name}: is not a table")
    return {}


def _over(defaults: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """Merge a location's table into the defaults, provider tables key by key; `{ env = ... }` is one value."""
    merged = {**defaults, **table}
    for key in defaults.keys() & table.keys():
        if isinstance(defaults[key], dict) and isinstance(table[key], dict) and set(table[key]) != {"env"}:
            merged[key] = {**defaults[key], **table[key]}
    return merged


def _strictly(table: dict[str, Any]) -> Location:
    """Validate strictly, as JSON: texts and flags are not converted to numbers."""
    return Location.model_validate_json(orjson.dumps(table), strict=True)


def _build(id_: str, table: dict[str, Any], validate: Callable[[dict[str, Any]], Location], faults: list[str]) -> Location | None:
    if "id" in table:
        faults.append(f"locations.{id_}.id: is not a known key; the id is the table's name")
    try:
        return validate({**table, "id": id_})
    except ValidationError as error:
        faults += [f"locations.{id_}.{_key(fault)}: {_sentence(fault)}" for fault in error.errors(include_input=False)]
        return None


def _key(fault: ErrorDetails) -> str:
    return ".".join(str(part) for part in fault["loc"])


def _sentence(fault: ErrorDetails) -> str:
    sentence = KINDS.get(fault["type"]) or fault["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    example = _example(fault["loc"])
    return f"{sentence}, for example `{example}`" if example and fault["type"] in KINDS else sentence


def _example(place: tuple[int | str, ...]) -> str:
    """An example line for the key, with the default value if it is a good example."""
    names = [part for part in place if isinstance(part, str)]
    table: type[BaseModel] = Location
    if len(names) > 1 and isinstance(default := Location.model_fields[names[0]].default, BaseModel):
        table = type(default)
    field = table.model_fields.get(names[-1]) if names else None
    if field is None:
        return ""
    told = orjson.dumps(field.default).decode() if isinstance(field.default, str | int | float | tuple) else ""
    value = EXAMPLES.get(names[-1]) or told
    return f"{names[-1]} = {value}" if value else ""
