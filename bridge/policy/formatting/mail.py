"""Markdown → the HTML of an e-mail, sanitised."""

from __future__ import annotations

from functools import cache
from html import escape
from itertools import takewhile
from typing import TYPE_CHECKING

import nh3
from markdown_it.token import Token

from bridge.policy.formatting.markdown import MOST_PARSED, Parser, clean
from bridge.policy.formatting.plain import spell_out, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from markdown_it.rules_core import StateCore

_SCHEMES = ("http://", "https://", "mailto:")
_TAGS = {"a", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "strong", "ul"}
_TABLE_TAGS = {"table", "tbody", "td", "th", "thead", "tr"}
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}


def from_markdown(text: str) -> str:
    """HTML that links only to http, https and mailto. Pictures become links, because loading one would reveal the reader."""
    source = clean(text)
    if len(source) > MOST_PARSED:
        return "<p>" + escape(source).replace("\n", "<br>") + "</p>"
    # The renderer escapes, and the rule above makes links safe; the sanitiser checks both again.
    return nh3.clean(
        _parser().render(source),
        tags=_TAGS | _TABLE_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel=None,
    ).strip()


@cache
def _parser() -> Parser:
    parser = Parser()
    parser.markdown.core.ruler.push("safe_links", _keep_links_safe)
    return parser


def _keep_links_safe(state: StateCore) -> None:
    for block in state.tokens:
        block.children = list(_safe(block.children)) if block.children else block.children


def _safe(tokens: Iterable[Token]) -> Iterator[Token]:
    rest = iter(tokens)
    for token in rest:
        if token.type == "link_open":
            yield from _link(str(token.attrs["href"]), list(takewhile(lambda token: token.type != "link_close", rest)))
        elif token.type == "image":
            yield from _link(str(token.attrs["src"]), token.children or [])
        else:
            yield token


def _link(address: str, label: Sequence[Token]) -> Iterator[Token]:
    label = [token for one in label for token in (one.children or [] if one.type == "image" else [one])]
    if not address.lower().startswith(_SCHEMES):
        yield Token("text", "", 0, content=spell_out(words(label), address))
        return
    yield Token("link_open", "a", 1, attrs={"href": address})
    yield from label or [Token("text", "", 0, content=spell_out("", address))]
    yield Token("link_close", "a", -1)
