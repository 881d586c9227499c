"""The weekly report: a few lines about the last week of all locations, posted to the alert address or sent by e-mail, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bridge.operating.reports import ReportQuery, report
from bridge.store.operators.announcements import Announcements
from bridge.store.redis.connection import now_ms
from bridge.time_zones import zone
from bridge.times import span
from bridge.wire.mail import send_mail

if TYPE_CHECKING:
    from bridge.operating.report_figures import Figures
    from bridge.operating.reports import Report
    from bridge.operating.services import AdminServices

HOUR = 8
MOST_LOCATIONS = 20
MAIL_SECONDS = 20.0


class WeeklyReport:
    """Announces and mails the report. Raises Unavailable and Misconfigured; Retryable if the mail server refuses it."""

    def __init__(self, services: AdminServices) -> None:
        self._services = services
        self._announcements = Announcements(services.redis)

    def once(self) -> None:
        """Announce last week's report, once, and mail waiting reports, from Monday 08:00 in BRIDGE_TIMEZONE."""
        way = self._services.settings.weekly_report
        if way == "off":
            return
        monday = last_week(now_ms(self._services.redis), self._services.settings.time_zone)
        what = f"weekly_report:{monday}"
        if not self._announcements.is_done(what):
            found = report.run(self._services, ReportQuery(day=monday))
            self._announcements.announce(what, text_of(found), way="mail" if way == "mail" else "outbox")
        if way == "mail":
            self._mail()

    def _mail(self) -> None:
        settings, box = self._services.settings, self._announcements.mail
        while box.may_deliver(3 * MAIL_SECONDS) and (one := box.next()):
            url = settings.smtp_url.get_secret_value() if settings.smtp_url else ""
            text, subject = one.document["text"], one.document["text"].partition("\n")[0].rstrip(":")
            sender = settings.mail_from or settings.report_to[0]
            send_mail(url, sender=sender, to=settings.report_to, subject=subject, text=text, seconds=MAIL_SECONDS)
            box.delivered(one)


def last_week(at_ms: int, time_zone: str) -> str:
    """The Monday of the newest complete week that has to be reported."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone(time_zone)) - timedelta(hours=HOUR)
    return str(moment.date() - timedelta(days=moment.weekday() + 7))


def text_of(found: Report) -> str:
    """The report as text: all locations, then those with the most messages."""
    lines = [f"ghl-bridge, {found.first_day} to {found.last_day}:", _line(found.total, found.currency)]
    lines += [f"{one.name or one.location_id}: {_line(one, found.currency)}" for one in found.locations[:MOST_LOCATIONS]]
    if len(found.locations) > MOST_LOCATIONS:
        lines.append(f"and {len(found.locations) - MOST_LOCATIONS} other locations; `ghl-bridge report --day {found.first_day}`")
    return "\n".join(lines)


def _line(one: Figures, currency: str) -> str:
    parts = [f"{one.received:,} messages", f"{one.answered:,} answered"]
    if one.median_seconds is not None:
        parts.append(f"half of the replies within {span(one.median_seconds)}")
    counts = {
        "outside hours": one.outside_hours,
        "handed over": one.handovers,
        "opt-outs": one.opt_outs,
        "not delivered": one.undelivered,
        "failed": one.dead,
    }
    parts += [f"{count:,} {what}" for what, count in counts.items() if count]
    if one.cost is not None:
        parts.append(f"cost {one.cost:,.2f} {currency}")
    return ", ".join(parts)
