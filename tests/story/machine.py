"""One machine with everything on it: real processes on free ports, started, frozen and killed by name."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import httpx
from cryptography.fernet import Fernet
from redis import Redis

from bridge.broker import queue_of
from bridge.cli import redis_server
from bridge.simulator import keys
from bridge.simulator.options import CLIENT_ID, CLIENT_SECRET
from bridge.store.lanes.timelines import Event, MessageRecord, Timelines
from tests import forks
from tests.keys import key, pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")

BIN = Path(sys.executable).parent
SAMPLES = Path(__file__).parent.parent / "samples"
ASSISTABLE_TOKEN = "asst-secret-of-the-agency"
WORKFLOW_SECRET = "workflow-secret-of-the-agency"
SHORT_TEXT = 6
UNFINISHED = {"waiting", "answering", "retrying"}
FOREIGN = ("REDIS_", "BROKER_", "GHL_", "ASSISTABLE_", "AGENCII_", "BRIDGE_", "WORKER_", "PORT", "WEB_", "PYTHON")
FORKED = {"web": ("bridge.receiver",), "worker": ("celery", "-A", "workers", "worker")}
# What stories change in the simulator.
DEFAULTS: dict[str, Any] = {
    "list_lag_seconds": 0,
    "retry_delays": [0.5, 0.5, 0.5, 1, 1, 1, 1, 1],
    "files_elsewhere": False,
    "completion_seconds": 0,
    "post_seconds": 0,
    "echo": "on",
    "legacy_signature": "off",
    "deliver": False,
    "token_seconds": 86399,
    "oauth_seconds": 0,
    "refresh_seconds": 30,
    "retired_versions": [],
}
# Whom a log must not name, and no token of an install either.
PRIVATE = re.compile(r"\+1\d{10}|[\w.+-]+@example\.com|oauth-(?:code|access|refresh)-\w+")


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without any setting of the bridge."""
    return {name: value for name, value in environ.items() if not name.startswith(FOREIGN)}


def poll(what: str, look: Callable[[], T | None], *, seconds: float = 30.0, told: Callable[[], object] = str) -> T:
    """Look until there is a result; only the deadline limits the time."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what} {told()}"
        time.sleep(0.02)


def toml(locations: Mapping[str, Mapping[str, Any]]) -> str:
    """Write a locations file; JSON's texts, numbers, flags and lists are valid TOML."""
    lines = []
    for id_, settings in locations.items():
        lines.append(f"[locations.{id_}]")
        lines += [f"{name} = {json.dumps(value)}" for name, value in settings.items() if not isinstance(value, dict)]
        for table, inner in settings.items():
            if isinstance(inner, dict):
                lines.append(f"[locations.{id_}.{table}]")
                lines += [f"{name} = {json.dumps(value)}" for name, value in inner.items()]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Simulator:
    """The simulator's control API."""

    url: str
    http: httpx.Client

    def order(self, name: str, **order: Any) -> Any:
        """Call the simulator; anything but success fails the test."""
        return self._read(self.http.post(f"{self.url}/_sim/{name}", json=order))

    def ask(self, name: str, **query: Any) -> Any:
        """Read something."""
        return self._read(self.http.get(f"{self.url}/_sim/{name}", params=query))

    def fault(self, on: str, *action: Mapping[str, Any], **more: Any) -> None:
        """Script a fault."""
        self.order("faults", on=on, action=list(action), **more)

    @staticmethod
    def _read(answer: httpx.Response) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass(slots=True)
class Running:
    """A process and its output file; `read` is how much of it was checked."""

    process: forks.Process
    log: Path
    read: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """A contact who writes, and what arrives at the simulated GHL."""

    machine: Machine
    id: str
    location: str
    conversation: str

    def says(self, text: str, **order: Any) -> dict[str, Any]:
        """Write a message; returns its id and the receiver's answer to the webhook."""
        if text.strip():
            self.machine.private.add(text)
        said: dict[str, Any] = self.machine.sim.order(
            "say", contact_id=self.id, location_id=self.location, text=text, **{"channel": "SMS", **order}
        )
        return said

    def hooks(self, said: Mapping[str, Any], *, path: str = "", **order: Any) -> list[tuple[int, dict[str, Any]]]:
        """Let a workflow report a message, with the agency's secret unless other headers or a path are given."""
        secret = {} if path else {"X-Bridge-Secret": WORKFLOW_SECRET}
        url = f"{self.machine.url}/webhooks/workflow{path}"
        told = self.machine.sim.order("workflow", message_id=said["rest_message_id"], url=url, **{"headers": secret, **order})
        return [(answer["status_code"], answer["body"]) for answer in told["answers"]]

    def fault(self, on: str, *action: Mapping[str, Any], **more: Any) -> None:
        """Script a fault for this contact's requests."""
        self.machine.sim.fault(on, *action, contact_id=self.id, **more)

    def becomes(self, **settings: Any) -> None:
        """Change the contact in GHL."""
        self.machine.sim.order("contacts", contact_id=self.id, **settings)

    @property
    def replies(self) -> list[str]:
        """The posts to this contact, in order."""
        return list(self.machine.sim.ask("counts")["posts"]["by_contact"].get(self.id, []))

    @property
    def comments(self) -> list[str]:
        """The internal comments in this contact's conversation, in order."""
        return list(self.machine.sim.ask("counts")["comments"]["by_contact"].get(self.id, []))

    @property
    def completions(self) -> int:
        """The number of completions."""
        return int(self.machine.sim.ask("counts")["completions"]["by_contact"].get(self.id, 0))

    @property
    def most_at_once(self) -> int:
        """The highest number of simultaneous completions."""
        return int(self.machine.sim.ask("counts")["completions"]["max_in_flight"].get(self.id, 0))

    def requests(self, endpoint: str) -> list[dict[str, Any]]:
        """The requests about this contact, in order of arrival."""
        return list(self.machine.sim.ask("requests", endpoint=endpoint, contact_id=self.id)["requests"])

    def settles(self, said: Mapping[str, Any], *, seconds: float = 30.0) -> MessageRecord:
        """Wait until a message has its outcome and nothing of the contact waits, so that nothing more can happen."""
        lane = f"{self.location}:{self.id}"

        def settled() -> MessageRecord | None:
            record = self.machine.record(said["message_id"])
            if record is None or record.status in UNFINISHED:
                return None
            quiet = not self.machine.redis.exists(key("waiting", lane)) and not self.machine.redis.zscore(
                key("inflight", of=lane), lane
            )
            return record if quiet else None

        id_ = said["message_id"]
        return poll(f"an outcome of {id_}", settled, seconds=seconds, told=lambda: self.machine.story(id_))


@dataclass(slots=True)
class Machine:
    """The processes, and all that tests do with them. `private` is what no log may contain."""

    folder: Path
    sim: Simulator
    redis: Redis
    environ: dict[str, str]
    redis_command: list[str]
    http: httpx.Client
    running: dict[str, Running] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    provider_ids: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The receiver's address."""
        return f"http://127.0.0.1:{self.environ['PORT']}"

    @property
    def queue(self) -> str:
        """The broker's list of this installation's wake-ups."""
        return queue_of(str(self.redis.get(key("installation"))))

    @property
    def signer(self) -> keys.SigningKeys:
        """The keys that GHL signs with here."""
        return keys.load(self.folder / "simulator")

    def start(self, name: str, **environ: str) -> forks.Process:
        """Start a process; its name before a dash is its kind. Redis and simulator answer afterwards.

        The first receiver and the first worker are started as the Procfile has it, later ones are forks.
        """
        kind = name.partition("-")[0]
        is_first = not any(known.startswith(kind) for known in self.running)
        if kind in FORKED and not is_first and forks.can_fork({**self.environ, **environ}):
            return self._fork(name, *FORKED[kind], **environ)
        process = self.spawn(name, self._command(kind), **environ)
        if name in ("redis", "simulator"):
            answers = partial(redis_server.answers, self.environ["REDIS_URL"]) if name == "redis" else self._simulator_answers
            poll(f"an answer of {name}", answers)
        return process

    def _fork(self, name: str, module: str, *arguments: str, **environ: str) -> forks.Fork:
        log = self.folder / f"{name}-{uuid4().hex[:6]}.log"
        with log.open("wb") as file, Path(os.devnull).open("rb") as nothing:
            files = (nothing, file, file)
            process = forks.Fork(module, *arguments, environ={**self.environ, **environ}, cwd=Path.cwd(), files=files)
        self._runs(name, process, log)
        return process

    def _runs(self, name: str, process: forks.Process, log: Path) -> None:
        old = self.running.get(name)
        if old:
            self.running[f"{name}, before {log.stem}"] = old
        self.running[name] = Running(process, log)

    def spawn(self, name: str, command: Sequence[str], **environ: str) -> subprocess.Popen[bytes]:
        """Start any command as a process of this machine, in its own process group."""
        log = self.folder / f"{name}-{uuid4().hex[:6]}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                list(command),
                env={**self.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self._runs(name, process, log)
        return process

    def _command(self, kind: str) -> list[str]:
        # As in the Procfile.
        commands = {
            "redis": self.redis_command,
            "web": [sys.executable, "-m", "bridge.receiver"],
            "worker": [str(BIN / "celery"), "-A", "workers", "worker"],
            "simulator": [
                *(sys.executable, "-m", "bridge.simulator", "--port", self.sim.url.rpartition(":")[2], "--rate-limit", "0"),
                *("--state-dir", str(self.folder / "simulator"), "--webhook-url", f"{self.url}/webhooks/ghl"),
                *("--retry-delays", ",".join(map(str, DEFAULTS["retry_delays"]))),
            ],
        }
        return commands[kind]

    def start_second_receiver(self, **environ: str) -> str:
        """Start another receiver on its own port; returns its address."""
        port = redis_server.free_port()
        self.start("web-2", PORT=str(port), **environ)
        url = f"http://127.0.0.1:{port}"

        poll("a second receiver", lambda: self.listens(url))
        return url

    def stop(self, name: str, *, seconds: float = 30.0) -> int:
        """Ask a process to end, and wait for it."""
        process = self.running[name].process
        process.terminate()
        return process.wait(seconds)

    def kill(self, name: str) -> None:
        """Kill a process and its child processes."""
        self.signal(name, signal.SIGKILL)
        self.running[name].process.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process and its child processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running[name].process.pid, number)

    def lives(self, name: str) -> bool:
        """Whether a process of that name runs."""
        return name in self.running and self.running[name].process.poll() is None

    def listens(self, url: str = "") -> bool:
        """Whether the receiver accepts connections."""
        with contextlib.suppress(httpx.HTTPError):
            return self.http.get(f"{url or self.url}/healthz").status_code == 200
        return False

    def log(self, name: str) -> str:
        """All output of a process."""
        return self.running[name].log.read_text(encoding="utf-8", errors="replace")

    def ready(self, *, workers: int = 1, seconds: float = 40.0) -> dict[str, Any]:
        """Wait until the receiver can accept and this many workers have reported that they live."""

        def look() -> dict[str, Any] | None:
            self._none_ended()
            with contextlib.suppress(httpx.HTTPError):
                answer = self.http.get(f"{self.url}/readyz")
                if answer.status_code == 200 and answer.json()["workers"] >= workers:
                    document: dict[str, Any] = answer.json()
                    return document
            return None

        return poll(f"a receiver and {workers} worker(s) that are ready", look, seconds=seconds)

    def restore(self) -> None:
        """Restore everything that a story has broken, and nothing else."""
        for name in list(self.running):
            if "-" in name.partition(",")[0] and self.lives(name):
                self.kill(name)
        for name in ("redis", "simulator", "web", "worker"):
            self.signal(name, signal.SIGCONT) if self.lives(name) else self.start(name)
        for refusals in self.redis.scan_iter(pattern("refusals", "*")):
            # Stories share their locations: refused logins of several must not put one on hold.
            self.redis.delete(refusals)
        self.forget_circuits()
        self.sim.http.delete(f"{self.sim.url}/_sim/faults")
        self.sim.order("defaults", **DEFAULTS)
        self.ready()

    def forget_circuits(self) -> None:
        """Delete circuits, because stories share their logins: their faults together are not an outage."""
        for known in self.redis.scan_iter(pattern("circuit*")):
            self.redis.delete(known)

    def restart(self, name: str, **environ: str) -> None:
        """Kill a process and start it with other settings."""
        self.kill(name)
        if name == "worker":
            # What the dead one said of its slots would be believed for some seconds more.
            self.redis.delete(key("workers"))
        self.start(name, **environ)
        self.ready()

    def close(self) -> None:
        """Kill all processes."""
        for name in self.running:
            self.kill(name)
        self.redis.close()
        self.http.close()

    def cli(self, *arguments: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `ghl-bridge`."""
        return forks.run(*arguments, environ={**self.environ, **environ}, stdin=stdin)

    def apply(self, **locations: Mapping[str, Any]) -> None:
        """Apply locations in GHL and in the bridge; the defaults are short waits."""
        full = {}
        for id_, settings in locations.items():
            token = f"pit-secret-of-{id_}"
            self.private.add(token)
            self.provider_ids[id_] = self.sim.order("locations", id=id_, token=token)["conversation_provider_id"]
            usual = {"name": id_, "ghl_token": token, "debounce_seconds": 0.1, "debounce_max_seconds": 2.0, "history_messages": 0}
            usual["reconcile_minutes"] = 0  # stories keep webhooks back on purpose
            provider = {"assistant_id": f"assistant-of-{id_}", "delivery": "bridge", **settings.get("assistable", {})}
            full[id_] = {**usual, **settings, "assistable": provider}
        # Only the command has this token, so a worker lacks what its location needs.
        done = self.cli("locations", "apply", "-", stdin=toml(full), AGENCII_TOKEN="of the command line only")
        assert done.returncode == 0, done.stderr

    def person(self, location: str, **settings: Any) -> Person:
        """Make a new contact."""
        made = self.sim.order("contacts", contact_id=f"c{uuid4().hex[:19]}", location_id=location, **settings)
        return Person(self, made["contact_id"], location, made["conversation_id"])

    def record(self, message_id: str) -> MessageRecord | None:
        """The outcome of a message so far."""
        timeline = Timelines(self.redis).find(message_id)
        return next((each for each in timeline.messages if each.id == message_id), None) if timeline else None

    def story(self, message_id: str) -> list[str]:
        """The steps so far, in order."""
        return [event.step for event in self.events(message_id)]

    def events(self, message_id: str) -> list[Event]:
        """The timeline so far."""
        timeline = Timelines(self.redis).find(message_id)
        return list(timeline.events) if timeline else []

    def explain(self, id_: str) -> dict[str, Any]:
        """The result of `ghl-bridge explain`."""
        done = self.cli("explain", id_, "--json")
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def webhook_of(self, said: Mapping[str, Any], **changed: Any) -> bytes:
        """The webhook of a message in GHL's real form; `changed` replaces keys, None removes them."""
        sample = json.loads((SAMPLES / "derived" / "inbound_sms_full_envelope.json").read_bytes())
        shown = self.sim.ask(f"conversations/{said['conversation_id']}")["messages"]
        message = next(each for each in shown if each["id"] == said["rest_message_id"])
        own = {
            "locationId": said["location_id"],
            "contactId": said["contact_id"],
            "conversationId": said["conversation_id"],
            "messageId": said["message_id"],
            "body": message["text"],
            "dateAdded": message["dateAdded"],
            "timestamp": message["dateAdded"],
            "webhookId": str(uuid4()),
        }
        return json.dumps({name: value for name, value in {**sample, **own, **changed}.items() if value is not None}).encode()

    def post(self, body: bytes, headers: Mapping[str, str] | None = None, *, url: str = "") -> httpx.Response:
        """Post bytes to the receiver as a webhook, signed like GHL's unless other headers are given."""
        signed = self.signer.signatures(body, legacy="off") if headers is None else headers
        return self.http.post(
            f"{url or self.url}/webhooks/ghl", content=body, headers={"Content-Type": "application/json", **signed}
        )

    def post_at_once(self, body: bytes, *, times: int) -> list[tuple[float, str, str]]:
        """Post a signed webhook many times, a few every millisecond: returns seconds, head and content of each answer."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.signer.signatures(body, legacy="off").items())
        request = f"POST /webhooks/ghl HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"

        async def one(number: int) -> tuple[float, str, str]:
            await asyncio.sleep(number / 1000)
            began = time.monotonic()
            reader, writer = await asyncio.open_connection("127.0.0.1", int(self.environ["PORT"]))
            writer.write(request.encode() + body)
            answer = await reader.read()
            seconds = time.monotonic() - began
            writer.close()
            await writer.wait_closed()
            told, _, content = answer.decode().partition("\r\n\r\n")
            return seconds, told, content

        async def all_of_them() -> list[tuple[float, str, str]]:
            return await asyncio.gather(*(one(number) for number in range(times)))

        return asyncio.run(all_of_them())

    def leaks(self) -> list[str]:
        """Private data in the output of the bridge's processes since the last check."""
        private = {ASSISTABLE_TOKEN, WORKFLOW_SECRET, CLIENT_SECRET, self.environ["BRIDGE_SECRET_KEY"], *self.private}
        found = []
        for name, one in self.running.items():
            if not name.startswith(("web", "worker")):
                continue
            with one.log.open("rb") as log:
                log.seek(one.read)
                said = log.read().decode("utf-8", "replace")
            one.read += len(said.encode())
            for line in said.splitlines():
                bad = [secret for secret in private if _stands_in(secret, line) or _stands_in(json.dumps(secret)[1:-1], line)]
                bad += PRIVATE.findall(line) + [word for word in ("Traceback",) if word in line]
                found += [f"{name}: {', '.join(bad)}: {line[:300]}"] if bad else []
        return found

    def _none_ended(self) -> None:
        for name in ("redis", "simulator", "web", "worker"):
            if name in self.running and not self.lives(name):
                raise AssertionError(f"{name} has ended: {self.log(name)[-2000:]}")

    def _simulator_answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return self.sim.http.get(f"{self.sim.url}/_sim/counts").status_code == 200
        return False


def _stands_in(text: str, line: str) -> bool:
    """A short text counts only as a word, because ids may contain it by chance."""
    if len(text) > SHORT_TEXT:
        return text in line
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", line) is not None


def build(folder: Path) -> Machine:
    """A machine without processes."""
    command, redis_url = redis_server.prepare(folder / "redis")
    simulator = f"http://127.0.0.1:{redis_server.free_port()}"
    http = httpx.Client(trust_env=False, timeout=30, limits=httpx.Limits(keepalive_expiry=1))
    keys.load(folder / "simulator")
    port = redis_server.free_port()
    environ = {
        **clean_environment(os.environ),
        "PORT": str(port),
        "GHL_REDIRECT_URL": f"http://127.0.0.1:{port}/oauth/callback",
        "REDIS_URL": redis_url,
        "WORKER_CONCURRENCY": "20",
        "GHL_API_URL": simulator,
        "GHL_WEBHOOK_KEYS": str(folder / "simulator" / keys.PUBLIC_KEY_FILE),
        "ASSISTABLE_URL": f"{simulator}/v2/ghl-chat-completion",
        "ASSISTABLE_TOKEN": ASSISTABLE_TOKEN,
        "BRIDGE_SECRET_KEY": Fernet.generate_key().decode(),
        "BRIDGE_WORKFLOW_SECRET": f"workflow-secret-of-last-year,{WORKFLOW_SECRET}",
        "BRIDGE_DATA_DIR": str(folder / "data"),
        "BRIDGE_LEASE_SECONDS": "2",
        "GHL_CLIENT_ID": CLIENT_ID,
        "GHL_CLIENT_SECRET": CLIENT_SECRET,
        "BRIDGE_RETRY_DELAYS": "0.2,0.4,0.8",
        "BRIDGE_READBACK_SECONDS": "0.3,0.6",
    }
    redis = Redis.from_url(redis_url, decode_responses=True, socket_timeout=5)
    return Machine(folder, Simulator(simulator, http), redis, environ, command, http)
