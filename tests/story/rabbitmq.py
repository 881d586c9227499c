"""A RabbitMQ on loopback and free ports, run by any user: started, killed and controlled by name."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from amqp.exceptions import AMQPError
from kombu import Connection

from bridge.cli import redis_server
from tests.story.machine import poll

# What Debian has on PATH refuses everybody but root, and changes to a user of its own for him.
DEBIAN = Path("/usr/lib/rabbitmq/bin")

CONFIGURATION = """\
listeners.tcp.default = 127.0.0.1:{port}
vm_memory_high_watermark.absolute = 256MB
disk_free_limit.absolute = 50MB
log.console = true
log.console.level = warning
log.file = false
"""


def find(name: str = "rabbitmq-server") -> str | None:
    """The path of a program of RabbitMQ, if it is on this machine."""
    return shutil.which(name, path=f"{DEBIAN}{os.pathsep}{os.environ.get('PATH', '')}")


class RabbitMQ:
    """Durable declarations survive `kill`. `stop` ends the port mapper too, which every Erlang node needs.

    `advanced` are settings of the server in Erlang's form, for those that its configuration file has no name for.
    """

    def __init__(self, folder: Path, *, advanced: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = redis_server.free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{port}//"
        self._log = folder / "log.txt"
        self._node = f"bridge-test-{uuid4().hex[:8]}@localhost"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))},
            # The cookie that the server and rabbitmqctl share is kept at home.
            "HOME": str(folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(redis_server.free_port()),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(folder / "conf.d" / "*.conf"),
            "RABBITMQ_DIST_PORT": str(redis_server.free_port()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_NODE_PORT": str(port),
        }
        (folder / "rabbitmq.conf").write_text(CONFIGURATION.format(port=port), encoding="utf-8")
        (folder / "advanced.config").write_text(f"[{{rabbit, [{advanced}]}}].\n", encoding="utf-8")
        (folder / "enabled_plugins").write_text("[].\n", encoding="utf-8")

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        if "epmd" not in self._running:
            # Left to itself, a node would start one that outlives it.
            self._spawn("epmd", "epmd")
        self._spawn("server", find() or "rabbitmq-server")
        poll("a RabbitMQ that takes connections", self._answers, seconds=60, told=self._said)

    def restart(self) -> None:
        """Stop it in order and start it again: then its state is on its disk.

        RabbitMQ 3.10 killed within seconds of the declaration of a quorum queue comes back with its name and without the queue.
        """
        process = self._running.pop("server")
        command = [find("rabbitmqctl") or "rabbitmqctl", "-n", self._node, "--silent", "stop"]
        subprocess.run(command, env=self._environ, timeout=60, check=True)
        process.wait(timeout=60)
        self.start()

    def kill(self) -> None:
        """Kill the server."""
        self._kill("server")

    def stop(self) -> None:
        """End everything."""
        for name in list(self._running):
            self._kill(name)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server and all that it started."""
        os.killpg(self._running["server"].pid, number)

    def set_memory(self, limit: str) -> None:
        """Set its memory limit: above it, it has an alarm and accepts nothing."""
        command = [
            find("rabbitmqctl") or "rabbitmqctl",
            "-n",
            self._node,
            "--silent",
            "set_vm_memory_high_watermark",
            "absolute",
            limit,
        ]
        subprocess.run(command, env=self._environ, timeout=30, check=True)

    def limit_deliveries(self, most: int) -> None:
        """Drop a message after this many redeliveries, as RabbitMQ 4 does after twenty by default."""
        policy = ["set_policy", "limit", "^ghl-bridge", f'{{"delivery-limit": {most}}}', "--apply-to", "queues"]
        command = [find("rabbitmqctl") or "rabbitmqctl", "-n", self._node, "--silent", *policy]
        subprocess.run(command, env=self._environ, timeout=30, check=True)

    def alarms(self) -> bool:
        """Whether any alarm is on."""
        command = [find("rabbitmq-diagnostics") or "rabbitmq-diagnostics", "-n", self._node, "--silent", "check_local_alarms"]
        return subprocess.run(command, env=self._environ, timeout=30, check=False, capture_output=True).returncode != 0

    def declare(self, queue: str) -> None:
        """Declare a classic queue."""
        with Connection(self.url) as connection:
            channel: Any = connection.default_channel
            channel.queue_declare(queue, durable=True, auto_delete=False)

    def queues(self) -> dict[str, str]:
        """The type of every queue."""
        listed = subprocess.run(
            [find("rabbitmqctl") or "rabbitmqctl", "-n", self._node, "--silent", "list_queues", "name", "type"],
            env=self._environ,
            stdout=subprocess.PIPE,
            text=True,
            timeout=30,
            check=True,
        ).stdout
        return dict(line.split("\t") for line in listed.splitlines())

    def delete(self, queue: str) -> int:
        """Delete a queue with all its messages; returns their number."""
        with Connection(self.url) as connection:
            channel: Any = connection.default_channel
            deleted: int = channel.queue_delete(queue)
        return deleted

    def _answers(self) -> bool:
        if self._running["server"].poll() is not None:
            raise AssertionError(f"RabbitMQ has ended: {self._said()}")
        with suppress(OSError, AMQPError), Connection(self.url, connect_timeout=2) as connection:
            connection.connect()
            return True
        return False

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def _spawn(self, name: str, command: str) -> None:
        with self._log.open("ab") as log:
            self._running[name] = subprocess.Popen(
                [command], env=self._environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _kill(self, name: str) -> None:
        process = self._running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
