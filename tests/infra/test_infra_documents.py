"""Documents are checked: links, the tests in the threat table, licences, and hooks."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from infra.dev.licences import Package, at_run_time

ROOT = Path(__file__).parents[2]
LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],  # noqa: S607
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=False,
).stdout.split()
DOCUMENTS = [Path(name) for name in LISTED if (ROOT / name).exists()]
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The headings of a document as GitHub's anchors."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.skipif(not DOCUMENTS, reason="this is no clone, so nobody knows which documents are the project's")
def test_every_link_between_documents_leads_somewhere() -> None:
    """Relative links name existing files, and anchors existing headings."""
    broken = []
    for document in DOCUMENTS:
        text = FENCED.sub("", (ROOT / document).read_text(encoding="utf-8"))
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            path, _, anchor = link.partition("#")
            target = (ROOT / document).parent / path if path else ROOT / document
            if link.startswith(("http://", "https://", "mailto:")):
                continue
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{document}: {link}")
    assert broken == []


def test_every_threat_names_tests_that_exist() -> None:
    """Each row of the threat table names at least one test, and each test named there is a function of that file."""
    page = (ROOT / "infra/docs/explanation/security.md").read_text(encoding="utf-8")
    table = page.partition("| threat |")[2].partition("\n\n")[0]
    rows = table.splitlines()[2:]
    assert len(rows) >= 12
    for row in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
        assert named, row
        for file, test in named:
            text = (ROOT / "tests" / file).read_text(encoding="utf-8")
            assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), test


def test_every_licence_is_compatible() -> None:
    """All libraries of the bridge have licences that are on the list."""
    packages = at_run_time()
    assert {"celery", "redis", "starlette", "httpx"} <= {package.name for package in packages}
    assert [package for package in packages if not package.is_compatible] == []


@pytest.mark.parametrize(
    ("licence", "fits"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("not told", False),
        ("GPL-2.0-only OR MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MIT AND AGPL-3.0-only", False),
    ],
)
def test_of_alternatives_one_suffices_and_of_parts_each_counts(licence: str, fits: bool) -> None:
    """An expression is compatible if each of its parts is."""
    assert Package("one", "1", licence).is_compatible is fits


def test_hooks_fetch_nothing() -> None:
    """pre-commit runs only installed programs."""
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert all(hook["language"] == "system" for hook in repos[0]["hooks"])
