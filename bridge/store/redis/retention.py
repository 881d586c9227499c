"""How long Redis remembers the ids of messages, installs and sweeps. Other retention times are settings."""

from __future__ import annotations

# Milliseconds. GHL's longest published retry schedule ends after 3 days (2026-08); twice that and a day.
REMEMBERED_MS = 7 * 24 * 3600 * 1000
