"""The report's page without a browser: empty reports, and impossible ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.keys import key
from tests.operating.test_operating_reports import THURSDAY, minute
from tests.receiver.console.conftest import words
from tests.stored import keep

if TYPE_CHECKING:
    from redis import Redis

    from tests.receiver.console.conftest import Browser


async def test_a_report_of_nothing_says_so(operator: Browser, redis: Redis) -> None:
    """This holds for all locations, and for one."""
    keep(redis)
    assert "No message in this time" in words(await operator.see("/report"))
    assert "By day" in words(await operator.see("/report?location_id=here"))


async def test_what_can_not_be_reported_is_told_in_its_place(operator: Browser, redis: Redis) -> None:
    """For an unknown location, period or day the page is shown with an error, and a file is refused."""
    keep(redis)
    wrong = {"location_id=nobody": "nobody is not known", "period=year": "period", "day=2026-02-30": "2026-02-30"}
    for asked, told in wrong.items():
        answer = await operator.see(f"/report?{asked}")
        assert answer.status_code == 200
        assert told in words(answer)
        assert (await operator.see(f"/report.csv?{asked}")).status_code in {400, 404, 422}


async def test_a_report_is_a_file_too(operator: Browser, redis: Redis) -> None:
    """Its name says what it contains."""
    keep(redis)
    redis.rpush(key("reported"), f"here a {minute(f'{THURSDAY}T10:00')}")
    answer = await operator.see(f"/report.csv?location_id=here&period=day&day={THURSDAY}")
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''report-here-{THURSDAY}-day.csv"
    assert answer.text.splitlines()[1].startswith(f"{THURSDAY},1,0")
