"""Business hours use the newest time zone data on the machine, however old the system's own files are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

OLD = Path(__file__).parent / "samples" / "zoneinfo_2025b"
# Noon UTC on 2026-12-01: the hour on the wall by IANA 2026f, and by 2025b.
NOON_MS = 1_796_126_400_000
WALL = {
    "America/Vancouver": (5, 4),
    "America/Edmonton": (6, 5),
    "America/Winnipeg": (7, 6),
    "Africa/Casablanca": (12, 13),
    "America/Toronto": (7, 7),
}
ASK = """
import json, sys
from bridge.policy.business_hours import is_open, read
from bridge.time_zones import releases
hours = [next(h for h in range(24) if is_open(read((f"daily {h:02}:00-{h:02}:59",), zone), %d)) for zone in sys.argv[1:]]
print(json.dumps([hours, releases().system, releases().reads_package]))
"""


def ask(folder: Path, *zones: str) -> tuple[list[int], str, bool]:
    """The hour in each zone at that noon, in a process whose system has its zone files in `folder`."""
    command = [sys.executable, "-c", ASK % NOON_MS, *zones]
    environment = {**os.environ, "PYTHONTZPATH": str(folder)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, cwd=Path(__file__).parents[1])
    hours, system, package = json.loads(done.stdout)
    return hours, system, package


def test_old_zone_files_of_the_system_are_passed_over() -> None:
    """With the system's files of 2025b, places that stopped changing their clocks in 2026 open at the right hour."""
    hours, system, package = ask(OLD, *WALL)
    assert (system, package) == ("2025b", True)
    assert dict(zip(WALL, hours, strict=True)) == {zone: right for zone, (right, _) in WALL.items()}


def test_the_system_is_read_where_it_is_newer(tmp_path: Path) -> None:
    """Zone files of a later release than the package's are used."""
    folder = tmp_path / "zoneinfo"
    shutil.copytree(OLD, folder)
    (folder / "tzdata.zi").write_text("# version 2099a\n")
    hours, system, package = ask(folder, *WALL)
    assert (system, package) == ("2099a", False)
    assert dict(zip(WALL, hours, strict=True)) == {zone: old for zone, (_, old) in WALL.items()}


@pytest.mark.parametrize(
    ("named", "release"), [({"+VERSION": "2025b\n"}, "2025b"), ({}, ""), ({"tzdata.zi": "# no word of it\n"}, "")]
)
def test_a_system_that_does_not_tell_its_release_is_passed_over(named: dict[str, str], release: str, tmp_path: Path) -> None:
    """The release is in `tzdata.zi` or `+VERSION`; files of unknown age are not preferred to pinned ones."""
    folder = tmp_path / "zoneinfo"
    shutil.copytree(OLD, folder)
    (folder / "tzdata.zi").unlink()
    for name, text in named.items():
        (folder / name).write_text(text)
    hours, system, package = ask(folder, "America/Vancouver")
    assert (hours, system, package) == ([5], release, True)


def test_a_system_without_zone_files_is_enough(tmp_path: Path) -> None:
    """Without zone files in the system, the package is used."""
    hours, system, package = ask(tmp_path, "America/Winnipeg", "America/Toronto")
    assert (hours, system, package) == ([7, 7], "", True)


def test_a_zone_that_only_the_system_has_is_read_from_there(tmp_path: Path) -> None:
    """A name that the package lacks is read from the system, even if its files are older."""
    folder = tmp_path / "zoneinfo"
    shutil.copytree(OLD, folder)
    shutil.copy(folder / "America/Vancouver", folder / "America/Newtown")
    hours, _, _ = ask(folder, "America/Newtown")
    assert hours == [4]
