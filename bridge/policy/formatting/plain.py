"""Markdown → plain text, as a person would type it on a phone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING

from bridge.policy.formatting.markdown import MOST_PARSED, Parser, clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it.token import Token

_SCHEME = re.compile(r"(?:https?://(?:www\.)?|mailto:|tel:)", re.IGNORECASE)
_ENDS_CLAUSE = (":", ".", "?", "!", ",", ";", "…")


def from_markdown(text: str) -> str:
    """The words of `text` without its markup.

    Links become "text: address", rows of a table "head: cell, head: cell"; lists, quotes and blank lines are not changed.
    """
    source = clean(text)
    if len(source) > MOST_PARSED:
        return source
    lines, pieces = source.split("\n"), [""]
    last, apart = 0, False
    for line, piece in _pieces(_parser().parse(source)):
        apart = apart or not piece or not lines[line - 1].strip()
        if piece:
            # A block on the same line as the previous one comes after that one's list marker.
            pieces += [piece.lstrip()] if line == last else ["\n\n" if apart else "\n", piece]
            last, apart = line, False
    return "\n".join(line.rstrip() for line in "".join(pieces).split("\n")).strip()


@cache
def _parser() -> Parser:
    return Parser()


@dataclass(slots=True)
class _List:
    """An open list: the number of items so far, and the number of the first item."""

    items: int = 0
    first: str = ""

    def marker(self, item: Token) -> str:
        """The marker of an item. A list written as 1. 1. 1. is renumbered, any other keeps its numbers."""
        if not item.info:
            return "- " if item.markup == "*" else f"{item.markup} "
        self.items += 1
        if self.items > 1 and item.info == self.first:
            return f"{int(item.info) + self.items - 1}{item.markup} "
        self.first = self.first or item.info
        return f"{item.info}{item.markup} "


def _pieces(tokens: Iterable[Token]) -> Iterator[tuple[int, str]]:
    """The text's blocks and list markers, each with its first line. A divider is an empty block."""
    rest = iter(tokens)
    lists: list[_List] = []
    for token in rest:
        line = token.map[0] if token.map else 0
        match token.type:
            case "inline":
                yield line, words(token.children or [])
            case "fence":
                yield line, token.content.rstrip("\n")
            case "hr":
                yield line, ""
            case "table_open":
                yield line, _table(takewhile(lambda token: token.type != "table_close", rest))
            case "list_item_open":
                yield line, "  " * (len(lists) - 1) + lists[-1].marker(token)
            case "bullet_list_open" | "ordered_list_open":
                lists.append(_List())
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()


def words(tokens: Iterable[Token]) -> str:
    """The text of a block's inline tokens."""
    pieces: list[str] = []
    links: list[tuple[int, str]] = []
    for token in tokens:
        match token.type:
            case "text" | "code_inline":
                pieces.append(token.content)
            case "softbreak" | "hardbreak":
                pieces.append("\n")
            case "image":
                label = words(token.children or [])
                pieces.append(label if links else spell_out(label, str(token.attrs["src"])))
            case "link_open":
                links.append((len(pieces), str(token.attrs["href"])))
            case "link_close":
                begin, address = links.pop()
                pieces[begin:] = [spell_out("".join(pieces[begin:]), address)]
    return "".join(pieces)


def spell_out(label: str, address: str) -> str:
    """Write a link as "label: address", or only the address if the label repeats it. `data:` addresses are omitted."""
    label, target = label.strip(), _SCHEME.sub("", address).rstrip("/")
    if address.startswith("data:") or not target:
        return label
    shown = address if address.lower().startswith("http") else target
    if not label or re.fullmatch(r"\S+://\S+", label) or _SCHEME.sub("", label).rstrip("/").casefold() == target.casefold():
        return shown
    return f"{label} {shown}" if label.endswith(_ENDS_CLAUSE) else f"{label}: {shown}"


def _table(tokens: Iterable[Token]) -> str:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(words(token.children or []))
    head, *body = rows
    return "\n".join(_row(head, cells) for cells in body) if body else ", ".join(filter(None, head))


def _row(head: list[str], cells: list[str]) -> str:
    return ", ".join(f"{title}: {cell}" if title else cell for title, cell in zip(head, cells, strict=True) if cell)
