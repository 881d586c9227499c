"""Two public pages: the front page of the host, and the rendered document of the admin API.

They show nothing about this install, except whether its console is enabled.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from bridge.operating.registry import OPERATIONS
from bridge.receiver.api.openapi import describe
from bridge.receiver.console.headers import Guarded
from bridge.receiver.console.pages import Page, Renderer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send


def front(*, is_open: bool) -> ASGIApp:
    """The page at `/`: what this server is, with links to console, API and documentation."""
    return _page(lambda: Renderer().render(Page("front.html", "", {"is_open": is_open})))


def api_docs() -> ASGIApp:
    """The rendered document of the admin API, without content from other hosts."""
    return _page(lambda: Renderer().render(Page("api_docs.html", "", _told())))


def _page(render: Any) -> ASGIApp:
    """An endpoint for a static page, rendered at the first request."""
    made = cache(render)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        await HTMLResponse(made())(scope, receive, send)

    return Guarded(serve)


def _told() -> dict[str, Any]:
    document = describe(OPERATIONS)
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            asked = [*_parameters(operation["parameters"]), *_fields("body", body)]
            answered = operation["responses"]["200"]["content"]["application/json"]["schema"]
            told = {"method": method.upper(), "path": f"/api/v1{path}", "fields": asked, "answer": kind(answered)}
            groups.setdefault(operation["tags"][0], []).append({**operation, **told})
    return {"info": document["info"], "groups": groups, "schemas": _records(document["components"]["schemas"])}


def _records(schemas: dict[str, Any]) -> dict[str, Any]:
    records = sorted(schemas.items())
    return {name: {"about": schema.get("description", ""), "fields": [*_fields("", schema)]} for name, schema in records}


def _parameters(parameters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in parameters:
        yield _field(each["name"], each["in"], each["schema"], needed=each["required"])


def _fields(place: str, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, each in schema.get("properties", {}).items():
        yield _field(name, place, each, needed=name in schema.get("required", ()))


def _field(name: str, place: str, schema: dict[str, Any], *, needed: bool) -> dict[str, Any]:
    return {"name": name, "place": place, "kind": kind(schema), "needed": needed, "about": schema.get("description", "")}


def kind(schema: dict[str, Any]) -> tuple[str, str]:
    """A schema's type as text, and the name of the schema that it refers to, if any."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return name, name
    choices = [kind(each) for each in schema.get("anyOf", ())]
    if choices:
        return " or ".join(word for word, _ in choices), next((name for _, name in choices if name), "")
    if schema.get("type") == "array":
        word, name = kind(schema.get("items", {}))
        return f"list of {word}", name
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        word, name = kind(schema["additionalProperties"])
        return f"mapping to {word}", name
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"])), ""
    return str(schema.get("const", schema.get("type", "anything"))), ""
