"""Settings of alerts and reports; a part of `settings.Settings`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from bridge import hours_notation, time_zones

if TYPE_CHECKING:
    from pydantic import ValidationInfo


def _as_web_address(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("must begin with https:// (or http:// for this machine)")
    return value


# A slash at the end would make it another address.
WholeAddress = Annotated[str, AfterValidator(_as_web_address)]
WebAddress = Annotated[WholeAddress, AfterValidator(lambda value: value.rstrip("/"))]
MailAddress = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]
AlertForm = Literal["auto", "json", "slack", "discord", "teams"]


class NotificationSettings(BaseSettings):
    """Where, when and in which format operators get alerts and reports."""

    alert_url: WebAddress = Field("", alias="BRIDGE_ALERT_URL")
    alert_form: AlertForm = Field("auto", alias="BRIDGE_ALERT_FORM")
    quiet_hours: Annotated[tuple[str, ...], NoDecode] = Field((), alias="BRIDGE_QUIET_HOURS")
    time_zone: str = Field("UTC", alias="BRIDGE_TIMEZONE")
    currency: str = Field("USD", alias="BRIDGE_CURRENCY", pattern=r"^[A-Z]{3}$")
    smtp_url: SecretStr | None = Field(None, alias="BRIDGE_SMTP_URL")
    mail_from: MailAddress | Literal[""] = Field("", alias="BRIDGE_MAIL_FROM")
    report_to: Annotated[tuple[MailAddress, ...], NoDecode] = Field((), alias="BRIDGE_REPORT_TO")
    weekly_report: Literal["off", "post", "mail"] = Field("off", alias="BRIDGE_WEEKLY_REPORT")

    @field_validator("report_to", mode="before")
    @classmethod
    def _split_addresses(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("quiet_hours", mode="before")
    @classmethod
    def _split_hours(cls, value: object) -> object:
        """Split several entries at semicolons, because an entry may contain commas."""
        parts = [part.strip() for part in value.split(";") if part.strip()] if isinstance(value, str) else value
        for part in parts if isinstance(parts, list) else ():
            hours_notation.parse(part)
        return parts

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"smtps?://([^@/\s]+@)?[^@/:\s]+(:\d+)?/?", value.get_secret_value()):
            raise ValueError("must be smtp://USER:PASSWORD@HOST:PORT, or smtps:// for TLS from the start")
        return value

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, value: str) -> str:
        if value not in time_zones.names():
            raise ValueError("is not a time zone of the IANA list, like Europe/Berlin")
        return value

    @field_validator("weekly_report")
    @classmethod
    def _check_way(cls, value: str, info: ValidationInfo) -> str:
        if value == "post" and not info.data.get("alert_url"):
            raise ValueError("is post, but BRIDGE_ALERT_URL is not set")
        if value == "mail" and not (info.data.get("smtp_url") and info.data.get("report_to")):
            raise ValueError("is mail, but BRIDGE_SMTP_URL and BRIDGE_REPORT_TO are not both set")
        return value
