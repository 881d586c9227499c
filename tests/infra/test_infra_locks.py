"""The two lock files: the requirements of pyproject.toml, pinned with hashes, without the address of an index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINNED = re.compile(r"^([a-zA-Z0-9._-]+)(?:\[[\w,-]+\])?==(\S+)", re.MULTILINE)


def lock(name: str) -> str:
    """A lock without its comments."""
    return re.sub(r"^ *#.*\n", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE)


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(name: str) -> dict[str, str]:
    """The versions in a lock file."""
    return {plain(package): version for package, version in PINNED.findall(lock(name))}


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("requirements.txt", PROJECT["project"]["dependencies"]),
        ("requirements-dev.txt", [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]),
    ],
)
def test_what_is_asked_for_is_pinned(name: str, asked: list[str]) -> None:
    """Each requirement has an allowed version in the lock file, so a forgotten update fails."""
    versions = pinned(name)
    for requirement in map(Requirement, asked):
        assert requirement.specifier.contains(versions[plain(requirement.name)], prereleases=True), requirement


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_has_its_hashes_and_names_no_place(name: str) -> None:
    """The hashes guarantee the locked files, wherever they are downloaded from."""
    pins = re.split(r"\n(?=\S)", lock(name).strip())
    assert len(pins) > 30
    for pin in pins:
        assert PINNED.match(pin), pin
        assert "--hash=sha256:" in pin, pin
    assert not re.search(r"https?://|--index|--find-links|--trusted|file:", lock(name))


def test_tests_run_with_what_is_shipped() -> None:
    """No version differs between the two lock files."""
    shipped, tested = pinned("requirements.txt"), pinned("requirements-dev.txt")
    assert {name: tested.get(name) for name in shipped} == shipped
