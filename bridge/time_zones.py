"""Time zones, from whichever is newer: the system's zone files or the `tzdata` package that this project pins.

`zoneinfo` reads the system's files first, however old they are. With files of 2025b, Vancouver, Edmonton and Winnipeg are an hour
off since November 2026 and Casablanca since September 2026 (IANA 2026f): a shop there would open an hour late.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

# Where a folder of zone files contains its release: `# version 2026f` (Linux), or only the release (macOS).
_RELEASE_FILES = ("tzdata.zi", "+VERSION")
_RELEASE = re.compile(r"\b(20\d{2})([a-z]{1,2})\b")
_RELEASE_LINE_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Releases:
    """The available IANA releases, like `2026f`. `system` is "" if the system has no zone files, or none with a release."""

    package: str
    system: str

    @property
    def reads_package(self) -> bool:
        """Whether the package is used: it is at least as new as the system's files, or their release is unknown."""
        return _order(self.package) >= _order(self.system)


@cache
def releases() -> Releases:
    """The installed releases; read once."""
    return Releases(package=_release_of(_package()), system=_release_of(_system()))


@cache
def names() -> frozenset[str]:
    """The names of all zones. Read once, because it takes 25 ms and is needed whenever a location's settings are read."""
    return frozenset(zoneinfo.available_timezones())


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of this name from the newer source, or from the other one if the newer one lacks it.

    Raises zoneinfo.ZoneInfoNotFoundError, a KeyError.
    """
    return (_from_package(name) if releases().reads_package else None) or ZoneInfo(name)


def _from_package(name: str) -> ZoneInfo | None:
    file = _package().joinpath(*name.split("/"))
    if name not in names() or not file.is_file():
        return None
    with file.open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


def _package() -> Traversable:
    return resources.files("tzdata").joinpath("zoneinfo")


def _system() -> Path | None:
    """The release of the first folder on zoneinfo's path that contains zones."""
    return next((Path(path) for path in zoneinfo.TZPATH if (Path(path) / "Etc").is_dir()), None)


def _release_of(folder: Traversable | Path | None) -> str:
    files = [folder.joinpath(name) for name in _RELEASE_FILES] if folder else []
    return next((release for file in files if (release := _release_in(file))), "")


def _release_in(file: Traversable | Path) -> str:
    try:
        with file.open(encoding="ascii", errors="replace") as text:
            release = _RELEASE.search(text.read(_RELEASE_LINE_CHARACTERS))
    except OSError:
        return ""
    return release[0] if release else ""


def _order(release: str) -> tuple[int, int, str]:
    """A sort key: `2025z` comes before `2025za`, and an unknown release before all others."""
    match = _RELEASE.fullmatch(release)
    return (int(match[1]), len(match[2]), match[2]) if match else (0, 0, "")
