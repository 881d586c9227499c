"""Where Python runs Lua scripts, and with how many arguments, as far as the source shows it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
RUNS = {"run", "run_together"}


@dataclass(frozen=True, slots=True)
class Call:
    """`count` arguments are in the source; `more`: there are others, whose number is known only at run time."""

    script: str
    where: str
    count: int
    more: bool

    def __str__(self) -> str:
        return f"{self.script}-{self.where}"


@cache
def script_calls() -> list[Call]:
    """Every call of a script in the store and in the tests."""
    paths = sorted([*(ROOT / "bridge/store").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    read = {path: text for path, text in texts.items() if "register_script" in text or path.is_relative_to(ROOT / "bridge")}
    trees = {path: ast.parse(text) for path, text in read.items()}
    functions = {node.name: node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    found = []
    for path, tree in trees.items():
        registered = dict(_registered(tree))
        for scope in ast.walk(tree):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
                found += [
                    Call(script, f"{path.relative_to(ROOT)}:{at}", *_count(args, scope, functions))
                    for script, at, args in _calls(scope, registered)
                ]
    return found


def _registered(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Names and attributes that contain a script."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and (script := _script_of(node.value)):
            yield ast.unparse(node.targets[0]), script


def _script_of(node: ast.AST) -> str | None:
    """The script that `redis.register_script(script("name"))` registers."""
    match node:
        case ast.Call(func=ast.Attribute(attr="register_script"), args=[ast.Call(func=ast.Name(id="script"), args=[given])]):
            return str(given.value) if isinstance(given, ast.Constant) else None
    return None


def _calls(scope: ast.AST, registered: dict[str, str]) -> Iterator[tuple[str, int, ast.expr]]:
    """The script, the line and the arguments of each call, also of one that is passed on."""
    for node in ast.walk(scope):
        if not isinstance(node, ast.Call):
            continue
        script = _script_of(node.func) or registered.get(ast.unparse(node.func))
        handed = registered.get(ast.unparse(node.args[0])) if node.args else None
        given = next((keyword.value for keyword in node.keywords if keyword.arg == "args"), None)
        if script and given is not None:
            yield script, node.lineno, given
        elif handed and isinstance(node.func, ast.Attribute) and node.func.attr in RUNS:
            yield handed, node.lineno, node.args[1]
        elif handed and isinstance(node.func, ast.Attribute) and node.func.attr == "_write":
            yield handed, node.lineno, _through_write(node)


def _through_write(node: ast.Call) -> ast.expr:
    """`Lanes._write` passes lane, token, patch and retention, and its further arguments."""
    return ast.List([ast.Constant(None)] * 4 + node.args[3:], ast.Load())


def _count(args: ast.expr, scope: ast.AST, functions: dict[str, ast.FunctionDef]) -> tuple[int, bool]:
    """The number of visible arguments, and whether there are more."""
    match args:
        case ast.List(elts=given) | ast.Tuple(elts=given):
            counts = [_count(one.value, scope, functions) if isinstance(one, ast.Starred) else (1, False) for one in given]
            return sum(count for count, _ in counts), any(more for _, more in counts)
        case ast.Name(id=name):
            values = [value for node in ast.walk(scope) if (value := _assigned(node, name))]
            return _count(values[0], scope, functions) if len(values) == 1 else (0, True)
        case ast.Call(func=ast.Name(id=name)) if name in functions:
            returned = [node.value for node in ast.walk(functions[name]) if isinstance(node, ast.Return) and node.value]
            return _count(returned[0], functions[name], functions) if len(returned) == 1 else (0, True)
    return 0, True


def _assigned(node: ast.AST, name: str) -> ast.expr | None:
    """The values assigned to a variable here."""
    match node:
        case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
            return value
        case ast.AnnAssign(target=ast.Name(id=target), value=value) if target == name:
            return value
    return None
