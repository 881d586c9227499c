"""Writes locations as TOML that `locations_file` reads: what differs from the defaults; secrets are `{ stored = true }`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tomlkit
from pydantic import BaseModel, SecretStr

from bridge.locations import HandoverSettings, Location

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tomlkit.items import InlineTable, Item, Table

ABOUT = (
    "Keys that are missing have their default values. { stored = true } keeps the secret that the server has stored.",
    'For another server, write { env = "NAME" } or the secret itself instead.',
)


def written(locations: Iterable[Location]) -> str:
    """The text of a locations file; without a location only its comment."""
    document = tomlkit.document()
    for line in ABOUT:
        document.add(tomlkit.comment(line))
    tables = tomlkit.table(is_super_table=True)
    for location in locations:
        tables.add(location.id, _table(location))
    if tables:
        document.add(tomlkit.nl())
        document.add("locations", tables)
    return tomlkit.dumps(document)


def _table(location: Location) -> Table:
    """Plain keys first, because in TOML a key below a table's head belongs to that table."""
    usual, table = Location(id=location.id), tomlkit.table()
    tables = {key: value for key, value in location if isinstance(value, BaseModel)}
    for key, value in location:
        if key not in tables and value != getattr(usual, key):
            table.add(key, _item(value))
    for key, value in tables.items():
        default = getattr(usual, key)
        changed = _changed(value, default or HandoverSettings())
        if changed or default is None:
            part = tomlkit.table()
            for name, one in changed.items():
                part.add(name, _item(one))
            table.add(key, part)
    return table


def _changed(value: BaseModel, default: BaseModel) -> dict[str, Any]:
    return {name: one for name, one in value if one != getattr(default, name)}


def _item(value: Any) -> Item:
    match value:
        case SecretStr():
            return _inline({"stored": True})
        case BaseModel():
            return _inline(value.model_dump())
        case Mapping():
            return _inline(value)
        case list() | tuple():
            items = tomlkit.array()
            for one in value:
                items.append(_item(one))
            return items
        case str():
            return _text(str(value))
        case _:
            plain: Item = tomlkit.item(value)
            return plain


def _inline(value: Mapping[str, Any]) -> InlineTable:
    table = tomlkit.inline_table()
    for key, one in value.items():
        table.append(key, _item(one))
    return table


def _text(value: str) -> Item:
    """Text of several lines as such, unless it would be read back otherwise: TOML drops a line break at the beginning."""
    if "\n" in value:
        lines = tomlkit.string(value, multiline=True)
        if tomllib.loads(f"text = {lines.as_string()}")["text"] == value:
            return lines
    return tomlkit.string(value)
