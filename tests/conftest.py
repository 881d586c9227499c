"""What all tests share: their own real Redis, started with the project's own configuration, and the order of files."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from bridge.cli import redis_server
from bridge.store.redis.connection import connect
from infra.dev import cluster

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from redis import Redis

    from infra.dev.cluster import Cluster


TESTS = Path(__file__).parent
# Files that take longer than 20 s each, longest first: begun last, one of them would keep a single core busy at the end.
# Those that compute stand beside those that wait (stories).
LONGEST = (
    "proof/test_singles_otherwise.py",
    "proof/test_singles.py",
    "browser/test_browser_sandbox.py",
    "story/test_story_holes.py",
    "infra/test_infra_installers.py",
    "story/test_story_workflow.py",
    "infra/test_infra_commands.py",
    "story/test_story_crash.py",
    "infra/test_infra_image.py",
    "story/test_story_up.py",
    "proof/test_planted.py",
    "story/test_story_rabbitmq.py",
    "browser/test_browser_console.py",
    "story/test_story_guards.py",
    "proof/test_walk.py",
    "story/test_story_soak.py",
    "browser/test_browser_every_page.py",
    "story/test_story_dead_letters.py",
    "story/test_story_sweep.py",
    "story/test_story_tls.py",
    "cli/test_cli_manners.py",
    "story/test_story_completion_faults.py",
    "store/redis/test_cluster.py",
    "story/test_story_resources.py",
    "receiver/test_api_openapi.py",
    "story/test_story_media.py",
    "browser/test_browser_lists.py",
    "story/test_story_rabbitmq_limits.py",
    "receiver/console/test_console_pages.py",
    "story/test_story_install.py",
    "story/test_story_other_bot.py",
    "answering/test_resolving.py",
    "test_text_speed.py",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--cluster`: whatever has a Redis of the session has a cluster of three primaries instead."""
    parser.addoption("--cluster", action="store_true", help="run against a Redis cluster of three primaries")


def pytest_configure() -> None:
    """An example of Hypothesis may take its time: beside other work a single one has taken longer than the usual 200 ms."""
    settings.register_profile("project", deadline=None)
    settings.load_profile("project")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage, and keep thousands of tests out of every later look: half of a collection's CPU."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first; the others keep their order. With `--cluster`, skip what is about a single server."""
    ranks = {TESTS / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))
    for item in items if config.getoption("--cluster") else ():
        if marker := item.get_closest_marker("one_server"):
            item.add_marker(pytest.mark.skip(reason=marker.args[0]))


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis with append-only file for the whole session."""
    if request.config.getoption("--cluster"):
        yield request.getfixturevalue("redis_cluster").url
        return
    with redis_server.running(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """An empty Redis."""
    client = connect(redis_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three primaries for the whole session, with what earlier tests left."""
    with cluster.running(tmp_path_factory.mktemp("cluster"), replicas=0) as found:
        yield found
