"""Settings, rules, reasons, states and guarantees: documents and code agree."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import get_args

from bridge.completion.providers import SERVICES
from bridge.locations import Location
from bridge.locations_file import read
from bridge.model import NO_REPLY_REASONS, Reason, SendState, Status
from bridge.operating.sentences import SENTENCES
from bridge.settings import Settings
from bridge.store.limits.circuits import CircuitState

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "infra/docs"
ALIASES = {str(field.alias): field.default for field in Settings.model_fields.values()}
# A dead letter that comes back by itself says so without a sentence of its own.
STEPS = set(SENTENCES) | {"replayed"}
# What whoever deploys writes.
MADE = {"infra/docker/.env"}
# Files with comments that may point elsewhere.
COMMENTED = {".py", ".lua", ".sh", ".yaml", ".toml", ".conf", ".service"}
# Where a message's content, its contact or its conversation speak against an answer.
GUARDS = [
    *sorted((ROOT / "bridge/policy").rglob("*.py")),
    ROOT / "bridge/answering/guarding.py",
    ROOT / "bridge/answering/case.py",
    ROOT / "bridge/answering/other_bot.py",
    ROOT / "bridge/answering/rollback_look.py",
]
# What becomes of a message for another cause than a rule: its location was removed, its copy was answered.
NO_RULES = {Reason.UNKNOWN_LOCATION, Reason.DUPLICATE}


def page(name: str) -> str:
    """A page of the documentation."""
    return (DOCS / name).read_text(encoding="utf-8")


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its header."""
    table = f"\n{text}".partition(f"\n{heading}\n")[2].partition("\n|")[2].partition("\n\n")[0].splitlines()[2:]
    assert table, heading
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row[1:-1])] for row in table]


def states(name: str) -> set[str]:
    """The states of a diagram in states.md."""
    diagram = page("explanation/states.md").partition(f"\n## {name}\n")[2].partition("```mermaid\n")[2].partition("```")[0]
    arrows = re.findall(r"^ +(\S+) --> ([^:\s]+)", diagram, re.MULTILINE)
    assert arrows
    return {state for arrow in arrows for state in arrow} - {"[*]"}


def test_the_readme_is_short() -> None:
    """It stays within 12 KB: longer topics have their own page."""
    assert (ROOT / "README.md").stat().st_size <= 12 * 1024


def test_env_example_names_every_setting_and_no_other() -> None:
    """infra/env.example has one line per setting, with its default, or off if it has none."""
    lines = re.findall(r"^(#?)([A-Z_]+)=(.*)$", (ROOT / "infra/env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for _, name, _ in lines} == set(ALIASES)
    assert len(lines) == len(ALIASES)
    assert {name: value for off, name, value in lines if not off} == {
        name: _as_text(default) for name, default in ALIASES.items() if _has_default(name, default)
    }


def test_every_promise_is_kept_by_tests_that_exist() -> None:
    """Each row of the delivery guarantees names at least one test, and each test named there is a function of that file."""
    promises = rows(page("explanation/promises.md"), "# Delivery guarantees")
    assert len(promises) > 30
    for row in promises:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row[1])
        assert named, row
        for file, test in named:
            assert re.search(rf"^(async )?def {test}\(", (ROOT / "tests" / file).read_text(encoding="utf-8"), re.MULTILINE), test


def test_the_rules_have_the_settings_defaults() -> None:
    """Each setting in the table of rules is one of a location's, with its default."""
    told = [(names, shown) for _, names, shown, _ in rows(page("reference/reasons.md"), "## Rules") if "`" in names]
    assert len(told) > 8
    for names, shown in told:
        for name, value in zip(names.split(", "), shown.split(", ") if ", " in names else [shown], strict=True):
            default = Location.model_fields[name.strip("`")].default
            assert value == (_in_table(default) or "none"), name


def test_every_reason_is_explained() -> None:
    """Each has its row, which says whether it is a provider's missing reply; one of a rule is in the table of rules."""
    text = page("reference/reasons.md")
    found = {reason.strip("`"): status for reason, _, status in rows(text, "## Reasons")}
    assert set(found) == set(Reason)
    assert {reason for reason, status in found.items() if status == "no_reply"} == set(NO_REPLY_REASONS)
    by_rules = {row[3].strip("`") for row in rows(text, "## Rules")}
    assert _given_by_guards() == by_rules - {""}


def _given_by_guards() -> set[Reason]:
    """The reasons of rules, except those of what ended for another cause."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in GUARDS]
    return {reason for tree in trees for reason in _reasons(tree)} - NO_RULES


def _reasons(tree: ast.AST) -> list[Reason]:
    """The reasons of all `Skip(Reason.X, ...)` in a module."""
    skips = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Skip"]
    return [
        Reason[node.attr]
        for skip in skips
        for node in ast.walk(skip)
        if isinstance(node, ast.Attribute) and node.attr in Reason.__members__
    ]


def test_every_provider_is_described_and_held_to_be_pure() -> None:
    """Each has its row in the table of completion services, and its module is in the contract of what does no I/O."""
    described = {row[0].strip("`") for row in rows(page("reference/completion-services.md"), "# Completion services")}
    assert described == set(SERVICES)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    pure = [each["source_modules"] for each in contracts if {"httpx", "redis"} <= set(each.get("forbidden_modules", ()))]
    covered = {module for modules in pure for module in modules}
    modules = {build.__module__ for build in SERVICES.values()}
    assert all(any(module == one or module.startswith(f"{one}.") for one in covered) for module in modules), modules - covered


def test_every_step_of_a_timeline_is_explained() -> None:
    """The page has each step that has a sentence, and no other."""
    table = rows(page("reference/timeline-steps.md"), "# Timeline steps")
    assert {step for row in table for step in re.findall(r"`(\w+)`", row[0])} == STEPS


def test_the_diagrams_show_the_states_that_there_are() -> None:
    """Message, send and circuit have the states of the code."""
    assert states("Message") == set(Status)
    assert states("Send") == set(SendState)
    assert states("Circuit") == set(get_args(CircuitState))


def test_the_diagrams_name_scripts_that_there_are() -> None:
    """A lane's and a grant's transitions name existing scripts, and a renewal ends as its script says."""
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "bridge/store").rglob("*.lua")}
    text = page("explanation/states.md")
    lane = text.partition("## Lane\n")[2].partition("## Circuit\n")[0]
    grant = text.partition("## Grant\n")[2]
    named = {"accept", "replay", "claim", "unclaim", "lease", "renew", "record", "release", "give_back"}
    assert all(re.search(rf": [^:]*\b{name}\b", lane) for name in named)
    assert named | set(re.findall(r"\bgrant_\w+", grant)) <= set(scripts)
    how = re.search(r"\bhow: (.*)$", scripts["grant_end"], re.MULTILINE)
    assert how
    ends = {one.strip().partition(" ")[0] for one in how[1].split("|")}
    assert states("Grant") == {"valid", "renewing", *ends}


def test_the_glossarys_old_words_are_stored() -> None:
    """Each key with an old word is a stored one, or a label or metric of its page."""
    known = set(re.findall(r"`(\w+)`", page("reference/stored-data.md"))) | set(
        re.findall(r"[a-z]+", page("reference/metrics.md"))
    )
    old = [row[0] for row in rows(page("reference/glossary.md"), "## Stored key names that kept their old word")]
    assert {word for cell in old for word in re.findall(r"`([a-z_]+)[`:]", cell)} <= known


def test_the_example_of_a_locations_file_has_every_key_and_no_other() -> None:
    """It can be applied; its [defaults] are the defaults, and its location and tables have the other keys."""
    text = (ROOT / "infra/locations.example.toml").read_text(encoding="utf-8")
    (location,) = read(text, dict.fromkeys(re.findall(r'env = "(\w+)"', text), "secret"))
    document = tomllib.loads(text)
    own = document["locations"][location.id]
    assert {*document["defaults"], *own, "id"} == set(Location.model_fields)
    for name, value in document["defaults"].items():
        assert getattr(location, name) == Location.model_fields[name].default, (name, value)
    for table, settings in [*location.provider_tables(), ("handover", location.handover)]:
        assert settings
        assert set(own[table]) == set(type(settings).model_fields)


def test_decisions_are_one_sequence_and_the_index_knows_them() -> None:
    """The numbers have no gap, each has a status, and the index has its title."""
    folder = ROOT / "infra/decisions"
    files = sorted(path for path in folder.glob("*.md") if path.name[0].isdigit())
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    index = (folder / "README.md").read_text(encoding="utf-8")
    for path in files:
        title, _, status, *_ = path.read_text(encoding="utf-8").splitlines()
        assert title.startswith(f"# {path.name[:4]}: ")
        assert f"| [{path.name[:4]}]({path.name}) | {title[8:]} | " in index
        assert re.match(r"Status: (proposed|accepted|superseded by \d{4}) · decided \d{4}-\d\d-\d\d", status), path.name


def test_what_comments_point_to_is_there() -> None:
    """Documents, decisions and other files that comments and docstrings name exist, like links."""
    broken = []
    for path in (each for room in ("bridge", "workers", "infra") for each in (ROOT / room).rglob("*")):
        if path.suffix not in COMMENTED and path.name not in {"Dockerfile", "Caddyfile", "env.example"}:
            continue
        for named in re.findall(r"(?<![\w./{])((?:infra|tests|bridge|workers)/[\w./-]*\w)", _said(path)):
            target = named.rstrip(".")
            is_decision = list((ROOT / "infra/decisions").glob(f"{Path(target).name}-*.md"))
            if not (target in MADE or (ROOT / target).exists() or is_decision):
                broken.append(f"{path.relative_to(ROOT)}: {named}")
    assert broken == []


def _said(path: Path) -> str:
    """The text of a file for people: of Python its comments and docstrings, of others its comments."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        mark = "--" if path.suffix == ".lua" else "#"
        return "\n".join(line.partition(mark)[2] for line in text.splitlines())
    nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, nodes)]
    return "\n".join([*docstrings, *re.findall(r"(?m)(?:^|\s)#\s(.*)$", text)])


def _in_table(default: object) -> str:
    if isinstance(default, tuple):
        return ", ".join(f"`{one}`" for one in default)
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _has_default(name: str, default: object) -> bool:
    return default not in {None, ""} and name != "GHL_WEBHOOK_KEYS"


def _as_text(default: object) -> str:
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return str(int(default)) if isinstance(default, bool) else str(default)
