"""Texts of strangers can't change the direction of text on a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bridge.cli.bidi import escaped
from tests.stored import PROVIDED_TOML

if TYPE_CHECKING:
    from tests.cli.conftest import Run

TURNED = "\u202egnp.exe\u2066 \u200f\u061c\x9b2J"


@pytest.mark.parametrize("as_json", [False, True])
def test_no_mark_of_direction_reaches_a_terminal(run: Run, *, as_json: bool) -> None:
    """A name that would be displayed backwards is escaped on a terminal; a program gets it unchanged."""
    file = json.dumps({"locations": {"One": {"name": "x" + TURNED[:-3]}}}, ensure_ascii=True)
    assert run("locations", "apply", "-", stdin=to_toml(file)).returncode == 0

    said = run("locations", "list", *(["--json"] if as_json else [])).stdout

    assert not set(said) & set("\u202e\u2066\u200f\u061c\x9b")
    assert "\\u202e" in said.replace("\n", "")
    if as_json:
        assert TURNED[:-3] in json.dumps(json.loads(said), ensure_ascii=False)


def test_a_wrong_id_is_told_without_its_marks(run: Run) -> None:
    """An error escapes direction marks in what was typed or piped in."""
    said = run("locations", "show", "One\u202e").stderr
    assert "\u202e" not in said
    assert "One\\u202e" in said


def test_letters_and_joiners_stay() -> None:
    """Arabic, Hebrew, joined emojis and accents are printed unchanged."""
    assert escaped("שלום مرحبا 👩\u200d🚀 é\n") == "שלום مرحبا 👩\u200d🚀 é\n"


def to_toml(document: str) -> str:
    """A locations file with the name of the only location."""
    (one,) = json.loads(document)["locations"].values()
    return f"{PROVIDED_TOML}[locations.One]\nname = {json.dumps(one['name'])}\n"
