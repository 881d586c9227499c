"""The OpenAPI document, built from the registry of operations and the dataclasses of their inputs and results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from bridge.locations_file import schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.operating.operation import Operation

REF = "#/components/schemas/{model}"
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "description": "The kind of error, for programs."},
                "message": {"type": "string", "description": "What happened and what to do next, for people."},
            },
        }
    },
}
ABOUT = """The operations of the command line, over HTTP: locations, dead letters, explanations, and an audit log of all changes.
Send `Authorization: Bearer` with the server's BRIDGE_ADMIN_TOKEN, or with the token of a named operator."""


def describe(operations: Iterable[Operation[Any, Any]]) -> dict[str, Any]:
    """Build the document (OpenAPI 3.1)."""
    table = list(operations)
    answers, defined = TypeAdapter.json_schemas(
        [(each.name, "serialization", TypeAdapter(each.answers)) for each in table], ref_template=REF
    )
    location = schema(REF)
    paths: dict[str, dict[str, Any]] = {}
    for each in table:
        answered = answers[each.name, "serialization"]
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, answered)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ghl-bridge admin API", "version": "1", "description": ABOUT},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**location.pop("$defs", {}), **defined.get("$defs", {}), "LocationTable": location, "Error": ERROR},
        },
    }


def _operation(operation: Operation[Any, Any], answered: Any) -> dict[str, Any]:
    asked = TypeAdapter(operation.asks).json_schema(ref_template=REF)
    places = [("path", name) for name in operation.in_path] + [("query", name) for name in operation.in_query]
    # A body without required fields may be omitted.
    needed = not set(operation.in_body).isdisjoint(asked.get("required", ()))
    body = {"required": needed, "content": {"application/json": {"schema": _body(asked, operation.in_body)}}}
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.name.partition(".")[0]],
        "parameters": [_parameter(name, place, asked) for place, name in places],
        **({"requestBody": body} if operation.in_body else {}),
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": answered}}},
            "default": {
                "description": "The operation failed, with the reason.",
                "content": {"application/json": {"schema": {"$ref": REF.format(model="Error")}}},
            },
        },
    }


def _parameter(name: str, place: str, asked: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": place, "required": name in asked.get("required", []), "schema": asked["properties"][name]}


def _body(asked: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": asked.get("description", ""),
        "properties": {name: _property(asked["properties"][name]) for name in names},
        "required": [name for name in names if name in asked.get("required", [])],
        "additionalProperties": False,
    }


def _property(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of one field; `each` names the schema of a mapping's values, which pydantic doesn't know."""
    each = schema.pop("each", None)
    return {**schema, "additionalProperties": {"$ref": REF.format(model=each)}} if each else schema
