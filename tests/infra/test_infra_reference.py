"""The reference pages that are generated from the code, and the site of all pages."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bridge.locations import HandoverSettings, Location
from bridge.operating.registry import OPERATIONS
from bridge.settings import Settings
from infra.dev.reference import REFERENCE, pages

ROOT = Path(__file__).parents[2]
PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    """The committed pages are what the code generates; `make reference` renews them."""
    assert (REFERENCE / name).read_text(encoding="utf-8") == PAGES[name], "run `make reference`"


def test_generated_pages_leave_nothing_out() -> None:
    """Each setting, key and operation has its row with a description."""
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", PAGES["settings.md"], re.MULTILINE)) == {
        str(field.alias) for field in Settings.model_fields.values()
    }
    any_location = Location(id="any")
    tables = {
        **dict(any_location.provider_tables()),
        "transcription": any_location.transcription,
        "handover": HandoverSettings(),
    }
    keys = (set(Location.model_fields) - {"id", *tables}) | {key for table in tables.values() for key in type(table).model_fields}
    assert set(re.findall(r"^\| `(\w+)` \|", PAGES["locations-file.md"], re.MULTILINE)) == keys
    assert re.findall(r"^\| `([\w.]+)` \|", PAGES["admin-api.md"], re.MULTILINE) == [each.name for each in OPERATIONS]
    for name, text in PAGES.items():
        assert not re.search(r"\|\s*\|$", text, re.MULTILINE), name


def test_every_page_is_in_the_sites_menu() -> None:
    """A page that is missing in the menu would not be found."""
    menu = set(re.findall(r'"([\w/-]+\.md)"', (ROOT / "infra/dev/site.toml").read_text(encoding="utf-8")))
    written = {str(path.relative_to(ROOT)) for path in (ROOT / "infra/docs").rglob("*.md")}
    assert written <= menu
    assert {name for name in menu if not (ROOT / name).is_file()} == set()


@pytest.mark.skipif(not shutil.which("git") or not (ROOT / ".git").exists(), reason="this is no clone: no list of its files")
def test_a_broken_link_fails_the_site(tmp_path: Path) -> None:
    """The site builds from all pages without loading anything from elsewhere, and fails at a broken link."""
    clone = tmp_path / "clone"
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md", "infra/docs/images", "infra/dev", "LICENSE"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    for name in files:
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    subprocess.run(["git", "init", "--quiet"], cwd=clone, check=True)  # noqa: S607
    (clone / ".venv").symlink_to(ROOT / ".venv")
    assert build(clone).returncode == 0
    built = [path.read_text(encoding="utf-8") for path in (clone / "build/site").rglob("*.html")]
    assert len(built) > 40
    assert not any('class="mermaid"' in text for text in built)
    assert [found for text in built for found in re.findall(r'(?:src|href)="https?://[^"]+\.(?:js|css|woff2?)"', text)] == []
    with (clone / "SECURITY.md").open("a", encoding="utf-8") as file:
        file.write("\n[nowhere](infra/docs/nowhere.md)\n")
    broken = build(clone)
    assert broken.returncode != 0
    assert "page does not exist" in broken.stdout + broken.stderr


def build(clone: Path) -> subprocess.CompletedProcess[str]:
    """Build the site as `make docs` does."""
    return subprocess.run(["sh", "infra/dev/site.sh"], cwd=clone, capture_output=True, text=True, check=False)  # noqa: S607
