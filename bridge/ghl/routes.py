"""GHL's paths with ids replaced, as labels of metrics."""

from __future__ import annotations

# Every fixed part of the paths that the bridge calls; whatever else stands in a path is an id.
FIXED = frozenset({
    "contacts", "tags", "conversations", "messages", "search", "locations", "oauth", "token", "locationToken",
    "installedLocations", "upload", "email", "export", "duplicate", "calendars",
})  # fmt: skip
DEEPEST = 5


def route(method: str, path: str) -> str:
    """The kind of a request, like `GET /contacts/{id}/tags`."""
    parts = path.strip("/").split("/")[:DEEPEST]
    return f"{method} /" + "/".join(part if part in FIXED else "{id}" for part in parts)
