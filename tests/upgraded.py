"""An upgrade that renames every key: `python -m tests.upgraded COMMIT` upgrades from that version while contacts write.

A receiver of the older version runs on, as one that was overlooked does: it may take nothing any more, so that GHL sends each
webhook again, and this version takes it. Afterwards the older version may not start. 1 if a message was lost or doubled, or if it
starts. Folders behind the commit hold libraries that only the older version needs.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.cli import redis_server
from bridge.store.redis.partitions import UNTAGGED, key
from bridge.store.redis.schema import SCHEMA, SCHEMA_KEY
from tests.rolling import CONTACTS, LOCATION, MESSAGES, RATE, ROOT, replies, worktree
from tests.story.machine import Machine, build, poll, toml

if TYPE_CHECKING:
    from collections.abc import Iterator

# For so long the older receiver alone is there after the upgrade.
OVERLOOKED_SECONDS = 4.0
REFUSED = 78


def main(commit: str, *libraries: str) -> int:
    """Upgrade, and report the outcome of every message."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        older = stack.enter_context(worktree(commit, folder / "older"))
        # Neither Python nor Celery may find this version in the folder in which they start.
        os.chdir(folder)
        machine = stack.enter_context(closing(build(folder)))
        for name in ("redis", "simulator"):
            machine.start(name, PYTHONPATH=str(ROOT))
        machine.sim.order("defaults", retry_delays=[1.0] * 60)
        of_older = os.pathsep.join([str(older), *libraries])
        told = _upgraded(machine, of_older)
        faults = [*_lost_or_doubled(machine, told["contact_ids"]), *_starts(machine, of_older)]
        sys.stdout.write(f"{told['sent']} messages of {CONTACTS} contacts, webhooks answered {told['by_status']}\n")
        sys.stdout.write("\n".join(faults or ["each was answered once; the older version refuses to start"]) + "\n")
    return 1 if faults else 0


def _upgraded(machine: Machine, older: str) -> dict[str, Any]:
    """Replace one version by the other at one address; returns who wrote how much."""
    port, of_older, of_newer = str(redis_server.free_port()), {"PYTHONPATH": older}, {"PYTHONPATH": str(ROOT)}
    url = f"http://127.0.0.1:{port}"
    machine.start("web-older", PORT=port, **of_older)
    machine.start("worker-older", **of_older)
    poll("the older receiver", lambda: machine.listens(url))
    machine.sim.order("defaults", webhook_url=f"{url}/webhooks/ghl")
    _apply(machine, of_older)
    with ThreadPoolExecutor(1) as pool:
        burst = {"location_id": LOCATION, "contacts": CONTACTS, "messages_each": MESSAGES, "rate": RATE}
        writing = pool.submit(machine.sim.order, "burst", **burst)
        time.sleep(OVERLOOKED_SECONDS)
        machine.stop("worker-older")
        machine.signal("web-older", signal.SIGSTOP)
        # As a minute later.
        machine.redis.delete(*(UNTAGGED + sign for sign in ("receiving", "workers", "keys")))
        machine.start("worker-newer", **of_newer)
        poll("the upgrade", lambda: machine.redis.get(SCHEMA_KEY) == str(SCHEMA) and not machine.redis.exists(key("upgrading")))
        machine.signal("web-older", signal.SIGCONT)
        time.sleep(OVERLOOKED_SECONDS)
        machine.kill("web-older")
        machine.start("web-newer", PORT=port, **of_newer)
        told: dict[str, Any] = writing.result()
    poll("the last replies", lambda: not list(_lost_or_doubled(machine, told["contact_ids"])), seconds=60)
    return told


def _apply(machine: Machine, of_older: dict[str, str]) -> None:
    """Apply the location with the older version's own command line."""
    token = "pit-secret"
    machine.sim.order("locations", id=LOCATION, token=token)
    settings: dict[str, Any] = {
        "name": LOCATION,
        "ghl_token": token,
        "provider": "assistable",
        "debounce_seconds": 0.1,
        "debounce_max_seconds": 2.0,
    }
    settings |= {"history_messages": 0, "reconcile_minutes": 0, "assistable": {"assistant_id": "assistant", "delivery": "bridge"}}
    command = [sys.executable, "-m", "bridge", "locations", "apply", "-"]
    environ = {**machine.environ, **of_older}
    subprocess.run(command, env=environ, input=toml({LOCATION: settings}), text=True, check=True, stdout=subprocess.DEVNULL)


def _lost_or_doubled(machine: Machine, contacts: list[str]) -> Iterator[str]:
    for contact in contacts:
        numbers = sorted(int(number) for number in re.findall(r"Message (\d+) of", "\n".join(replies(machine, contact))))
        if numbers != list(range(1, MESSAGES + 1)):
            yield f"of {contact} answered were messages {numbers}"


def _starts(machine: Machine, older: str) -> Iterator[str]:
    """What is wrong with how the older version starts now."""
    for name in ("web-back", "worker-back"):
        code = machine.start(name, PYTHONPATH=older, PORT=str(redis_server.free_port())).wait(60)
        said = machine.log(name).strip()
        sys.stdout.write(f"{name} ends with {code}: {said.splitlines()[-1] if said else ''}\n")
        if code != REFUSED or f"{SCHEMA}" not in said:
            yield f"{name} of the older version ended with {code}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
