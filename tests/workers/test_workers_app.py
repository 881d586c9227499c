"""The Celery app: configured as measured, and built only on use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bridge.broker import OLDER_QUEUE
from bridge.settings import from_environment
from tests.stored import FERNET_KEY, eventually
from workers.app import build, configure, use_queue
from workers.pool import TaskPool

NOWHERE = "redis://:secret@127.0.0.1:1/0"
ENVIRON = {"REDIS_URL": NOWHERE, "BRIDGE_SECRET_KEY": FERNET_KEY}

# Imports a module while sockets are blocked and reads of the environment by our own files are noted.
IMPORT_BARELY = """
import importlib, os, pathlib, socket, sys

def refuse(*args, **kwargs):
    raise AssertionError("a socket was opened on import")

class Watched(dict):
    def _note(self):
        file = sys._getframe(2).f_code.co_filename
        assert not file.startswith(root + "/bridge") and not file.startswith(root + "/workers"), f"{file} read the environment"
    def __getitem__(self, name):
        self._note()
        return super().__getitem__(name)
    def get(self, name, default=None):
        self._note()
        return super().get(name, default)
    def __contains__(self, name):
        self._note()
        return super().__contains__(name)

root = sys.argv[1]
socket.socket.connect = socket.socket.bind = socket.create_connection = refuse
os.environ = Watched()
for name in sys.argv[2:]:
    importlib.import_module(name)
"""


@pytest.mark.parametrize(
    ("broker", "expected"),
    [
        (
            NOWHERE,
            {
                "worker_disable_prefetch": True,
                "task_default_queue_type": "classic",
                "broker_transport_options": {
                    "ack_emulation": False,
                    "socket_timeout": 5,
                    "socket_connect_timeout": 2,
                    "socket_keepalive": True,
                    "health_check_interval": 10,
                    "max_connections": 64,
                },
            },
        ),
        (
            "amqp://guest:secret@127.0.0.1:1//",
            {"worker_disable_prefetch": False, "task_default_queue_type": "quorum", "broker_transport_options": {}},
        ),
    ],
)
def test_celery_is_configured_as_measured(broker: str, expected: dict[str, Any]) -> None:
    """Every measured setting is set, and those for Redis only with Redis."""
    found = configure(from_environment({**ENVIRON, "BROKER_URL": broker, "WORKER_CONCURRENCY": "17"}))
    wanted = {
        "broker_url": broker,
        "worker_pool": "workers.pool:TaskPool",
        "worker_concurrency": 19,
        "task_acks_late": True,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "task_ignore_result": True,
        "result_backend": None,
        "task_serializer": "json",
        "accept_content": ["json"],
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "worker_enable_remote_control": False,
        **expected,
    }
    assert {name: found[name] for name in wanted} == wanted
    # Neither exists on threads: deadlines are in our own code.
    assert not {"task_time_limit", "task_soft_time_limit", "worker_soft_shutdown_timeout"} & found.keys()


def test_a_bare_worker_is_the_right_one() -> None:
    """A worker without options has the pool and slots of the settings, and no gossip, mingle or heartbeat."""
    app = build(from_environment({**ENVIRON, "WORKER_CONCURRENCY": "17"}))
    assert [name for name in app.tasks if not name.startswith("celery.")] == ["bridge.answer"]
    worker: Any = app.WorkController()
    assert (worker.pool_cls.__module__, worker.concurrency) == ("workers.pool", 19)
    assert {name: worker.options[name] for name in ("without_gossip", "without_mingle", "without_heartbeat")} == {
        "without_gossip": True,
        "without_mingle": True,
        "without_heartbeat": True,
    }
    assert [step.alias for step in worker.blueprint.order].count("Threads") == 1


@pytest.mark.parametrize(("broker", "kind"), [(NOWHERE, None), ("amqp://127.0.0.1:1//", {"x-queue-type": "quorum"})])
def test_a_worker_hears_the_queue_of_its_installation(broker: str, kind: dict[str, str] | None) -> None:
    """It publishes to it, and consumes it and the queue of older versions, both of the same type; `-Q` names others."""
    app = use_queue(build(from_environment({**ENVIRON, "BROKER_URL": broker})), "ghl-bridge-0123")
    queues: Any = app.amqp.queues
    assert sorted(queues.consume_from) == [OLDER_QUEUE, "ghl-bridge-0123"]
    assert [each.queue_arguments for each in queues.consume_from.values()] == [kind, kind]
    assert app.amqp.router.route({}, "bridge.answer")["queue"].name == "ghl-bridge-0123"
    queues.select(["elsewhere"])
    assert sorted(queues.consume_from) == ["elsewhere"]


def test_importing_opens_nothing() -> None:
    """Importing the worker's modules reads no environment and opens no socket."""
    root = str(Path(__file__).resolve().parents[2])
    modules = ["workers", "workers.app", "workers.dispatcher", "workers.heartbeat", "workers.tasks", "workers.threads"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_BARELY, root, *modules],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "worker: REDIS_URL is not set"),
        ({"REDIS_URL": NOWHERE}, "worker: BRIDGE_SECRET_KEY is not set"),
        ({**ENVIRON, "BRIDGE_LEASE_SECONDS": "0"}, "worker: BRIDGE_LEASE_SECONDS must be"),
    ],
)
def test_a_wrong_setting_ends_the_worker_with_a_sentence(environ: dict[str, str], words: str) -> None:
    """The app refuses to be built without its settings: one sentence, exit code 78."""
    done = subprocess.run(
        [sys.executable, "-c", "import workers; workers.app"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 78
    assert done.stderr.startswith(words)
    assert done.stderr.count("\n") == 1


def test_all_threads_are_there_from_the_start() -> None:
    """A machine that allows no more threads later can't end a worker at the next task."""
    pool = TaskPool(17)
    try:
        eventually(lambda: len(pool.executor._threads) == 17)
    finally:
        pool.on_stop()
