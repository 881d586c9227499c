"""The command line: `ghl-bridge`, one module a command group.

Errors go to standard error as one sentence; exit codes are 0 done, 1 it did not work, 2 wrong input, 78 wrong settings.
"""

from __future__ import annotations

import sys

from bridge.errors import BridgeError


def main() -> None:
    """Run one command."""
    from bridge.cli.bidi import Escaping
    from bridge.cli.commands import build

    sys.stdout, sys.stderr = Escaping(sys.stdout), Escaping(sys.stderr)
    try:
        build()(prog_name="ghl-bridge")
    except BridgeError as error:
        print(f"ghl-bridge: {error}", file=sys.stderr)
        raise SystemExit(getattr(error, "exit_code", 1)) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
