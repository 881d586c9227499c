"""The weekly report reaches its readers once: posted like an alert, or sent by a real SMTP server."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from datetime import datetime
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest

from bridge.errors import Misconfigured, Retryable
from bridge.operating.alerting import Alerting
from bridge.operating.reporting import Reporting
from bridge.operating.services import AdminServices
from bridge.operating.weekly_report import WeeklyReport, last_week
from bridge.settings import from_environment
from bridge.store.redis.connection import now_ms
from bridge.wire.calls import Wire
from bridge.wire.mail import send_mail
from tests.keys import key
from tests.other_side import OtherSide, answering, http
from tests.stored import FERNET_KEY, eventually, keep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


class Smtp(socketserver.StreamRequestHandler):
    """A mail server that accepts all mails, or refuses recipients."""

    server: Mailbox

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            verb = line.split(None, 1)[0].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            refused = verb == b"RCPT" and self.server.refuses
            self.wfile.write(b"550 no\r\n" if refused else b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return


class Mailbox(socketserver.ThreadingTCPServer):
    """The received mails."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Smtp)
        self.mails: list[bytes] = []
        self.refuses = False

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


@contextmanager
def processes(redis_url: str, **environ: str) -> Iterator[list[Reporting]]:
    """Two processes that send reports."""
    settings = from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, **environ})
    services = [AdminServices(settings) for _ in range(2)]
    running = [Reporting(one, every=0.02) for one in services]
    threads = [threading.Thread(target=one.run) for one in running]
    for thread in threads:
        thread.start()
    try:
        yield running
    finally:
        for one, thread, each in zip(running, threads, services, strict=True):
            one.stop()
            thread.join(10)
            each.close()


def week(redis: Redis) -> str:
    """A location with a message in the reported week; its Monday."""
    keep(redis, name="Acme Dental")
    monday = last_week(now_ms(redis), "UTC")
    at = round(datetime.fromisoformat(f"{monday}T10:00+00:00").timestamp()) // 60
    redis.rpush(key("reported"), f"here a {at}", f"here r {at} 9")
    return monday


def test_it_is_mailed_once(redis: Redis, redis_url: str, mailbox: Mailbox) -> None:
    """One of two processes sends it to all recipients."""
    monday = week(redis)
    environ = {"BRIDGE_SMTP_URL": mailbox.url, "BRIDGE_REPORT_TO": "a@example.com, b@example.com", "BRIDGE_WEEKLY_REPORT": "mail"}
    with processes(redis_url, **environ):
        eventually(lambda: mailbox.mails)
        eventually(lambda: not redis.exists(key("alerts", "mail")))
        threading.Event().wait(0.1)
    (mail,) = [message_from_bytes(one, policy=policy.default) for one in mailbox.mails]
    assert (mail["To"], mail["From"]) == ("a@example.com, b@example.com", "a@example.com")
    assert mail["Subject"].startswith(f"ghl-bridge, {monday} to ")
    body = mail.get_body()
    assert body is not None
    assert "Acme Dental: 1 messages, 1 answered, half of the replies within" in body.get_content()


def test_it_is_posted_once(redis: Redis, redis_url: str) -> None:
    """It is posted to the alert address, in order with the alerts."""
    monday = week(redis)
    with OtherSide(answering(http(200))) as receiver:
        with processes(redis_url, BRIDGE_ALERT_URL=receiver.url, BRIDGE_WEEKLY_REPORT="post"):
            eventually(lambda: redis.llen(key("alerts", "outbox")))
            threading.Event().wait(0.1)
        Alerting(redis, Wire(), url=receiver.url).deliver()
        (told,) = [request.document for request in receiver.requests]
    assert (told["cause"], told["state"]) == (f"weekly_report:{monday}", "report")
    assert "1 messages, 1 answered" in told["text"]


def test_a_mail_that_is_refused_is_tried_again(redis: Redis, redis_url: str, mailbox: Mailbox) -> None:
    """The mail is repeated until the server accepts it."""
    week(redis)
    mailbox.refuses = True
    environ = {"BRIDGE_SMTP_URL": mailbox.url, "BRIDGE_REPORT_TO": "a@example.com", "BRIDGE_WEEKLY_REPORT": "mail"}
    settings = from_environment({"REDIS_URL": redis_url, "BRIDGE_SECRET_KEY": FERNET_KEY, **environ})
    services = AdminServices(settings)
    with pytest.raises(Retryable, match=r"127\.0\.0\.1 did not accept the e-mail"):
        WeeklyReport(services).once()
    assert redis.llen(key("alerts", "mail")) == 1
    mailbox.refuses = False
    redis.delete(key("alerts", "mailing"))
    WeeklyReport(services).once()
    assert len(mailbox.mails) == 1
    services.close()


def test_it_is_off_unless_it_is_wanted(redis: Redis, redis_url: str) -> None:
    """An alert address alone gets no report."""
    week(redis)
    services = AdminServices(from_environment({"REDIS_URL": redis_url, "BRIDGE_ALERT_URL": "http://127.0.0.1:1"}))
    WeeklyReport(services).once()
    assert not redis.exists(key("alerts", "outbox"))
    services.close()


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"BRIDGE_WEEKLY_REPORT": "post"}, "BRIDGE_ALERT_URL is not set"),
        ({"BRIDGE_WEEKLY_REPORT": "mail", "BRIDGE_REPORT_TO": "a@b.c"}, "BRIDGE_SMTP_URL and BRIDGE_REPORT_TO"),
        ({"BRIDGE_WEEKLY_REPORT": "mail", "BRIDGE_SMTP_URL": "smtp://h"}, "BRIDGE_SMTP_URL and BRIDGE_REPORT_TO"),
        ({"BRIDGE_SMTP_URL": "https://h"}, "BRIDGE_SMTP_URL must be smtp://"),
    ],
)
def test_what_it_needs_is_said_at_the_start(environ: dict[str, str], told: str) -> None:
    """A report without a recipient is a wrong setting."""
    with pytest.raises(Misconfigured, match=told):
        from_environment(environ)


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        ("2026-11-30T07:59+00:00", "2026-11-16"),
        ("2026-11-30T08:00+00:00", "2026-11-23"),
        ("2026-12-06T23:00+00:00", "2026-11-23"),
    ],
)
def test_a_week_is_reported_from_monday_at_eight_on(now: str, monday: str) -> None:
    """Before that time the report is of the week before."""
    assert last_week(round(datetime.fromisoformat(now).timestamp() * 1000), "UTC") == monday


def test_no_login_is_sent_in_the_clear(mailbox: Mailbox) -> None:
    """A server without STARTTLS gets neither the password nor the mail."""
    url = mailbox.url.replace("smtp://", "smtp://user:hunter2@")
    with pytest.raises(Retryable, match="SMTPNotSupportedError") as refused:
        send_mail(url, sender="a@b.c", to=["d@e.f"], subject="s", text="t", seconds=5)
    assert "hunter2" not in str(refused.value)
    assert mailbox.mails == []


def test_nobody_listens() -> None:
    """It is a temporary fault, whose text contains no address."""
    with pytest.raises(Retryable, match="ConnectionRefusedError"):
        send_mail("smtp://127.0.0.1:1", sender="a@b.c", to=["d@e.f"], subject="s", text="t", seconds=5)
