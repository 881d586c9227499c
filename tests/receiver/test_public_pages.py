"""Pages for people who open the host in a browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bridge.operating.registry import OPERATIONS
from bridge.receiver.api.openapi import describe

if TYPE_CHECKING:
    from tests.receiver.conftest import Receiver

PAGES = ("/", "/api/docs")


async def test_the_root_tells_what_this_is(receiver: Receiver) -> None:
    """It has the name, what it does, and links to console, API and health."""
    page = (await receiver.call("GET", "/")).text

    assert "answers the conversations of GoHighLevel locations" in page
    assert {"/console/", "/api/docs", "/healthz", "/readyz"} <= set(re.findall('href="([^"]+)"', page))
    assert "infra/docs" in page


async def test_the_rendered_api_has_every_operation_and_record(receiver: Receiver) -> None:
    """It has each method and path with its parameters, and each record with its fields; a reference links to its record."""
    page, document = (await receiver.call("GET", "/api/docs")).text, describe(OPERATIONS)

    ids = re.findall('id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for each in OPERATIONS:
        assert f"<code>{each.method} /api/v1{each.path}</code>" in page
        assert each.name in ids
        assert all(f"<code>{name}</code>" in page for name in (*each.in_path, *each.in_query, *each.in_body))
    assert set(document["components"]["schemas"]) <= set(ids)
    assert {link for link in re.findall('href="#([^"]+)"', page) if link != "main"} <= set(ids)


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_comes_from_another_host(receiver: Receiver, path: str) -> None:
    """Every address on the page is of this host, no script runs there, and the policy allows nothing else."""
    answer = await receiver.call("GET", path)

    assert all(link.startswith(("/", "#")) for link in re.findall('(?:href|src|action)="([^"]*)"', answer.text))
    assert "<script" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", PAGES)
async def test_every_region_has_a_name_of_its_own(receiver: Receiver, path: str) -> None:
    """Screen readers list regions by name; a region that scrolls can be reached by keyboard."""
    page = (await receiver.call("GET", path)).text

    names = [name.lower() for name in re.findall('aria-label="([^"]+)"', page)]
    assert sorted(names) == sorted(set(names))
    assert all("tabindex" in tag for tag in re.findall("<pre[^>]*>", page))
