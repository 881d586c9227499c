"""Python and Lua agree: fields of a patch, arguments of scripts, numbers of answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import MessageId, OutboundMessage
from bridge.store.lanes.inbox import inbound_fields
from bridge.store.lanes.outbound import outbound_fields
from bridge.store.lanes.patch import (
    Circuit,
    DeadLetterPatch,
    LookupsAheadPatch,
    Newer,
    Patch,
    Permit,
    SituationQuery,
)
from bridge.store.lanes.results import ReleaseResult, StepResult
from bridge.store.redis.lua import all_parts, all_scripts
from tests.store.calls import Call, script_calls
from tests.stored import LANE, message

if TYPE_CHECKING:
    from enum import IntEnum

SCRIPTS, PARTS = all_scripts(), all_parts()
CODE = "".join(source.code for source in (*SCRIPTS.values(), *PARTS.values()))
# What `parts/state.lua` says once for all parts.
KNOWN_INPUTS = {"lane", "location", "contact", "retention", "at", "turn", "token", "event", "..."}


def header(name: str) -> str:
    """The comments at the beginning of a script."""
    return "\n".join(takewhile(lambda line: line.startswith("--"), SCRIPTS[name].text.splitlines()))


def listed(name: str) -> tuple[list[int], bool]:
    """The numbers of the arguments in a script's header, and whether the last one stands for any number of them."""
    found = re.findall(r"^--   ARGV\[(\d+)(\.\.\.)?\] +\S", header(name), re.MULTILINE)
    return [int(number) for number, _ in found], bool(found) and bool(found[-1][1])


def read_by(name: str) -> tuple[int, bool]:
    """The highest argument that a script reads, or the first of any number of them, and whether it reads any number."""
    code = SCRIPTS[name].code
    of_many = re.search(r"\beach\('(\w+)', (\d+), ", code)
    if of_many:
        assert of_many[1] == name
        return int(of_many[2]), False
    single = [int(number) for number in re.findall(r"ARGV\[(\d+)\]", code)]
    many = [int(number) for number in re.findall(r"(?:unpack\(ARGV, |for at = )(\d+)(?:\)|, #ARGV)", code)]
    if re.search(r"unpack\(ARGV\)|ipairs\(ARGV\)", code):
        # All together, whatever they are.
        many.append(listed(name)[0][-1])
    return min(many) if many else max(single, default=0), bool(many)


def keys_of(kind: Any) -> set[str]:
    """The fields of a TypedDict."""
    return {*kind.__required_keys__, *kind.__optional_keys__}


def read_of(name: str) -> set[str]:
    """The fields that Lua reads of variables with this name."""
    return set(re.findall(rf"(?<![\w.]){name}\.([a-z_]+)", CODE))


def test_lua_reads_the_fields_of_a_patch_and_no_other() -> None:
    """A field that only one side knows is a misspelling, or useless."""
    assert read_of("patch") == keys_of(Patch)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("circuit", Circuit), ("dead", DeadLetterPatch), ("look", SituationQuery), ("unless_newer", Newer)],
    ids=str,
)
def test_lua_reads_the_fields_of_what_a_patch_holds(name: str, kind: type[Any]) -> None:
    """This holds for the parts of a patch."""
    assert set(re.findall(rf"\bpatch\.{name}\.([a-z_]+)", CODE)) == keys_of(kind)


def test_lua_reads_the_fields_of_a_permit_and_no_other() -> None:
    """This holds for the permit that a request to GHL needs."""
    assert read_of("permit") == keys_of(Permit)


def test_lua_reads_the_fields_of_look_ups_ahead_and_no_other() -> None:
    """This holds for the look-ups that a lease reserves."""
    assert read_of("ahead") == keys_of(LookupsAheadPatch)


@pytest.mark.parametrize(("script", "name"), [("accept", "came"), ("resolve", "what"), ("observe", "message")])
def test_a_header_names_the_fields_of_its_json(script: str, name: str) -> None:
    """The header has all fields that the script and its parts read."""
    told = set(re.findall(r"`([a-z_]+)`", header(script)))
    assert read_of(name)
    assert read_of(name) <= told


def test_lua_reads_what_is_told_of_a_message_that_came() -> None:
    """The receiver, or the sweep, writes exactly the fields that `accept.lua` reads."""
    assert {*inbound_fields(message(), {}), "found", "erased"} == read_of("came")


def test_lua_reads_what_is_told_of_a_message_that_left() -> None:
    """This holds for `observe.lua` and its parts."""
    ids: dict[str, Any] = {"location_id": LANE.location_id, "contact_id": LANE.contact_id, "conversation_id": "c"}
    left = OutboundMessage(id=MessageId("o1"), type="TYPE_SMS", text="Hello", date_added_ms=1, **ids)
    assert set(outbound_fields(left)) == read_of("message")


@pytest.mark.parametrize(("table", "kind"), [("STEP", StepResult), ("RELEASE", ReleaseResult)])
def test_answers_have_the_same_numbers_in_both_languages(table: str, kind: type[IntEnum]) -> None:
    """A number that a script answers has the same name in Python."""
    (stored,) = re.findall(rf"^local {table} = {{(.*)}}$", PARTS["results"].text, re.MULTILINE)
    assert {name: int(number) for name, number in re.findall(r"(\w+) = (\d+)", stored)} == {
        one.name.lower(): one.value for one in kind
    }
    assert read_of(table) == {one.name.lower() for one in kind}


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_a_header_names_every_argument(name: str) -> None:
    """A script's header has its arguments from the first to the highest that it reads, and no more."""
    numbers, many = listed(name)
    assert numbers == list(range(1, len(numbers) + 1))
    assert (len(numbers), many) == read_by(name)
    assert re.search(r"^-- Answers\b", header(name), re.MULTILINE)
    assert bool(re.search(r"\bKEYS\b", SCRIPTS[name].code)) <= bool(re.search(r"^-- +KEYS\[", header(name), re.MULTILINE))


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_calls_hand_over_what_the_script_takes(name: str) -> None:
    """Each call from the store or a test has as many arguments as the script's header names, and every script is called."""
    calls = [call for call in script_calls() if call.script == name]
    assert calls
    assert [str(call) for call in calls if not _is_served(call)] == []


def _is_served(call: Call) -> bool:
    numbers, many = listed(call.script)
    highest = len(numbers) - many
    if call.more:
        # As far as it can be seen: so many, and some that only running it tells.
        return call.count <= highest or many
    return call.count >= highest if many else call.count == highest


@dataclass(frozen=True)
class Function:
    """A function of a part: its inputs, the comment above it, and whether it answers anything."""

    part: str
    name: str
    inputs: frozenset[str]
    comment: str
    answers: bool

    def __str__(self) -> str:
        return f"{self.part}.{self.name}"


def functions() -> list[Function]:
    """Every function of the parts."""
    found = []
    for part, source in PARTS.items():
        lines = source.text.splitlines()
        for at, line in enumerate(lines):
            if head := re.match(r"local function (\w+)\((.*?)\)", line):
                above = list(takewhile(lambda one: one.startswith("--"), reversed(lines[:at])))
                body = [line] if line.endswith(" end") else takewhile(lambda one: one != "end", lines[at:])
                own = re.sub(r"\n  local function .*?\n  end\n", "\n", "\n".join(body), flags=re.DOTALL)
                answers = bool(re.search(r"\breturn (?!end\b)", own))
                inputs = frozenset(filter(None, head[2].split(", ")))
                found.append(Function(part, head[1], inputs, "\n".join(reversed(above)), answers))
    return found


@pytest.mark.parametrize("function", functions(), ids=str)
def test_a_function_of_a_part_tells_its_inputs_and_what_it_answers(function: Function) -> None:
    """The comment has its purpose, each input without a common meaning, and its answer if it has one."""
    assert re.match(r"-- \S", function.comment)
    named = set(re.findall(r"^--   (\w+)  +\S", function.comment, re.MULTILINE))
    assert function.inputs - KNOWN_INPUTS <= named <= function.inputs
    assert bool(re.search(r"^-- Answers \S", function.comment, re.MULTILINE)) == function.answers


def test_every_function_of_the_parts_was_looked_at() -> None:
    """No function is missed because of its form."""
    assert len(functions()) == sum(source.text.count("\nlocal function ") for source in PARTS.values())
    assert len(functions()) > 60
