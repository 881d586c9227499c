"""The options of one simulator, from the command line or from a test."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Echo: TypeAlias = Literal["on", "off", "before"]
Legacy: TypeAlias = Literal["off", "both", "only"]

HOST = "127.0.0.1"
LOCATION_ID = "SimulatedLocation001"
GHL_TOKEN = "pit-simulated"  # noqa: S105 - opens nothing but this simulator
CLIENT_ID = "665c6bb13d4e5364bdec0e2f-simulated"
CLIENT_SECRET = "secret-of-the-simulated-app"  # noqa: S105 - likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What can be changed while it runs, by `POST /_sim/defaults`; all durations are in seconds."""

    webhook_url: str = ""
    retry_delays: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0)
    webhook_timeout: float = 10.0
    legacy_signature: Legacy = "off"
    echo: Echo = "on"
    echo_seconds: float = 0.0
    echo_source: str = "api"
    completion_seconds: float = 0.0
    completion_token: str = ""
    deliver: bool = False
    post_seconds: float = 0.0
    read_seconds: float = 0.0
    list_lag_seconds: float = 0.0
    files_elsewhere: bool = False
    workflow_url: str = ""
    token_seconds: float = 86399
    oauth_seconds: float = 0.0
    refresh_seconds: float = 30.0
    rate_limit: int = 100
    rate_seconds: float = 10.0
    clock_skew_seconds: float = 0.0
    media_late_seconds: float = 2.0
    media_url_seconds: float = 3600.0
    retired_versions: tuple[str, ...] = ()
    spoken: str = "Do you open on Sunday?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of one simulator. Its first location and token exist from the start; others are added by the control API."""

    state_dir: Path
    host: str = HOST
    port: int = 0
    port_file: Path | None = None
    location_id: str = LOCATION_ID
    ghl_token: str = GHL_TOKEN
    app_id: str = "665c6bb13d4e5364bdec0e2f"
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    seed: int | None = None
    bridge_url: str = ""
    bridge_note: Path | None = None
    admin_token: str = field(default="", repr=False)
    killable: bool = False
    defaults: Defaults = field(default_factory=Defaults)


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line of `python -m bridge.simulator`.

    The token comes from the environment, because command lines are visible to all users.
    """
    given = _parser().parse_args(arguments)
    return Options(
        state_dir=given.state_dir,
        host=given.host,
        port=given.port,
        port_file=given.port_file,
        location_id=given.location_id,
        ghl_token=given.ghl_token,
        seed=given.seed,
        bridge_url=given.bridge_url,
        bridge_note=given.bridge_note,
        killable=given.killable,
        admin_token=os.environ.get("BRIDGE_ADMIN_TOKEN", ""),
        defaults=_defaults(given),
    )


def _defaults(given: argparse.Namespace) -> Defaults:
    return Defaults(
        webhook_url=given.webhook_url,
        retry_delays=given.retry_delays,
        legacy_signature=given.legacy_signature,
        echo=given.echo,
        echo_seconds=given.echo_seconds,
        completion_seconds=given.completion_seconds,
        completion_token=given.completion_token,
        deliver=given.deliver,
        post_seconds=given.post_seconds,
        rate_limit=given.rate_limit,
    )


def _parser() -> argparse.ArgumentParser:
    known = Defaults()
    parser = argparse.ArgumentParser(prog="python -m bridge.simulator", description="GHL and completion services, simulated.")
    add = parser.add_argument
    add("--host", default=os.environ.get("HOST") or HOST, help="address to listen on; the default is the environment's HOST")
    add("--port", type=int, default=0, help="0 chooses a free port")
    add("--port-file", type=Path, help="file to write the port to after the start")
    add("--state-dir", type=Path, required=True, help="directory for the webhooks' signing keys")
    add("--webhook-url", default="", help="the address webhooks are sent to; without it none are sent")
    add("--location-id", default=LOCATION_ID)
    add("--ghl-token", default=GHL_TOKEN, help="bearer token of the first location and of locations that are created on demand")
    add("--completion-token", default="", help="the only bearer token that completion services accept; if empty, any")
    add("--completion-seconds", type=float, default=known.completion_seconds)
    add("--post-seconds", type=float, default=known.post_seconds)
    add("--deliver", action="store_true", help="Assistable posts its replies to GHL itself, and its answer says so")
    add("--echo", choices=("on", "off", "before"), default=known.echo, help="OutboundMessage after (or before) a post's answer")
    add("--echo-seconds", type=float, default=known.echo_seconds)
    add(
        "--retry-delays",
        type=_delays,
        default=known.retry_delays,
        help="delays (s) before webhooks are sent again, such as 0.5,1,2,5",
    )
    add(
        "--legacy-signature",
        choices=("off", "both", "only"),
        default=known.legacy_signature,
        help="sign webhooks with RSA in X-WH-Signature too",
    )
    add("--rate-limit", type=int, default=known.rate_limit, help="requests in 10 s per location; 0 means no limit")
    add("--bridge-url", default="", help="the bridge whose timelines the page shows; needs BRIDGE_ADMIN_TOKEN in the environment")
    add(
        "--bridge-note", type=Path, help="the file to which a bridge on this machine writes its settings, instead of --bridge-url"
    )
    add("--killable", action="store_true", help="the program that started the simulator kills processes on the page's request")
    add("--seed", type=int, help="makes ids repeatable")
    return parser


def _delays(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part.strip())
