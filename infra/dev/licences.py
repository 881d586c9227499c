"""The licences of all that runs with the bridge, read from the installed packages: `python -m infra.dev.licences` prints a table.

The bridge is MIT. Packages with a compatible licence may be shipped with it, in an image too; MPL-2.0 requires the source of its
own files, which its packages contain. A person must read any other licence before it is added here.
"""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import Distribution, PackageMetadata

COMPATIBLE = frozenset(
    {"MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "ISC", "PSF-2.0", "MPL-2.0", "Unlicense", "Zlib"}
)
# What older packages say in words of their own, as SPDX says it.
WORDS = {
    "MIT License": "MIT",
    "The MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "BSD": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "ISC License (ISCL)": "ISC",
    "Python Software Foundation License": "PSF-2.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
}


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One installed package; `licence` is an SPDX expression if there is one, else the package's own text."""

    name: str
    version: str
    licence: str

    @property
    def is_compatible(self) -> bool:
        """Whether every part of the expression is compatible: of alternatives (OR) one is enough."""
        return all(
            any(each.strip() in COMPATIBLE for each in part.split(" OR "))
            for part in self.licence.replace("(", "").replace(")", "").split(" AND ")
        )


def main() -> None:
    """Print the table."""
    rows = ["| package | version | licence |", "|---|---|---|"]
    rows += [f"| {one.name} | {one.version} | {one.licence} |" for one in at_run_time()]
    sys.stdout.write("\n".join(rows) + "\n")


def at_run_time() -> list[Package]:
    """All packages that the bridge needs on this machine, without itself."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, Package] = {}
    waiting = _needed(project["dependencies"], frozenset())
    while waiting:
        requirement = waiting.pop()
        name = _plain(requirement.name)
        if name not in found:
            installed = distribution(name)
            found[name] = _package(installed)
            waiting += _needed(installed.requires or (), frozenset(requirement.extras))
    return sorted(found.values())


def _needed(requirements: Iterable[str], extras: frozenset[str]) -> list[Requirement]:
    environments = [{"extra": extra} for extra in ("", *extras)]
    return [one for one in map(Requirement, requirements) if not one.marker or any(map(one.marker.evaluate, environments))]


def _package(installed: Distribution) -> Package:
    metadata = installed.metadata
    classified = [one.rpartition(" :: ")[2] for one in metadata.get_all("Classifier") or () if one.startswith("License :: ")]
    expression = _first(metadata, "License-Expression") or _first(metadata, "License").partition("\n")[0]
    words = (
        expression if WORDS.get(expression, expression) in COMPATIBLE or " " in expression or not classified else classified[0]
    )
    words = words or "not told"
    licence = WORDS.get(words, words)
    if classified and not Package("", "", licence).is_compatible:
        licence = WORDS.get(classified[0], licence)
    return Package(_plain(metadata["Name"]), installed.version, licence)


def _first(said: PackageMetadata, field: str) -> str:
    return next(iter(said.get_all(field) or ()), "")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
