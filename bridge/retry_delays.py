"""The retry delays: the waits between the attempts of a turn in seconds, unless BRIDGE_RETRY_DELAYS is set.

`policy/retry.py` decides by them: after the last one the message becomes a dead letter. Waits within seconds: `wire/backoff.py`.
"""

from __future__ import annotations

RETRY_DELAYS: tuple[float, ...] = (30, 120, 300, 900, 1800, 3600, 3600)
