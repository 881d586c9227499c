"""One machine for all cases of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import structlog

from tests.proof.machine import machine_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.proof.machine import Machine

SILENT = 50


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with its own Redis, without thousands of log lines."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(SILENT))
    try:
        with machine_in(tmp_path_factory.mktemp("redis")) as machine:
            yield machine
    finally:
        structlog.configure(**before)
