"""README, infra/env.example and the settings tell the same story."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from bridge.completion.providers import SERVICES
from bridge.locations import Location
from bridge.locations_file import read
from bridge.model import Reason
from bridge.settings import Settings

ROOT = Path(__file__).parent.parent
ALIASES = {str(field.alias): field.default for field in Settings.model_fields.values()}


RULES_HEADER = "| rule | setting | default | reason |"
SERVICES_HEADER = "| `provider` | asked at | remembers | posts by itself | keys of its table |"
# Where a message's content, its contact or its conversation speak against an answer.
GUARDS = [
    *sorted((ROOT / "bridge/policy").rglob("*.py")),
    ROOT / "bridge/answering/guarding.py",
    ROOT / "bridge/answering/case.py",
]
# What becomes of a message for another cause than a rule: its location was removed, its copy was answered.
NO_RULES = {"unknown_location", "duplicate"}


def test_readme_names_every_setting_and_no_other() -> None:
    """README's table has one row for each setting, with its default."""
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (\S+) \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert rows == {name: _in_readme(name, default) for name, default in ALIASES.items()}


def test_env_example_names_every_setting_and_no_other() -> None:
    """infra/env.example has one line for each setting, with its default, or off when it has none."""
    lines = re.findall(r"^(#?)([A-Z_]+)=(.*)$", (ROOT / "infra/env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for _, name, _ in lines} == set(ALIASES)
    assert len(lines) == len(ALIASES)
    assert {name: value for off, name, value in lines if not off} == {
        name: _as_text(default) for name, default in ALIASES.items() if _has_default(name, default)
    }


def test_every_promise_of_the_readme_is_kept_by_tests_that_exist() -> None:
    """Each row of "What is promised" names at least one test, and each test named there is a function of that file."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("### What is promised")[2].partition("\n###")[0]
    rows = section.partition("| promise | kept by |")[2].partition("\n\n")[0].splitlines()[2:]
    assert rows
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, test in named:
            assert re.search(rf"^(async )?def {test}\(", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.MULTILINE), test


def test_the_rules_of_the_readme_have_the_settings_defaults() -> None:
    """Each setting in the table of rules is one of a location's, with its default beside it."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("### When it does not answer")[2].partition("\n###")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in section.splitlines() if row.startswith("| ")]
    told = [(names, shown) for _, names, shown, _ in rows[1:] if "`" in names]
    assert len(told) > 8
    for names, shown in told:
        for name, value in zip(names.split(", "), shown.split(", ") if ", " in names else [shown], strict=True):
            default = Location.model_fields[name.strip("`")].default
            assert value == (_in_table(default) or "none"), name


def test_the_example_of_a_locations_file_has_every_key_and_no_other() -> None:
    """It can be applied; its [defaults] are the defaults, and its location and tables name the rest."""
    text = (ROOT / "infra/locations.example.toml").read_text(encoding="utf-8")
    (location,) = read(text, dict.fromkeys(re.findall(r'env = "(\w+)"', text), "secret"))
    document = tomllib.loads(text)
    own = document["locations"][location.id]
    assert {*document["defaults"], *own, "id"} == set(Location.model_fields)
    for name, value in document["defaults"].items():
        assert getattr(location, name) == Location.model_fields[name].default, (name, value)
    for table, settings in location.provider_tables():
        assert set(own[table]) == set(type(settings).model_fields)


def _in_table(default: object) -> str:
    if isinstance(default, tuple):
        return ", ".join(f"`{one}`" for one in default)
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _has_default(name: str, default: object) -> bool:
    return default not in {None, ""} and name != "GHL_WEBHOOK_KEYS"


def _in_readme(name: str, default: object) -> str:
    return f"`{_as_text(default)}`" if _has_default(name, default) else "unset"


def _as_text(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return str(int(default)) if isinstance(default, bool) else str(default)


def documents() -> str:
    """All that users read."""
    return "\n".join(
        path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *sorted((ROOT / "infra/docs").rglob("*.md"))]
    )


def rows_below(header: str) -> list[list[str]]:
    """The cells of each row of the tables with this header line."""
    tables = [part.partition("\n\n")[0] for part in documents().split(f"{header}\n")[1:]]
    assert tables, f"no table has the header {header}"
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for table in tables for row in table.splitlines()[1:]]


def test_each_provider_has_its_row() -> None:
    """The documents' table of completion services names those of the registry, and no other."""
    named = [row[0].strip("| `") for row in rows_below(SERVICES_HEADER)]
    assert sorted(named) == sorted(SERVICES)


def test_each_reason_that_a_rule_gives_has_its_row() -> None:
    """The table of rules names every reason with which a guard keeps the bridge silent, and none that doesn't exist."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in GUARDS]
    given = {reason for tree in trees for reason in _reasons(tree)}
    told = {reason for row in rows_below(RULES_HEADER) for reason in re.findall(r"`([a-z_]+)`", row[-1])}
    assert len(given) > 12
    assert told <= {reason.value for reason in Reason}
    assert {reason.value for reason in given} - NO_RULES == told


def _reasons(tree: ast.AST) -> list[Reason]:
    """The reasons of all `Skip(Reason.X, ...)` in a module."""
    skips = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Skip"]
    return [
        Reason[node.attr]
        for skip in skips
        for node in ast.walk(skip)
        if isinstance(node, ast.Attribute) and node.attr in Reason.__members__
    ]
