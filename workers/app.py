"""The Celery app and its configuration, with the reasons."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from celery import Celery, signals
from kombu import Connection

from bridge import logs
from bridge.broker import OLDER_QUEUE, REDIS_TRANSPORT, is_on_redis, tls
from bridge.errors import Misconfigured
from bridge.metrics import Tally
from bridge.operating.alerting import build_alerting
from bridge.operating.key_presence import build_key_presence
from bridge.operating.reporting import build_reporting
from bridge.store.figures.counts import Counts
from bridge.store.locations.sweeps import Sweeps
from bridge.version_holds import VersionHolds
from bridge.wire.calls import Wire
from bridge.wiring import build_answer_services, build_heartbeat_lanes, build_redis, build_sweep_services, build_token_refresh
from workers.consumer import tell_lost_connections_briefly
from workers.count_flush import CountFlush
from workers.dispatcher import Dispatcher
from workers.heartbeat import Heartbeat
from workers.renewer import Renewer
from workers.shutdown import Shutdown
from workers.sweeper import Sweeper
from workers.tasks import register
from workers.threads import start_with_worker
from workers.version_release import VersionRelease

if TYPE_CHECKING:
    from bridge.settings import Settings


def build(settings: Settings) -> Celery:
    """Build an app whose worker answers and dispatches, once it knows its queue (`use_queue`). Raises Misconfigured."""
    _check_broker(settings.broker)
    app = Celery("ghl-bridge", set_as_current=False)
    app.conf.update(configure(settings))
    signals.setup_logging.connect(lambda **_: logs.configure(settings.log_format, settings.log_level), weak=False)
    tell_lost_connections_briefly()
    redis = build_redis(settings)
    heartbeat = Heartbeat(build_heartbeat_lanes(settings), every=settings.lease_seconds / 3)
    tally = Tally()
    reporter = CountFlush(tally, Counts(redis))
    services = build_answer_services(settings, redis, heartbeat, tally)
    leaving = threading.Event()
    task = register(app, services, leaving)
    slots = settings.worker_concurrency
    # If the broker is not on the state's own server, a claim can't publish.
    beside = {"wake_ups": task.as_list} if settings.broker == settings.state_url and is_on_redis(settings.broker) else {}
    dispatcher = Dispatcher(redis, services.lanes, slots=slots, publish=task.publish, **beside)
    sweeper = Sweeper(Sweeps(redis), services.locations, build_sweep_services(settings, redis, tally))
    version = VersionRelease(
        VersionHolds(redis=redis, locations=services.locations, ghl_access=services.ghl_access, ghl=services.ghl)
    )
    renewer = Renewer(build_token_refresh(settings, redis, Wire()))
    shutdown = Shutdown(leaving=leaving, dispatcher=dispatcher, heartbeat=heartbeat, lanes=services.lanes, report=reporter.report)
    watchers = (build_alerting(settings), build_key_presence(settings, redis), build_reporting(settings))
    until_stop = (dispatcher, *watchers, reporter, sweeper, renewer, version)
    start_with_worker(app, until_exit=heartbeat, until_stop=until_stop, leave=shutdown.begin)
    signals.worker_shutting_down.connect(lambda **_: shutdown.begin(), weak=False)
    return app


def use_queue(app: Celery, queue: str) -> Celery:
    """Publish to this queue and listen to it, and to the one of older versions that may run beside this one."""
    app.conf.task_default_queue = queue
    queues: Any = app.amqp.queues
    queues.select_add(queues.new_missing(OLDER_QUEUE))
    return app


def _check_broker(url: str) -> None:
    """Check the broker's URL; Celery would fail while it connects, with a traceback. Raises Misconfigured."""
    try:
        Connection(url, ssl=tls(url)).get_transport_cls()
    except (KeyError, TypeError, ValueError, ImportError):
        # From None: the error's own text may contain the URL with its password.
        raise Misconfigured("BROKER_URL can't be used: it must be redis://, rediss:// or amqp://HOST:PORT") from None


def configure(settings: Settings) -> dict[str, Any]:
    """Celery's settings. Their measurements are in infra/decisions/0001."""
    on_redis = is_on_redis(settings.broker)
    return {
        "broker_url": settings.broker,
        "broker_transport": "workers.redis_transport:TolerantTransport" if on_redis else None,
        "broker_transport_options": REDIS_TRANSPORT if on_redis else {},
        "broker_use_ssl": tls(settings.broker),
        # The worker may start before its broker, and reconnects whenever the broker is reachable again.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # Only by queue name: a named exchange without its binding drops messages without any error.
        "task_create_missing_queues": True,
        "task_default_queue_type": "classic" if on_redis else "quorum",
        "task_create_missing_queue_type": "classic" if on_redis else "quorum",
        "worker_consumer": "workers.consumer:Consumer",
        # gevent failed acks and did not restore tasks; prefork costs 87 MB a slot, a thread 40 KB.
        "worker_pool": "workers.pool:TaskPool",
        "worker_concurrency": settings.worker_threads,
        # A wake-up is acknowledged when its turn is over, and fetched only for a free slot.
        "task_acks_late": True,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": on_redis,
        # A running completion is already paid for: it is finished, and its lease decides whether it still counts.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # The flow stores the outcome in Redis, so Celery has no result to store.
        "task_ignore_result": True,
        "result_backend": None,
        "task_serializer": "json",
        "accept_content": ["json"],
        # These events have no consumer, and cost messages.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "task_send_sent_event": False,
        "worker_hijack_root_logger": False,
        "worker_disable_rate_limits": True,
    }
