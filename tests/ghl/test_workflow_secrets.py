"""Secrets of workflow webhooks: three places, and a location's own before the shared ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import Unauthorized
from bridge.ghl.workflow_secrets import keyed_hash, presented, verify
from bridge.model import LocationId

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE = LocationId("here")
NEW, OLD = "new-key", "old-key"


@pytest.mark.parametrize(
    ("headers", "path", "found"),
    [
        ({"x-bridge-secret": "s"}, "", (b"s",)),
        ({"authorization": "Bearer s"}, "", (b"s",)),
        ({"authorization": "bearer  s "}, "", (b"s",)),
        ({}, "s", (b"s",)),
        ({}, "a/b", (b"a/b",)),
        ({"x-bridge-secret": "sch\u00c3\u00b6n"}, "", ("schön".encode(),)),
        ({"authorization": "Basic eDp5", "x-bridge-secret": "s"}, "", (b"s",)),
        ({"authorization": "Bearer b", "x-bridge-secret": "h"}, "p", (b"p", b"h", b"b")),
    ],
)
def test_a_secret_is_found_in_three_places(headers: dict[str, str], path: str, found: tuple[bytes, ...]) -> None:
    """It may be in its own header, as a bearer token or in the path; each of those sent may match."""
    assert presented(headers, path) == found


@pytest.mark.parametrize("headers", [{}, {"x-bridge-secret": " "}, {"authorization": "Bearer "}, {"authorization": "Basic eDp5"}])
def test_without_a_secret_nobody_is_let_in(headers: dict[str, str]) -> None:
    """A webhook without a secret is refused."""
    with pytest.raises(Unauthorized):
        presented(headers, "")


def lets_in(secret: str, *, own: str = "", shared: Iterable[str] = (), keys: Iterable[str] = (NEW, OLD)) -> bool:
    try:
        verify([secret.encode()], HERE, own=own, shared=shared, keys=keys)
    except Unauthorized:
        return False
    return True


def test_any_shared_secret_is_valid() -> None:
    """Several are valid at once, for a rotation; if none is set, or an empty one, nothing is accepted."""
    assert lets_in("a", shared=["a", "b"])
    assert lets_in("b", shared=["a", "b"])
    assert not lets_in("c", shared=["a", "b"])
    assert not lets_in("a", shared=[])
    assert not lets_in("", shared=[""])


def test_a_locations_own_secret_is_the_only_one() -> None:
    """If a location has its own secret, no shared one is valid; it is stored as a hash under each of the keys."""
    for key in (NEW, OLD):
        own = keyed_hash(b"mine", HERE, key)
        assert lets_in("mine", own=own, shared=["shared"])
        assert not lets_in("shared", own=own, shared=["shared"])
        assert not lets_in(own, own=own)
    assert not lets_in("mine", own=keyed_hash(b"mine", HERE, "lost-key"))
    assert not lets_in("mine", own=keyed_hash(b"mine", LocationId("there"), NEW))
    assert not lets_in("mine", own=keyed_hash(b"mine", HERE, NEW), keys=())


def test_a_refusal_tells_no_secret() -> None:
    """The log has neither the received secret nor the expected one."""
    with pytest.raises(Unauthorized) as caught:
        verify([b"guess"], HERE, own="", shared=["right"], keys=[])
    assert not {"guess", "right"} & set(str(caught.value).split())
