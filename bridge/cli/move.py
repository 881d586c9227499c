"""`ghl-bridge move`: the state moves into another Redis, such as a cluster."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bridge.cli.context import settings
from bridge.cli.output import print_json, working
from bridge.errors import DidNotWork, WrongInput
from bridge.redis_url import check_redis_url
from bridge.store.redis.connection import connect
from bridge.store.redis.moving import move

if TYPE_CHECKING:
    from pathlib import Path


def run(file: Path, *, as_json: bool) -> None:
    """Move the state of REDIS_URL to the Redis whose URL is in the file. Raises WrongInput, DidNotWork, Unavailable."""
    here = settings()
    if here.bridge_url:
        raise DidNotWork("a move needs both Redis servers: run it with REDIS_URL and without BRIDGE_URL")
    url = _read(file)
    with connect(here.state_url) as source, connect(url) as target, working("moving the state"):
        keys = move(source, target)
    if as_json:
        print_json({"keys": keys})
        return
    print(f"moved {keys} keys; set REDIS_URL to the new Redis for every receiver, worker and command line, then start them")


def _read(file: Path) -> str:
    try:
        url = (sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"{file} can't be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}") from None
    try:
        check_redis_url(url)
    except ValueError as error:
        raise WrongInput(f"the URL of the new Redis {error}") from None
    return url
