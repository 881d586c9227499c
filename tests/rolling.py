"""Two versions at once: `python -m tests.rolling COMMIT` rolls from that version to this one, and back, while contacts write.

Both work on one Redis, as during a deploy. 1 if a message was lost, doubled or answered out of order.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.cli import redis_server
from tests.story.machine import Machine, build, poll

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
LOCATION = "Rolled"
CONTACTS, MESSAGES, RATE = 60, 4, 12.0
# Of one version alone, and of both together.
EACH_SECONDS = 3.0


def main(commit: str) -> int:
    """Run both rolls, and return the outcome of every message."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        older = stack.enter_context(worktree(commit, folder / "older"))
        # Neither Python nor Celery may find this version in the folder in which they start.
        os.chdir(folder)
        machine = stack.enter_context(closing(build(folder)))
        for name in ("redis", "simulator"):
            machine.start(name, PYTHONPATH=str(ROOT))
        told = _rolled(machine, older)
        faults = [fault for contact in told["contact_ids"] for fault in _faults(replies(machine, contact))]
        sys.stdout.write(f"{told['sent']} messages of {CONTACTS} contacts, webhooks answered {told['by_status']}\n")
        sys.stdout.write("\n".join(faults or ["each was answered once and in order"]) + "\n")
    return 1 if faults else 0


def _rolled(machine: Machine, older: Path) -> dict[str, Any]:
    """Replace one version by the other, with both running meanwhile; returns who wrote how much."""
    _join(machine, "older", older)
    machine.apply(**{LOCATION: {"provider": "assistable"}})
    with ThreadPoolExecutor(1) as pool:
        burst = {"location_id": LOCATION, "contacts": CONTACTS, "messages_each": MESSAGES, "rate": RATE}
        writing = pool.submit(machine.sim.order, "burst", **burst)
        for comes, goes, tree in (("newer", "older", ROOT), ("again", "newer", older)):
            time.sleep(EACH_SECONDS)
            _join(machine, comes, tree)
            time.sleep(EACH_SECONDS)
            _leave(machine, goes)
        told: dict[str, Any] = writing.result()
    answered = sorted(told["contact_ids"])
    poll("the last replies", lambda: all(_ends(replies(machine, contact)) for contact in answered), seconds=60)
    return told


def _join(machine: Machine, version: str, tree: Path) -> None:
    """Start a receiver and a worker of a version; from then on webhooks go to its receiver."""
    port, environ = redis_server.free_port(), {"PYTHONPATH": str(tree)}
    machine.start(f"web-{version}", PORT=str(port), **environ)
    worker = machine.start(f"worker-{version}", **environ)
    poll(f"a receiver of the {version}", lambda: machine.listens(f"http://127.0.0.1:{port}"))
    machine.sim.order("defaults", webhook_url=f"http://127.0.0.1:{port}/webhooks/ghl")
    assert worker.poll() is None, machine.log(f"worker-{version}")


def _leave(machine: Machine, version: str) -> None:
    for kind in ("worker", "web"):
        machine.stop(f"{kind}-{version}")


def replies(machine: Machine, contact: str) -> list[str]:
    return list(machine.sim.ask("counts")["posts"]["by_contact"].get(contact, []))


def _ends(replies: list[str]) -> bool:
    return any(f"Message {MESSAGES} of" in reply for reply in replies)


def _faults(replies: list[str]) -> list[str]:
    """What is wrong with a contact's replies, which repeat what they answer."""
    numbers = [int(number) for number in re.findall(r"Message (\d+) of", "\n".join(replies))]
    return [] if numbers == list(range(1, MESSAGES + 1)) else [f"answered were messages {numbers}"]


@contextmanager
def worktree(commit: str, folder: Path) -> Iterator[Path]:
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
