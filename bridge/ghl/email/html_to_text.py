"""Converts an e-mail's HTML to lines of text; a quote becomes a line with only `>`."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from selectolax.lexbor import LexborHTMLParser

from bridge.ghl.email.header_labels import FROM, KIND_OF_LABEL, SENT, TO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selectolax.lexbor import LexborNode

# The new text comes first.
MAX_HTML = 100_000

# Each open element costs the parser time at every further tag, and no normal e-mail nests so deeply: deeper tags become <br>.
_MAX_OPEN = 300
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})

_HEAD = re.compile(r"\s*(?:<!doctype[^>]*>\s*)?(?:<html[^>]*>\s*)?<head[\s>]", re.IGNORECASE)
_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
_UNSEEN = frozenset({"head", "script", "style", "title", "noscript", "svg", "object", "iframe", "select"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tr", "ul"}
)
_CELLS = frozenset({"td", "th"})
_MARKED = frozenset({"div", "span", "blockquote", "hr"})
# How mail programs mark quotes: Thunderbird, Yahoo, Proton Mail, Zoho, and Gmail's line above the quote.
_QUOTE_CLASSES = frozenset(
    {"moz-cite-prefix", "moz-forward-container", "yahoo_quoted", "protonmail_quote", "zmail_extra", "gmail_attr"}
)
# Outlook (web, new, Mac, and the older Hotmail) marks only where history begins: everything after it is history.
_HISTORY_IDS = (
    "divRplyFwdMsg",
    "appendonsend",
    "OLK_SRC_BODY_SECTION",
    "mail-editor-reference-message-container",
    "stopSpelling",
)

# A newsletter's preheader, and other hidden text. Not font-size:0, which removes gaps between columns.
_HIDDEN = re.compile(
    r"(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|mso-hide:all|opacity:0(?:\.0+)?|max-height:0(?:\.0+)?(?:px|pt|em|%)?)"
    r"(?:!important)?(?:;|$)",
    re.IGNORECASE,
)

# Adjacent edges of blocks make one line break together, each <br> makes its own; browsers ignore a <br> before an edge.
_EDGE = "\x1e"
_EDGES = re.compile(f" ?\n? ?(?:{_EDGE} ?)+")
_QUOTE = f"{_EDGE}>{_EDGE}"
_CSS_BLANKS = re.compile(r"\s+|/\*.*?\*/")
_SPACES = re.compile(r"[ \t\r\n\f]+")


class Document:
    """Parsed HTML. With `keep_line_breaks`, line breaks in the source count, as in plain text to which only links were added."""

    def __init__(self, html: str, *, keep_line_breaks: bool = False) -> None:
        # Outlook's head alone can be longer than the limit, and it contains no text.
        head = _HEAD.match(html) and _HEAD_END.search(html)
        self._root = LexborHTMLParser(_flattened(html[head.end() if head else 0 :][:MAX_HTML])).root
        self._keep_line_breaks = keep_line_breaks

    def text(self, *, with_quotes: bool) -> str:
        """Return the text in lines, not stripped. Without quotes, each quote is a line `>`, and Outlook's history is removed."""
        pieces = _pieces(self._root, preformatted=self._keep_line_breaks, with_quotes=with_quotes) if self._root else ()
        return _EDGES.sub(_EDGE, "".join(pieces)).replace(_EDGE, "\n")


def _flattened(html: str) -> str:
    """The HTML with a limited depth of nesting, in one pass over its tags."""
    opened: Counter[str] = Counter()

    def counted(tag: re.Match[str]) -> str:
        name = tag[2].lower()
        if name in _VOID:
            return tag[0]
        if tag[1]:
            opened[name] -= opened[name] > 0
        elif opened.total() >= _MAX_OPEN:
            return "<br"
        else:
            opened[name] += 1
        return tag[0]

    return _TAG.sub(counted, html)


def _pieces(root: LexborNode, *, preformatted: bool, with_quotes: bool) -> Iterator[str]:
    # An explicit stack, because HTML may be nested deeper than Python's recursion limit.
    waiting: list[tuple[LexborNode | str, bool]] = [(root, preformatted)]
    while waiting:
        node, preformatted = waiting.pop()
        if isinstance(node, str):
            yield node
        elif node.is_text_node:
            content = node.text_content or ""
            yield content if preformatted else _SPACES.sub(" ", content)
        elif not with_quotes and _begins_history(node):
            return
        elif not with_quotes and _is_quote(node):
            yield _QUOTE
        else:
            before, after = _around(node)
            yield before
            waiting.append((after, preformatted))
            waiting.extend(_children(node, preformatted=preformatted))


def _around(node: LexborNode) -> tuple[str, str]:
    tag = node.tag
    if tag == "br":
        return "\n", ""
    if tag == "img":
        # Gmail sends emojis from its picker as images.
        attributes = node.attributes
        return (attributes.get("alt") or "" if "data-emoji" in attributes else ""), ""
    if tag in _BLOCKS:
        return _EDGE, _EDGE
    return ("", " ") if tag in _CELLS else ("", "")


def _children(node: LexborNode, *, preformatted: bool) -> list[tuple[LexborNode, bool]]:
    if node.tag in _UNSEEN or _is_hidden(node):
        return []
    preformatted = preformatted or node.tag == "pre"
    return [(child, preformatted) for child in node.iter(include_text=True)][::-1]


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return "hidden" in attributes or _HIDDEN.search(_CSS_BLANKS.sub("", attributes.get("style") or "")) is not None


def _begins_history(node: LexborNode) -> bool:
    if node.tag not in _MARKED:
        return False
    attributes = node.attributes
    return (attributes.get("id") or "").endswith(_HISTORY_IDS) or _is_outlook_header(node, attributes.get("style") or "")


def _is_outlook_header(node: LexborNode, style: str) -> bool:
    # Outlook for Windows draws a line above From:, Sent:, To:, and may name no address there.
    if "border-top" not in style:
        return False
    kinds, before = set(), ""
    for part in islice(node.traverse(include_text=True), 60):
        if part.is_text_node and (text := (part.text_content or "").strip()):
            if text.endswith((":", "：")):
                kinds.add(KIND_OF_LABEL.get((text.rstrip(":： \u00a0") or before).casefold()))
            before = text
    return {FROM, SENT, TO} <= kinds


def _is_quote(node: LexborNode) -> bool:
    if node.tag not in _MARKED:
        return False
    attributes = node.attributes
    classes = set((attributes.get("class") or "").split())
    if node.tag == "blockquote":
        # Gmail's indent button makes a blockquote too, but without a border.
        return "border:none" not in (attributes.get("style") or "").replace(" ", "")
    # In a Gmail reply, answers between quotes are inside gmail_quote, so only that of a forward is removed as a whole.
    return bool(classes & _QUOTE_CLASSES) or attributes.get("name") == "quote" or ("gmail_quote" in classes and _is_forward(node))


def _is_forward(node: LexborNode) -> bool:
    texts = (part.text_content or "" for part in islice(node.traverse(include_text=True), 10) if part.is_text_node)
    return next((text for text in texts if text.strip()), "").lstrip().startswith("-----")
