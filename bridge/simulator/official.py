"""GHL's published API description, used to validate requests (and, in tests, the simulator's answers)."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Any

import orjson
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from bridge.simulator.overlays import AGENT_STUDIO, CONTACTS, CONVERSATION_AI, CONVERSATIONS, OAUTH, OVERLAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jsonschema.exceptions import ValidationError
    from referencing import Resource

_COMMON = "common-schemas.json"
# So that references of the form ../common/common-schemas.json resolve.
_ADDRESSES = {
    CONVERSATIONS: f"https://ghl.example/apps/{CONVERSATIONS}",
    CONTACTS: f"https://ghl.example/apps/{CONTACTS}",
    CONVERSATION_AI: f"https://ghl.example/apps/{CONVERSATION_AI}",
    AGENT_STUDIO: f"https://ghl.example/apps/{AGENT_STUDIO}",
    OAUTH: f"https://ghl.example/apps/{OAUTH}",
    _COMMON: f"https://ghl.example/common/{_COMMON}",
}


class Official:
    """The description with its overlays, ready to validate."""

    def __init__(self) -> None:
        self._documents = {name: _document(name) for name in _ADDRESSES}
        self._query_overlays: dict[tuple[str, str], Any] = {}
        for file, path, value in OVERLAYS:
            self._lay(file, path, value)
        loaded = ((_ADDRESSES[name], _resource(document)) for name, document in self._documents.items())
        self._registry: Registry[Any] = Registry().with_resources(loaded)
        self._judges: dict[tuple[str, str], Draft202012Validator] = {}
        self._queries: dict[str, Draft202012Validator] = {}

    def faults_of(self, file: str, schema: str, value: Any) -> list[str]:
        """The errors of a body, in GHL's words; empty if it is valid."""
        return _faults(self._judge(file, schema), value)

    def faults_of_query(self, file: str, path: str, query: Mapping[str, str]) -> list[str]:
        """The errors of a GET's query; empty if it is valid."""
        judge = self._query_judge(file, path)
        properties = judge.schema["properties"]  # type: ignore[index]  # built as an object, a line above
        value = {key: _number_if_described(text, properties.get(key, {})) for key, text in query.items()}
        return _faults(judge, value)

    def _judge(self, file: str, schema: str) -> Draft202012Validator:
        key = (file, schema)
        if key not in self._judges:
            reference = {"$ref": f"{_ADDRESSES[file]}#/components/schemas/{schema}"}
            self._judges[key] = Draft202012Validator(reference, registry=self._registry)
        return self._judges[key]

    def _query_judge(self, file: str, path: str) -> Draft202012Validator:
        if path not in self._queries:
            described = self._documents[file]["paths"][path]["get"]["parameters"]
            parameters = [parameter for parameter in described if parameter["in"] == "query"]
            self._queries[path] = Draft202012Validator(self._query_schema(path, parameters))
        return self._queries[path]

    def _query_schema(self, path: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {each["name"]: self._query_overlays.get((path, each["name"]), each["schema"]) for each in parameters},
            "required": [each["name"] for each in parameters if each.get("required")],
        }

    def _lay(self, file: str, path: tuple[str | int, ...], value: Any) -> None:
        if path[0] == "query":
            self._query_overlays[str(path[1]), str(path[2])] = value
            return
        place: Any = self._documents[file]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value


def _document(name: str) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(resources.files(__package__).joinpath("openapi", name).read_bytes())
    return document


def _resource(document: dict[str, Any]) -> Resource[Any]:
    return DRAFT202012.create_resource(document)


def _number_if_described(text: str, schema: dict[str, Any]) -> str | float:
    if schema.get("type") != "number":
        return text
    try:
        return float(text)
    except ValueError:
        return text


def _faults(judge: Draft202012Validator, value: Any) -> list[str]:
    # The validator reports each missing property as a separate error that names all of them.
    return list(dict.fromkeys(message for error in judge.iter_errors(value) for message in _messages(error)))


def _messages(error: ValidationError) -> list[str]:
    place = ".".join(str(step) for step in error.absolute_path)
    schema: Any = error.schema
    demanded: Any = error.validator_value
    given: Any = error.instance
    match error.validator:
        case "additionalProperties":
            unknown = [key for key in given if key not in schema["properties"]]
            return [f"property {key} should not exist" for key in unknown]
        case "required":
            missing = [key for key in demanded if key not in given]
            return [f"{key} should not be empty" for key in missing]
        case "type":
            return [f"{place or 'body'} must be a {demanded}"]
        case "enum":
            return [f"{place} must be one of the following values: {', '.join(map(str, demanded))}"]
        case _:
            return [f"{place}: {error.message}"]
