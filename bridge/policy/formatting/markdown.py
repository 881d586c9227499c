"""A provider's text as Markdown tokens, parsed so that no word of ordinary text that looks like Markdown is lost."""

from __future__ import annotations

import re
from threading import Lock
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bridge.policy.formatting.emphasis import ends_a_clause, html_in_line, strong_beside_letters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline

# Thousands of open brackets take the parser quadratic time. No chat answer is longer; a longer text is not parsed.
MOST_PARSED = 40_000

# Every control character except \t and \n, surrogates, which no encoder accepts, and characters that only mark positions.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufff9-\ufffb]")
_ROW_OF_SIGNS = re.compile(r"[*_]{4,}")
_LANGUAGE = re.compile(r"\s*[\w+#.-]*\s*")
_LINE_BREAK_TAG = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)
_LINE_BREAKS = re.compile("\r\n?|[\u2028\u2029\x85]")

# Indented code and underlined headings are mostly ordinary text here, and so is "> 18 years"; a reference would remove "[Update]:
# done".
_NOT_MEANT = ("code", "lheading", "blockquote", "reference", "html_block", "html_inline")


class _AsWritten(MarkdownIt):
    """Markdown that doesn't change web addresses, except that `&amp;` becomes `&`."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's own name, here and below
        return url.replace("&amp;", "&")

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802
        return link.replace("&amp;", "&")


def clean(text: str) -> str:
    r"""The text with \n as its only line break and without control characters other than \t."""
    return _UNPRINTABLE.sub("", _LINE_BREAKS.sub("\n", text)).strip()


class Parser:
    """CommonMark with tables, which keeps line breaks and treats quotes as text; shared by all threads.

    Building it takes 0.6 ms and 0.2 MB, more than parsing an answer.
    """

    def __init__(self) -> None:
        self.markdown = _AsWritten("commonmark", {"breaks": True, "html": False, "linkify": True})
        self.markdown.enable(["table", "strikethrough"]).disable(_NOT_MEANT)
        # Addresses in the text are found first, so that their underscores are not emphasis.
        self.markdown.inline.ruler.enable("linkify")
        self.markdown.inline.ruler.before("autolink", "line_break", _break_line)
        self.markdown.inline.ruler.before("autolink", "html_in_line", html_in_line)
        self.markdown.inline.ruler.at("emphasis", strong_beside_letters)
        self.markdown.core.ruler.push("keep_rows_of_signs", _keep_rows_of_signs)
        self.markdown.core.ruler.push("keep_words_behind_fences", _keep_words_behind_fences)
        self.markdown.core.ruler.push("keep_stars_in_words", _keep_stars_in_words)
        # The link finder keeps state of the text that it searches.
        self._lock = Lock()

    def parse(self, text: str) -> list[Token]:
        """The text's tokens."""
        with self._lock:
            return self.markdown.parse(text)

    def render(self, text: str) -> str:
        """The text as HTML."""
        with self._lock:
            return str(self.markdown.render(text))


def _break_line(state: StateInline, silent: bool) -> bool:
    """Parse `<br>`, the only way to break a line in a table cell."""
    found = _LINE_BREAK_TAG.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


def _keep_rows_of_signs(state: StateCore) -> None:
    """Three stars are a divider, five are a rating, and a long line is a blank to fill in."""
    lines = state.src.split("\n")
    for index, token in reversed(list(enumerate(state.tokens))):
        if token.type == "hr" and token.map and (row := _ROW_OF_SIGNS.search(lines[token.map[0]])):
            inline = Token("inline", "", 0, map=token.map, content=row[0], children=[Token("text", "", 0, content=row[0])])
            state.tokens[index : index + 1] = [Token("paragraph_open", "p", 1), inline, Token("paragraph_close", "p", -1)]


def _keep_words_behind_fences(state: StateCore) -> None:
    """A single word after a fence is a language's name; several words are text to keep."""
    for token in state.tokens:
        if token.type == "fence" and not _LANGUAGE.fullmatch(token.info):
            token.content, token.info = f"{token.info.strip()}\n{token.content}", ""


def _keep_stars_in_words(state: StateCore) -> None:
    """Keep the stars of `2*3*4`: emphasis that begins or ends inside a word doesn't count. Strong: only next to a digit."""
    for block in state.tokens:
        tokens = block.children or []
        for begin, end in _emphases(tokens):
            is_em = tokens[begin].type == "em_open"
            in_word = str.isalnum if is_em else str.isdigit
            before, after = _edge(tokens, begin, step=-1), _edge(tokens, end, step=1)
            if not is_em and ends_a_clause(_edge(tokens, end, step=-1)):
                after = ""
            if any(character.isascii() and in_word(character) for character in (before, after)):
                tokens[begin], tokens[end] = _literal(tokens[begin]), _literal(tokens[end])


def _emphases(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    pairs, open_ = [], []
    for index, token in enumerate(tokens):
        if token.markup in {"*", "**"} and token.nesting:
            if token.nesting > 0:
                open_.append(index)
            else:
                pairs.append((open_.pop(), index))
    return pairs


def _edge(tokens: Sequence[Token], index: int, *, step: int) -> str:
    """The character next to the emphasis on that side; empty if there is none, or other markup."""
    index += step
    while 0 <= index < len(tokens) and tokens[index].type == "text":
        if content := tokens[index].content:
            return content[0 if step > 0 else -1]
        index += step
    return ""


def _literal(token: Token) -> Token:
    return Token("text", "", 0, content=token.markup)
