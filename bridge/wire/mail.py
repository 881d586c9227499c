"""E-mail by SMTP: one message in one connection, encrypted if there is a login."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bridge.errors import Retryable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from urllib.parse import SplitResult

SUBMISSION, SUBMISSION_TLS = 587, 465


def send_mail(url: str, *, sender: str, to: Sequence[str], subject: str, text: str, seconds: float) -> None:
    """Send a plain text by `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS if the server has it) or `smtps://` (TLS from the start).

    A step of the conversation takes at most `seconds`. With a login, an unencrypted connection is refused. Raises Retryable.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ", ".join(to), subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2] or None)
    message.set_content(text)
    at = urlsplit(url)
    try:
        with _connected(at, seconds) as server:
            if at.username:
                server.login(unquote(at.username), unquote(at.password or ""))
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        # A server's own text may contain addresses.
        code = getattr(error, "smtp_code", None)
        why = f"SMTP {code}" if code else type(error).__name__
        raise Retryable(f"the mail server {at.hostname} did not accept the e-mail: {why}") from None


def _connected(at: SplitResult, seconds: float) -> smtplib.SMTP:
    host, context = at.hostname or "", ssl.create_default_context()
    if at.scheme == "smtps":
        return smtplib.SMTP_SSL(host, at.port or SUBMISSION_TLS, timeout=seconds, context=context)
    server = smtplib.SMTP(host, at.port or SUBMISSION, timeout=seconds)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=context)
        server.ehlo()
    elif at.username:
        server.close()
        raise smtplib.SMTPNotSupportedError("no STARTTLS")
    return server
