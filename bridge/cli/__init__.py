"""The command line `ghl-bridge`, one module per command group.

Errors are printed to standard error as one sentence. Exit codes: 0 done, 1 failed, 2 wrong input, 78 wrong settings.
"""

from __future__ import annotations

import sys

from bridge.errors import BridgeError, Misconfigured, Unavailable

ENV_FILE = ".env"


def main() -> None:
    """Run one command."""
    from bridge.cli.bidi import Escaping
    from bridge.cli.commands import build

    sys.stdout, sys.stderr = Escaping(sys.stdout), Escaping(sys.stderr)
    try:
        _load_env_file()
        build()(prog_name="ghl-bridge")
    except BridgeError as error:
        for line in _sentences(error):
            print(f"ghl-bridge: {line}", file=sys.stderr)
        raise SystemExit(getattr(error, "exit_code", 1)) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _load_env_file() -> None:
    """Read variables that the environment lacks from `.env` in this folder, like `docker compose`. Raises Misconfigured."""
    from dotenv import load_dotenv

    try:
        load_dotenv(ENV_FILE, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise Misconfigured(f"{ENV_FILE} in this folder can't be read: {why}") from None


def _sentences(error: BridgeError) -> list[str]:
    lines = str(error).splitlines()
    if isinstance(error, Unavailable):
        lines[-1] += "; `ghl-bridge doctor` checks REDIS_URL and the other settings"
    return lines
