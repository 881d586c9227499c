"""Processes on a person's machine listen only there, unless HOST says otherwise."""

from __future__ import annotations

import re
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from bridge.cli.demo import run as demo
from bridge.errors import Misconfigured
from tests.data_folder import Folder, data_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# An address of every Linux machine that is not the one of the processes.
ANOTHER = "127.0.0.2"
needs_another = pytest.mark.skipif(sys.platform != "linux", reason=f"{ANOTHER} is an address of this machine on Linux only")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with data_folder(tmp_path / "data") as folder:
        folder.environ.pop("HOST", None)
        yield folder


def reached(address: str, port: str) -> bool:
    """Whether something listens at the address."""
    try:
        with socket.create_connection((address, int(port)), timeout=5):
            return True
    except ConnectionRefusedError:
        return False


@needs_another
def test_the_demo_is_for_this_machine(folder: Folder) -> None:
    """Receiver, console and sandbox of the demo answer at 127.0.0.1, and not at another address of the machine."""
    folder.start("demo")
    found = re.findall(r"http://127\.0\.0\.1:(\d+)/", folder.says("Ctrl-C stops everything"))
    ports = {*found, folder.environ["PORT"]}
    assert len(ports) == 2
    assert all(reached("127.0.0.1", port) for port in ports)
    assert not any(reached(ANOTHER, port) for port in ports)


@needs_another
@pytest.mark.parametrize(("host", "elsewhere"), [("", False), ("0.0.0.0", True)])  # noqa: S104 - what is tried
def test_up_is_for_this_machine_unless_told_otherwise(folder: Folder, host: str, elsewhere: bool) -> None:
    """`up` listens only at 127.0.0.1; with HOST at every address."""
    folder.start("up", HOST=host)
    folder.says("Ctrl-C stops everything")
    assert reached("127.0.0.1", folder.environ["PORT"])
    assert reached(ANOTHER, folder.environ["PORT"]) is elsewhere


@needs_another
@pytest.mark.parametrize(("host", "elsewhere"), [("", False), ("0.0.0.0", True)])  # noqa: S104 - what is tried
def test_the_simulator_is_for_this_machine_unless_told_otherwise(folder: Folder, host: str, elsewhere: bool) -> None:
    """It prints its address and how to start a bridge beside it, and listens only at 127.0.0.1 unless HOST is set."""
    folder.start("simulator", HOST=host)
    found = re.search(r"sandbox +http://127\.0\.0\.1:(\d+)/\n", folder.says("ASSISTABLE_URL="))
    assert found
    assert f"GHL_API_URL=http://127.0.0.1:{found[1]} GHL_WEBHOOK_KEYS=" in folder.text()
    assert reached("127.0.0.1", found[1])
    assert reached(ANOTHER, found[1]) is elsewhere


def test_the_demo_takes_no_single_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's processes use 127.0.0.1: with a HOST that excludes it, the demo prints a sentence and starts nothing."""
    monkeypatch.setenv("HOST", "192.0.2.7")
    with pytest.raises(Misconfigured, match="as HOST"):
        demo(once=True)


def test_up_keeps_its_console_token(folder: Folder) -> None:
    """`up` creates an admin token at its first start, says in which file it is, and never prints it."""
    folder.start("up")
    said = folder.says("Ctrl-C stops everything")
    file = folder.path / "admin.token"
    token = file.read_text(encoding="ascii")
    assert file.stat().st_mode & 0o077 == 0
    assert f"/console   (admin token: {file})" in said
    assert token not in said
