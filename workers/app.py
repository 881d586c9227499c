"""The Celery app: how it is configured, and why."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from celery import Celery, signals
from kombu import Connection

from bridge import logs
from bridge.broker import QUEUE, REDIS_TRANSPORT, is_on_redis, tls
from bridge.errors import Misconfigured
from bridge.metrics import Tally
from bridge.operating.alerting import build_alerting
from bridge.operating.key_presence import build_key_presence
from bridge.store.figures.counts import Counts
from bridge.store.locations.sweeps import Sweeps
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

if TYPE_CHECKING:
    from bridge.settings import Settings


def build(settings: Settings) -> Celery:
    """An app whose worker answers and dispatches. Raises Misconfigured."""
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
    dispatcher = Dispatcher(redis, services.lanes, slots=settings.worker_concurrency, publish=task.publish)
    sweeper = Sweeper(Sweeps(redis), services.locations, build_sweep_services(settings, redis, tally))
    renewer = Renewer(build_token_refresh(settings, redis, Wire()))
    shutdown = Shutdown(leaving=leaving, dispatcher=dispatcher, heartbeat=heartbeat, lanes=services.lanes, report=reporter.report)
    until_stop = (dispatcher, build_alerting(settings), build_key_presence(settings, redis), reporter, sweeper, renewer)
    start_with_worker(app, until_exit=heartbeat, until_stop=until_stop, leave=shutdown.begin)
    signals.worker_shutting_down.connect(lambda **_: shutdown.begin(), weak=False)
    return app


def _check_broker(url: str) -> None:
    """Celery itself would find out while it connects, and end with a traceback."""
    try:
        Connection(url, ssl=tls(url)).get_transport_cls()
    except (KeyError, TypeError, ValueError, ImportError):
        # From None: the error's own text may quote the URL, which holds a password.
        raise Misconfigured("BROKER_URL is none that can be used here: give redis://, rediss:// or amqp://HOST:PORT") from None


def configure(settings: Settings) -> dict[str, Any]:
    """Celery's settings. The measurements behind them: infra/decisions/0001."""
    on_redis = is_on_redis(settings.broker)
    return {
        "broker_url": settings.broker,
        "broker_transport": "workers.redis_transport:TolerantTransport" if on_redis else None,
        "broker_transport_options": REDIS_TRANSPORT if on_redis else {},
        "broker_use_ssl": tls(settings.broker),
        # The worker starts before its broker does, and comes back whenever the broker comes back.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # By queue name only: a named exchange whose binding is lost drops messages without a word.
        "task_default_queue": QUEUE,
        "task_create_missing_queues": True,
        "task_default_queue_type": "classic" if on_redis else "quorum",
        "worker_consumer": "workers.consumer:Consumer",
        # gevent failed acks and did not restore tasks; prefork costs 87 MB a slot, a thread 40 KB.
        "worker_pool": "workers.pool:TaskPool",
        "worker_concurrency": settings.worker_threads,
        # A wake-up is acknowledged when its work is over, one is fetched when a slot is free.
        "task_acks_late": True,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": on_redis,
        # A completion in flight is paid for: it ends, and its lease decides whether it still counts.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # The outcome stands in Redis, written by the flow: Celery has none to keep.
        "task_ignore_result": True,
        "result_backend": None,
        "task_serializer": "json",
        "accept_content": ["json"],
        # Nobody listens to these, and each costs messages.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "task_send_sent_event": False,
        "worker_hijack_root_logger": False,
        "worker_disable_rate_limits": True,
    }
