"""Conventions that nobody has to remember: sizes, and that texts are for people and decide nothing."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import LONGEST, TESTS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
MODULES = sorted(path for room in ("bridge", "workers") for path in (ROOT / room).rglob("*.py"))

MOST_LINES_OF_A_MODULE = 250
MOST_LINES_OF_A_FUNCTION = 40

# What errors, outcomes and findings say to people.
WORDS = {"error", "why", "says", "facts", "args"}
LOOKS = {"startswith", "endswith", "find", "index", "count", "match", "search", "fullmatch", "removeprefix", "removesuffix"}
# A sentence gets its full stop: its form, no decision.
FORM_ONLY = {"bridge/receiver/console/requests.py:_sentence"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_modules_stay_short() -> None:
    """A longer module contains more than one thing."""
    long = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: lines for name, lines in long.items() if lines >= MOST_LINES_OF_A_MODULE} == {}


def test_functions_stay_short() -> None:
    """A function has fewer than forty lines, without its docstring and inner functions."""
    long = [f"{name}:{each.name}" for name, each in _functions() if len(_own_lines(each)) >= MOST_LINES_OF_A_FUNCTION]
    assert long == []


def test_nothing_is_decided_by_the_words_of_an_error_or_an_outcome() -> None:
    """No comparison and no search uses the text of an error, an outcome or a finding: kinds and fields decide."""
    found = {f"{name}:{function.name}" for name, function in _functions() if _decides_by_words(function)}
    assert found - FORM_ONLY == set()
    assert found >= FORM_ONLY


def test_scripts_decide_nothing_by_words_either() -> None:
    """No Lua script compares or matches the text of an error, an outcome or a patch."""
    looks = re.compile(r"\b(?:error|why|says|facts)\b['\"\])]*\s*(?:[=~]=\s*['\"]|:(?:find|match|sub|gmatch)\()")
    scripts = sorted((ROOT / "bridge").rglob("*.lua"))
    assert len(scripts) > 40
    assert [path.name for path in scripts if looks.search(path.read_text(encoding="utf-8"))] == []


def test_a_decision_by_words_is_seen() -> None:
    """This holds for each notation: by attribute, by str(), through a variable, as a comparison, a search or a pattern."""
    decisions = [
        'return dead.error.startswith("outcome unknown")',
        'return "refused" in str(fault)',
        'words = str(fault).lower()\n    return words == "gone"',
        'return re.match("HTTP 5", fault.args[0])',
        'try:\n        act()\n    except ValueError as fault:\n        return f"{fault}" != "late"',
        'match dead.error:\n        case "outcome unknown":\n            return True',
    ]
    fine = ['return str(path).startswith("/")', "return Again(why=str(fault))", 'return dead.refused == "ghl"']

    def sees(body: str) -> bool:
        (function,) = ast.parse(f"def decide(dead: Dead, fault: Retryable | OSError, path: Path):\n    {body}").body
        assert isinstance(function, ast.FunctionDef)
        return _decides_by_words(function)

    assert [body for body in decisions if not sees(body)] == []
    assert [body for body in fine if sees(body)] == []


def _own_lines(function: Function) -> set[int]:
    lines = _lines(function)
    if ast.get_docstring(function) is not None:
        lines -= _lines(function.body[0])
    for node in ast.walk(function):
        if node is not function and isinstance(node, Function):
            lines -= _lines(node)
    return lines


def _lines(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))


@cache
def _trees() -> dict[str, ast.Module]:
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}


def _functions() -> Iterator[tuple[str, Function]]:
    for name, tree in _trees().items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield name, node


def _decides_by_words(function: Function) -> bool:
    faults = _faults(function)
    spoken: set[str] = set()

    def holds_words(node: ast.AST) -> bool:
        """Whether its value is such a text."""
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and part.attr in WORDS:
                return True
            if isinstance(part, ast.Name) and part.id in spoken:
                return True
            turned = _turned_into_text(part)
            if isinstance(turned, ast.Name) and turned.id in faults:
                return True
        return False

    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _is_text(node.value) and holds_words(node.value):
            spoken |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return any(holds_words(looked) for node in ast.walk(function) for looked in _looked_at(node))


def _faults(function: Function) -> set[str]:
    """The names of exceptions: caught ones, and parameters by their annotations."""
    caught = {node.name for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.name}
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    kinds = re.compile(r"Error|Exception|Retryable|Permanent|OutcomeUnknown|Unavailable|Refused|Busy|Down\b")
    return caught | {each.arg for each in arguments if each.annotation and kinds.search(ast.unparse(each.annotation))}


def _turned_into_text(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.FormattedValue):
        return node.value
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"str", "repr"}
    return node.args[0] if isinstance(node, ast.Call) and called and node.args else None


def _is_text(node: ast.AST) -> bool:
    """An expression that passes such a text on: not a call that makes something else of it."""
    if isinstance(node, ast.Call):
        return _turned_into_text(node) is not None or (isinstance(node.func, ast.Attribute) and _is_text(node.func.value))
    return isinstance(node, (ast.Attribute, ast.JoinedStr, ast.Name, ast.Subscript, ast.BinOp, ast.IfExp))


def _looked_at(node: ast.AST) -> Iterator[ast.AST]:
    """The object of a comparison with a text, a search or a match."""
    if isinstance(node, ast.Compare) and any(_is_constant_text(each) for each in (node.left, *node.comparators)):
        yield from (each for each in (node.left, *node.comparators) if not _is_constant_text(each))
    if isinstance(node, ast.Match) and any(
        isinstance(case.pattern, ast.MatchValue) and _is_constant_text(case.pattern.value) for case in node.cases
    ):
        yield node.subject
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOOKS:
        yield node.func.value
        yield from node.args[1:]


def _is_constant_text(node: ast.AST) -> bool:
    if isinstance(node, (ast.Tuple, ast.Set, ast.List)):
        return any(map(_is_constant_text, node.elts))
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != ""


def test_files_that_go_first_are_there() -> None:
    """A renamed file would be last again."""
    assert [name for name in LONGEST if not (TESTS / name).is_file()] == []
