"""`ghl-bridge demo`: all processes on one machine, with a simulated GHL and completion service."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bridge.cli import redis_server
from bridge.cli.explain import tell
from bridge.cli.output import console
from bridge.cli.processes import python
from bridge.cli.up import ANYWHERE, LOOPBACK, machine, start, stay
from bridge.errors import DidNotWork, Misconfigured
from bridge.locations_file import read
from bridge.model import Status
from bridge.operating.explain import document
from bridge.settings import from_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.cli.up import Machine
    from bridge.store.lanes.timelines import Timeline

REPLY_SECONDS = 60.0
TEXT = "Hi! Do you have an appointment free on Friday?"
UNFINISHED = {Status.WAITING, Status.ANSWERING, Status.RETRYING}
LOCATIONS = """
[defaults]
ghl_token = "pit-simulated"
debounce_seconds = 1.0
provider_timeout_seconds = 20
reconcile_minutes = 0.5
media = "read"
transcription = { base_url = "URL/v1", model = "simulated-model" }
[locations.SimulatedLocation001]
name = "Simulated Dental"
assistable = { assistant_id = "simulated-assistant" }
[locations.SimulatedLocation002]
name = "Simulated Spa"
provider = "agencii"
agencii = { api_integration_id = "simulated-integration", token = "simulated", url = "URL/get_completion" }
[locations.SimulatedLocation003]
name = "Simulated Gym"
provider = "openai"
openai = { base_url = "URL/v1", model = "simulated-model", token = "simulated" }
[locations.SimulatedLocation004]
name = "Simulated Garage"
provider = "webhook"
webhook = { url = "URL/webhook/simulated", token = "simulated" }
[locations.SimulatedLocation005]
name = "Simulated Studio"
mode = "draft"
assistable = { assistant_id = "simulated-assistant" }
"""


def run(*, once: bool) -> None:
    """Start all processes, answer one message, then stay up unless `once`. Raises DidNotWork if no reply came."""
    console().print("ghl-bridge demo: everything is simulated, and no message leaves this machine", style="bold")
    with machine(_environment(os.environ)) as here:
        sandbox = _start_simulator(here)
        start(here)
        _apply_locations(here)
        _step("Redis, receiver, worker and simulator are running")
        _step(f"sandbox page  {sandbox}/")
        _step(f"console       {here.web_url}/console   token: {here.environ['BRIDGE_ADMIN_TOKEN']}")
        timeline = _one_message(here, sandbox)
        _show(timeline, sandbox)
        if not once:
            console().print(f"\nWrite as the contact at {sandbox}/   Ctrl-C stops everything.", soft_wrap=True)
            stay(here, Mishaps(here, sandbox).look)


@dataclass(slots=True)
class Mishaps:
    """Kills a process each time the sandbox page asks for it, and starts it again."""

    here: Machine
    sandbox: str
    done: dict[str, int] = field(default_factory=dict)

    def look(self) -> None:
        """Kill the processes that were requested since the last call."""
        with contextlib.suppress(OSError):
            asked = _call(self.sandbox, "/_sim/kills")["kills"]
            for name, times in asked.items():
                if times != self.done.get(name, 0):
                    self.here.processes.crash(name)
            self.done = asked


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The demo's environment, without the settings of a real install: it never uses that install's Redis or services."""
    foreign = ("REDIS_", "BROKER_", "GHL_", "ASSISTABLE_", "AGENCII_", "BRIDGE_")
    variables = {name: value for name, value in environ.items() if not name.startswith(foreign) or name == "BRIDGE_DATA_DIR"}
    if environ.get("HOST", LOOPBACK) not in {"", LOOPBACK, "localhost", *ANYWHERE}:
        raise Misconfigured("the demo accepts only 127.0.0.1, localhost or 0.0.0.0 as HOST, because its processes use 127.0.0.1")
    url = f"http://{LOOPBACK}:{redis_server.free_port()}"
    return {
        "PORT": "0",
        "WORKER_CONCURRENCY": "20",
        **variables,
        "BRIDGE_ADMIN_TOKEN": secrets.token_urlsafe(12),
        "GHL_API_URL": url,
        "ASSISTABLE_URL": f"{url}/v2/ghl-chat-completion",
        "ASSISTABLE_TOKEN": "simulated",
    }


def _start_simulator(here: Machine) -> str:
    """Start it before the receiver, which needs the simulator's public keys. Returns its URL."""
    url = here.environ["GHL_API_URL"]
    folder = from_environment(here.environ).data_dir / "simulator"
    folder.mkdir(parents=True, exist_ok=True)
    place = ("--port", url.rpartition(":")[2], "--state-dir", str(folder))
    options = (*place, "--webhook-url", f"{here.web_url}/webhooks/ghl", "--bridge-url", here.web_url, "--killable")
    here.processes.start("simulator", python("bridge.simulator", *options), here.environ)
    here.processes.wait_until("an answer of the simulator", lambda: bool(_call(url, "/_sim/counts")), seconds=20)
    here.environ["GHL_WEBHOOK_KEYS"] = (folder / "webhook_public_key.pem").read_text(encoding="ascii")
    return url


def _apply_locations(here: Machine) -> None:
    from bridge.wiring import build_locations, build_redis

    settings = from_environment(here.environ)
    url = here.environ["GHL_API_URL"]
    locations = read(LOCATIONS.replace("URL", url), {})
    for each in locations:
        _call(url, "/_sim/locations", {"id": each.location_id, "token": "pit-simulated"})
    build_locations(settings, build_redis(settings)).apply(locations)


def _one_message(here: Machine, sandbox: str) -> Timeline:
    """Send a message as the contact, and wait for its outcome. Raises DidNotWork if there is none in time."""
    from bridge.store.lanes.timelines import Timelines
    from bridge.wiring import build_redis

    began = time.monotonic()
    answer = _call(sandbox, "/_sim/say", {"channel": "SMS", "text": TEXT})
    _step(f'the contact writes by SMS: "{TEXT}"')
    timelines = Timelines(build_redis(from_environment(here.environ)))
    while time.monotonic() - began < REPLY_SECONDS:
        timeline = timelines.find(answer["message_id"])
        if timeline and timeline.messages[-1].status not in UNFINISHED:
            _step(f"{timeline.messages[-1].status} after {time.monotonic() - began:.1f} s")
            return timeline
        here.processes.check()
        time.sleep(0.05)
    raise DidNotWork(f"no reply within {REPLY_SECONDS:.0f} s; `ghl-bridge explain {answer['message_id']}` shows its latest step")


def _show(timeline: Timeline, sandbox: str) -> None:
    message = timeline.messages[-1]
    if message.status != Status.REPLIED:
        raise DidNotWork(f"the message was not answered: {message.status} {message.reason} {message.error}")
    conversation = _call(sandbox, f"/_sim/conversations/{message.conversation_id}")
    reply = next(each["body"] for each in reversed(conversation["messages"]) if each["direction"] == "outbound")
    console().print(f'\nthe reply in the conversation:\n  "{reply}"', markup=False, style="green")
    console().print(f"\nits timeline, as in `ghl-bridge explain {message.id}`:")
    tell(document(timeline))


def _step(text: str) -> None:
    console().print(f"  * {text}", markup=False, soft_wrap=True)


def _call(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})  # noqa: S310 - our own simulator
    with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
        return json.load(answer)
