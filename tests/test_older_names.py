"""Names in users' scripts continue to work: all names in `older_names.json`, from before the renames, exist."""

from __future__ import annotations

import ast
import json
import re
from enum import Enum
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from bridge import errors, metrics, model
from bridge.cli.commands import build
from bridge.locations import Location
from bridge.operating.local import OLDER_NAMES, LocalOperations
from bridge.operating.operation import Nothing, Operation
from bridge.operating.overview import overview
from bridge.operating.registry import OPERATIONS
from bridge.receiver.api.openapi import describe
from bridge.settings import Settings
from tests.operating.conftest import admin_services  # noqa: F401  # a fixture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.operating.services import AdminServices

ROOT = Path(__file__).parent.parent
# Commands with their options and arguments, settings, keys of the locations file, paths, parameters and fields of the admin API,
# operations, metrics with their labels, values of enums, log events with their keys: as they were before the renames.
OLDER: dict[str, Any] = json.loads((ROOT / "tests/older_names.json").read_text(encoding="utf-8"))


def commands(group: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, f"{path}{name} ")
        else:
            options = [word for one in each.params if one.param_type_name == "option" for word in one.opts + one.secondary_opts]
            yield path + name, options + [one.name for one in each.params if one.param_type_name == "argument"]


def location_keys(model: Any, path: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if hasattr(type(field.default), "model_fields"):
            yield from location_keys(type(field.default), f"{path}{name}.")
        else:
            yield path + name


def schema_fields(schema: dict[str, Any], known: dict[str, Any], seen: tuple[str, ...] = ()) -> Iterator[str]:
    """The paths of all fields of a schema: `locations.[].id`."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from () if name in seen else schema_fields(known[name], known, (*seen, name))
    for each in chain(schema.get("anyOf", ()), schema.get("allOf", ()), schema.get("oneOf", ())):
        yield from schema_fields(each, known, seen)
    for name, each in schema.get("properties", {}).items():
        yield from (name, *(f"{name}.{below}" for below in schema_fields(each, known, seen)))
    below = {"[]": schema.get("items"), "*": schema.get("additionalProperties")}
    for name, each in below.items():
        if isinstance(each, dict):
            yield from (f"{name}.{field}" for field in schema_fields(each, known, seen))
    for each in schema.get("prefixItems", ()):
        yield from (f"[].{field}" for field in schema_fields(each, known, seen))


def admin_api() -> Iterator[tuple[str, list[str]]]:
    document = describe(OPERATIONS)
    known = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            request = f"{method.upper()} {path}"
            yield f"{request} params", [f"{one['in']}:{one['name']}" for one in each.get("parameters", ())]
            for content in each.get("requestBody", {}).get("content", {}).values():
                yield f"{request} body", list(schema_fields(content["schema"], known))
            for status, answer in each["responses"].items():
                for content in answer.get("content", {}).values():
                    yield f"{request} {status}", list(schema_fields(content["schema"], known))


def log_events() -> Iterator[tuple[str, list[str]]]:
    """Every event that the code logs, with its keys."""
    for path in chain((ROOT / "bridge").rglob("*.py"), (ROOT / "workers").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="debug" | "info" | "warning" | "error" | "exception"), args=[first, *_]):
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        yield first.value, [one.arg for one in node.keywords if one.arg]


def together(pairs: Iterator[tuple[str, list[str]]]) -> dict[str, set[str]]:
    all_: dict[str, set[str]] = {}
    for name, words in pairs:
        all_.setdefault(name, set()).update(words)
    return all_


@cache
def names_now() -> dict[str, Any]:
    """What stands there now."""
    return {
        "commands": together(commands(typer.main.get_command(build()))),
        "settings": {str(field.alias) for field in Settings.model_fields.values()},
        "locations_keys": set(location_keys(Location)),
        "admin_api": together(admin_api()),
        "operations": {each.name: {f"{each.method} {each.path}"} for each in OPERATIONS},
        "metrics": {each.name: set(each.labels) for each in vars(metrics).values() if isinstance(each, metrics.Family)},
        "metrics_page": set(
            re.findall(r"ghl_bridge_[a-z_]+", (ROOT / "infra/docs/reference/metrics.md").read_text(encoding="utf-8"))
        ),
        "values": {
            name: {one.value for one in each}
            for name, each in vars(model).items()
            if isinstance(each, type) and issubclass(each, Enum)
        },
        "log_events": together(log_events()),
    }


@pytest.mark.parametrize("kind", OLDER)
def test_every_older_name_still_works(kind: str) -> None:
    """No command, option, setting, key, path, field, metric, label, value, log event or key of one is gone."""
    older, now = OLDER[kind], names_now()[kind]
    assert sorted(set(older) - set(now)) == []
    if isinstance(older, dict):
        words = {name: {each} if isinstance(each, str) else set(each) for name, each in older.items()}
        assert {name: each - now[name] for name, each in words.items() if each - now[name]} == {}


def test_a_received_message_is_also_counted_by_its_older_name(admin_services: AdminServices) -> None:  # noqa: F811
    """`accepted` of the overview is `received`, in this version."""
    seen = overview.run(admin_services, Nothing())
    assert {(each.received, each.accepted) for each in (seen.day, *seen.hours, *seen.minutes)} == {(0, 0)}


@pytest.mark.parametrize(("new", "older"), OLDER_NAMES.items())
def test_the_audit_log_names_a_renamed_error_as_before(admin_services: AdminServices, new: str, older: str) -> None:  # noqa: F811
    """The `outcome` of a failed change is the name that scripts know, in this version."""
    error = getattr(errors, new)

    def fail(services: AdminServices, asked: Nothing) -> Nothing:
        del services, asked
        raise error("failed")

    operation = Operation(name="fail", method="POST", path="/fail", run=fail, about=lambda _: ("One",))
    with pytest.raises(error):
        LocalOperations(admin_services, who="cli")(operation, Nothing())
    assert [each.outcome for each in admin_services.audit.page(skip=0, most=1)] == [older]
