"""Settings: the environment, read once at the start and passed on as one frozen value.

infra/env.example names each with its default and meaning, and infra/docs/reference/settings.md is generated from both.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bridge.errors import Misconfigured
from bridge.notification_settings import NotificationSettings, WebAddress, WholeAddress
from bridge.redis_url import REDIS, check_redis_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_settings import PydanticBaseSettingsSource

# https://marketplace.gohighlevel.com/docs/webhook/WebhookIntegrationGuide, read 2026-08-30: Ed25519, then legacy RSA.
GHL_PUBLISHED_KEYS = """\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=
-----END PUBLIC KEY-----
-----BEGIN PUBLIC KEY-----
MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAokvo/r9tVgcfZ5DysOSC
Frm602qYV0MaAiNnX9O8KxMbiyRKWeL9JpCpVpt4XHIcBOK4u3cLSqJGOLaPuXw6
dO0t6Q/ZVdAV5Phz+ZtzPL16iCGeK9po6D6JHBpbi989mmzMryUnQJezlYJ3DVfB
csedpinheNnyYeFXolrJvcsjDtfAeRx5ByHQmTnSdFUzuAnC9/GepgLT9SM4nCpv
uxmZMxrJt5Rw+VUaQ9B8JSvbMPpez4peKaJPZHBbU3OdeCVx5klVXXZQGNHOs8gF
3kvoV5rTnXV0IknLBXlcKKAQLZcY/Q9rG6Ifi9c+5vqlvHPCUJFT5XUGG5RKgOKU
J062fRtN+rLYZUV+BjafxQauvC8wSWeYja63VSUruvmNj8xkx2zE/Juc+yjLjTXp
IocmaiFeAO6fUtNjDeFVkhf5LNb59vECyrHD2SQIrhgXpO4Q3dVNA5rw576PwTzN
h/AMfHKIjE4xQA1SZuYJmNnmVZLIZBlQAF9Ntd03rfadZ+yDiOXCCs9FkHibELhC
HULgCsnuDJHcrGNd5/Ddm5hxGQ0ASitgHeMZ0kcIOwKDOzOU53lDza6/Y09T7sYJ
PQe7z0cvj7aE4B+Ax1ZoZGPzpJlZtGXCsu9aTEGEnKzmsFqwcSsnw3JB31IGKAyk
T1hhTiaCeIY/OwwwNUY2yvcCAwEAAQ==
-----END PUBLIC KEY-----
"""


LegacySignatures = Literal["auto", "1", "0"]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...] | None, NoDecode]
Waits = Annotated[tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)], ...], NoDecode]


class Settings(NotificationSettings):
    """All environment settings of the processes. Durations are seconds."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=True)

    port: int = Field(8000, alias="PORT", ge=0, le=65535)
    host: str = Field("0.0.0.0", alias="HOST")  # noqa: S104 - the web process is what the outside talks to
    web_concurrency: int = Field(1, alias="WEB_CONCURRENCY", ge=1, le=64)
    redis_url: SecretStr | None = Field(None, alias="REDIS_URL")
    broker_url: SecretStr | None = Field(None, alias="BROKER_URL")
    data_dir: Path = Field(Path(".ghl-bridge"), alias="BRIDGE_DATA_DIR")
    bridge_url: WebAddress = Field("", alias="BRIDGE_URL")
    worker_concurrency: int = Field(200, alias="WORKER_CONCURRENCY", ge=1, le=2000)
    ghl_api_url: WebAddress = Field("https://services.leadconnectorhq.com", alias="GHL_API_URL")
    ghl_app_domain: WebAddress = Field("https://app.gohighlevel.com", alias="GHL_APP_DOMAIN")
    ghl_webhook_keys: str = Field(GHL_PUBLISHED_KEYS, alias="GHL_WEBHOOK_KEYS")
    ghl_legacy_signatures: LegacySignatures = Field("auto", alias="GHL_LEGACY_SIGNATURES")
    ghl_api_version: str = Field("", alias="GHL_API_VERSION", pattern=r"^[\w.-]{0,32}$")
    ghl_app_id: str = Field("", alias="GHL_APP_ID")
    ghl_client_id: str = Field("", alias="GHL_CLIENT_ID")
    ghl_client_secret: SecretStr | None = Field(None, alias="GHL_CLIENT_SECRET")
    ghl_redirect_url: WebAddress = Field("", alias="GHL_REDIRECT_URL")
    assistable_url: WholeAddress = Field("https://api.assistable.ai/v2/ghl-chat-completion", alias="ASSISTABLE_URL")
    assistable_token: SecretStr | None = Field(None, alias="ASSISTABLE_TOKEN")
    agencii_url: WholeAddress = Field("https://agency-swarm-app-japboyzddq-uc.a.run.app/get_completion", alias="AGENCII_URL")
    agencii_token: SecretStr | None = Field(None, alias="AGENCII_TOKEN")
    secret_key: SecretStr | None = Field(None, alias="BRIDGE_SECRET_KEY")
    admin_token: SecretStr | None = Field(None, alias="BRIDGE_ADMIN_TOKEN")
    trusted_proxies: Networks = Field(None, alias="BRIDGE_TRUSTED_PROXIES")
    login_header: str = Field("", alias="BRIDGE_LOGIN_HEADER", pattern=r"^[A-Za-z0-9-]{0,64}$")
    workflow_secret: SecretStr | None = Field(None, alias="BRIDGE_WORKFLOW_SECRET")
    # The waits between the attempts of a turn; bridge/policy/retry.py decides by them.
    retry_delays: Waits = Field((30, 120, 300, 900, 1800, 3600, 3600), alias="BRIDGE_RETRY_DELAYS")
    lease_seconds: float = Field(30, alias="BRIDGE_LEASE_SECONDS", ge=1, allow_inf_nan=False)
    readback_seconds: Waits = Field((6, 30), alias="BRIDGE_READBACK_SECONDS")
    confirm_replicas: int = Field(0, alias="BRIDGE_CONFIRM_REPLICAS", ge=0, le=16)
    retention_days: Seconds = Field(30, alias="BRIDGE_RETENTION_DAYS")
    allow_private_urls: bool = Field(default=False, alias="BRIDGE_ALLOW_PRIVATE_URLS")
    console_show_text: bool = Field(default=True, alias="BRIDGE_CONSOLE_SHOW_TEXT")
    metrics_locations: bool = Field(default=False, alias="BRIDGE_METRICS_LOCATIONS")
    log_format: Literal["json", "text"] = Field("json", alias="BRIDGE_LOG_FORMAT")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", alias="BRIDGE_LOG_LEVEL")

    @classmethod
    def settings_customise_sources(  # type: ignore[override] # the three sources it would take from elsewhere stay unnamed
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **others: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use only the values from `from_environment`; only entry points read the environment."""
        del settings_cls, others
        return (init_settings,)

    @field_validator("retry_delays", "readback_seconds", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("ghl_webhook_keys")
    @classmethod
    def _read_keys(cls, value: str) -> str:
        if "-----BEGIN" in value:
            return _with_line_breaks(value)
        try:
            return _with_line_breaks(Path(value).read_text(encoding="utf-8"))
        except OSError as error:
            raise ValueError(f"is neither a PEM block nor a readable file ({error.strerror})") from None

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            check_redis_url(value.get_secret_value())
        return value

    @field_validator("broker_url")
    @classmethod
    def _check_broker_url(cls, value: SecretStr | None) -> SecretStr | None:
        url = value.get_secret_value() if value else ""
        if REDIS.match(url):
            check_redis_url(url)
        return value

    @field_validator("secret_key")
    @classmethod
    def _check_fernet(cls, value: SecretStr | None) -> SecretStr | None:
        for key in value.get_secret_value().split(",") if value else ():
            try:
                Fernet(key.strip())
            except ValueError:
                raise ValueError("is not a Fernet key; `ghl-bridge secrets new` prints one") from None
        return value

    @property
    def worker_threads(self) -> int:
        """The threads of a worker process: a ninth more than the slots for one location (claim.lua)."""
        return self.worker_concurrency + -(-self.worker_concurrency // 9)

    @property
    def retention_ms(self) -> int:
        """How long timelines, dead letters and ledgers are kept, in ms."""
        return max(1, round(self.retention_days * 24 * 3600 * 1000))

    @property
    def state_url(self) -> str:
        """The URL of the Redis that holds the state. Raises Misconfigured if `REDIS_URL` is unset."""
        if self.redis_url is None:
            raise Misconfigured("REDIS_URL is not set: set it to the Redis that keeps the state, like redis://127.0.0.1:6379/0")
        return self.redis_url.get_secret_value()

    @property
    def broker(self) -> str:
        """The Celery broker's URL: `BROKER_URL`, else the state's Redis."""
        return self.broker_url.get_secret_value() if self.broker_url else self.state_url

    @property
    def fernet_keys(self) -> tuple[str, ...]:
        """The keys that encrypt tokens at rest, newest first. Raises Misconfigured if `BRIDGE_SECRET_KEY` is unset."""
        if self.secret_key is None:
            raise Misconfigured("BRIDGE_SECRET_KEY is not set: `ghl-bridge secrets new` prints one to set")
        return tuple(key.strip() for key in self.secret_key.get_secret_value().split(","))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret of the environment; comma-separated ones also separately."""
        values = (value.get_secret_value() for _, value in self if isinstance(value, SecretStr))
        return tuple({part.strip() for one in values for part in (one, *one.split(",")) if part.strip()})

    @property
    def login_proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The proxies that may name an operator. Raises Misconfigured if `BRIDGE_LOGIN_HEADER` is set without them."""
        if self.login_header and not self.trusted_proxies:
            raise Misconfigured("BRIDGE_LOGIN_HEADER needs BRIDGE_TRUSTED_PROXIES, the addresses of the proxies that may send it")
        return self.trusted_proxies or ()

    @property
    def workflow_secrets(self) -> tuple[str, ...]:
        """The shared secrets of workflow webhooks; empty if `BRIDGE_WORKFLOW_SECRET` is unset."""
        given = self.workflow_secret.get_secret_value() if self.workflow_secret else ""
        return tuple(secret.strip() for secret in given.split(",") if secret.strip())


def from_environment(environ: Mapping[str, str]) -> Settings:
    """Build the settings from an environment mapping. Raises Misconfigured naming each wrong variable, never its value."""
    variables: dict[str, Any] = known(environ)
    try:
        return Settings(**variables)
    except ValidationError as error:
        faults = [f"{fault['loc'][0]} {_in_words(fault['msg'])}" for fault in error.errors(include_input=False)]
        raise Misconfigured("; ".join(dict.fromkeys(faults))) from None


def known(environ: Mapping[str, str]) -> dict[str, str]:
    """The bridge's variables of an environment; empty ones count as unset."""
    names = {field.alias for field in Settings.model_fields.values()}
    return {name: value for name, value in environ.items() if name in names and value != ""}


def _with_line_breaks(pem: str) -> str:
    r"""A PEM text with `\n` replaced by line breaks, because the forms of many hosts accept only one line."""
    return pem.replace("\\r", "").replace("\\n", "\n")


def _in_words(message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return message.replace("should be", "must be")
