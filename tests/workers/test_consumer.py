"""Celery's consumer as the bridge runs it."""

from __future__ import annotations

import logging

import pytest

from workers.consumer import tell_lost_connections_briefly

LOST = (
    ("celery.worker.request", "Couldn't ack 1, reason: gone"),
    ("celery.worker.loops", "Error cleaning up after event loop: gone"),
)


@pytest.mark.parametrize(("name", "said"), LOST)
def test_a_lost_connection_to_the_broker_is_a_warning_without_a_traceback(
    name: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Celery logs a lost connection as an error with its traceback; here it takes a line."""
    tell_lost_connections_briefly()
    logging.getLogger(name).error(said, exc_info=ConnectionError("gone"))
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)


def test_any_other_error_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """What isn't known to be harmless is told whole."""
    tell_lost_connections_briefly()
    logging.getLogger("celery.worker.loops").error("something else", exc_info=ValueError("new"))
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info
