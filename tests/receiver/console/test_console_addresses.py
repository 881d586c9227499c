"""Whatever an address or a filter holds, a page answers with a sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bridge.receiver.console.app import PAGES
from tests.receiver.console.conftest import words
from tests.receiver.console.test_console_pages import answered, dead_lettered
from tests.stored import keep

if TYPE_CHECKING:
    from redis import Redis

    from tests.receiver.console.conftest import Browser

NAMES = (
    "after", "all", "cause", "channel", "csv", "day", "delivery", "from", "here", "location", "location_id", "period",
    "provider", "q", "reason", "since", "status", "step",
)  # fmt: skip
VALUES = ("zz", "-1", "%00", "9" * 5000, "%FF", "2026-99-99")
# A regular expression, a Python value, or an error's class.
INNER_WORDS = re.compile(r"\^\(|\\\\d|should match|Input should|Traceback|Error:|\[0-9\]|''")


@pytest.mark.parametrize("page", PAGES)
async def test_no_address_is_an_internal_error(operator: Browser, redis: Redis, page: str) -> None:
    """Each parameter of any page may have any value: no answer is a 5xx, and none quotes a pattern of the program."""
    keep(redis)
    answered(redis)
    dead_lettered(redis, 1)
    wrong = []
    for path in {page.format(id="here"), page.format(id="contact"), page.format(id="nobody")}:
        for query in ("", *(f"{name}={value}" for name in NAMES for value in VALUES)):
            answer = await operator.see(f"{path}?{query}")
            said = INNER_WORDS.search(words(answer).replace(query.partition("=")[2], ""))
            if answer.status_code >= 500 or said:
                wrong.append((path, query[:60], answer.status_code, said and said[0]))
    assert wrong == []


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/conversations?since=zz", "since: must be a number with s, m, h or d, like 24h"),
        ("/conversations?day=zz", "day: must be a date, like 2026-12-01"),
        ("/conversations?status=zz", "status: must be 'waiting', 'answering',"),
        ("/dead-letters?after=zz", "After: must be the `next` of another page"),
        ("/report?day=zz", "day: must be a date, like 2026-12-01"),
    ],
)
async def test_what_a_filter_needs_is_said(operator: Browser, path: str, says: str) -> None:
    """The sentence names the parameter and an example."""
    assert says in words(await operator.see(path))
