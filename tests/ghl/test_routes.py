"""Routes: the kind of a request to GHL, without ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ghl.routes import DEEPEST, FIXED, route


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("POST", "/conversations/messages", "POST /conversations/messages"),
        ("GET", "/conversations/tDtDnQdgm2LXpyiqYvZ6/messages", "GET /conversations/{id}/messages"),
        ("GET", "/conversations/messages/Gfz0W1zj1lTG7nDzWjAO", "GET /conversations/messages/{id}"),
        ("GET", "/contacts/ocQHyuzHvysMo5N5VsXc", "GET /contacts/{id}"),
        ("POST", "/contacts/ocQHyuzHvysMo5N5VsXc/tags", "POST /contacts/{id}/tags"),
        ("POST", "/oauth/token", "POST /oauth/token"),
        ("GET", "/somebody@example.com/+15550100", "GET /{id}/{id}"),
    ],
)
def test_ids_are_left_out(method: str, path: str, told: str) -> None:
    """Only GHL's own words are shown; everything else in a path is an id."""
    assert route(method, path) == told


@given(st.text())
def test_there_are_not_many_routes(path: str) -> None:
    """A route has few parts, and each part is one of few."""
    parts = route("GET", path).removeprefix("GET /").split("/")
    assert len(parts) <= DEEPEST
    assert set(parts) <= FIXED | {"{id}"}
