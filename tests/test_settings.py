"""Settings: the environment becomes values, and wrong values are named without being shown."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr, ValidationError

from bridge.errors import Misconfigured
from bridge.ghl.signature import read_keys
from bridge.settings import GHL_PUBLISHED_KEYS, Settings, from_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

# The same in every process: they stand in the names of tests.
KEYS = [urlsafe_b64encode(bytes([number] * 32)).decode() for number in (1, 2)]
SECRET = "hunter2-hunter2"

VARIABLES: list[tuple[str, str, str, object]] = [
    ("PORT", "port", "9000", 9000),
    ("HOST", "host", "127.0.0.1", "127.0.0.1"),
    ("WEB_CONCURRENCY", "web_concurrency", "4", 4),
    ("REDIS_URL", "redis_url", "rediss://:p%2Fw@h:1/0", "rediss://:p%2Fw@h:1/0"),
    ("BROKER_URL", "broker_url", "amqp://h//", "amqp://h//"),
    ("BRIDGE_DATA_DIR", "data_dir", "/x/y", Path("/x/y")),
    ("BRIDGE_URL", "bridge_url", "https://b/", "https://b"),
    ("BRIDGE_ALERT_URL", "alert_url", "https://hooks/x", "https://hooks/x"),
    ("BRIDGE_WEEKLY_REPORT", "weekly_report", "off", "off"),
    ("BRIDGE_SMTP_URL", "smtp_url", "smtp://u:p%40@mail.example:587", "smtp://u:p%40@mail.example:587"),
    ("BRIDGE_MAIL_FROM", "mail_from", "bridge@example.com", "bridge@example.com"),
    ("BRIDGE_REPORT_TO", "report_to", "a@example.com, b@example.com", ("a@example.com", "b@example.com")),
    ("BRIDGE_ALERT_FORM", "alert_form", "teams", "teams"),
    ("BRIDGE_QUIET_HOURS", "quiet_hours", "22:00-07:00; sat 00:00-24:00", ("22:00-07:00", "sat 00:00-24:00")),
    ("BRIDGE_TIMEZONE", "time_zone", "Europe/Berlin", "Europe/Berlin"),
    ("BRIDGE_CURRENCY", "currency", "EUR", "EUR"),
    ("WORKER_CONCURRENCY", "worker_concurrency", "7", 7),
    ("GHL_API_URL", "ghl_api_url", "http://127.0.0.1:1/", "http://127.0.0.1:1"),
    ("GHL_APP_DOMAIN", "ghl_app_domain", "https://app.acme.example/", "https://app.acme.example"),
    ("GHL_WEBHOOK_KEYS", "ghl_webhook_keys", "-----BEGIN X\\nY", "-----BEGIN X\nY"),
    ("GHL_LEGACY_SIGNATURES", "ghl_legacy_signatures", "0", "0"),
    ("GHL_API_VERSION", "ghl_api_version", "2023-02-21", "2023-02-21"),
    ("GHL_APP_ID", "ghl_app_id", "app", "app"),
    ("GHL_CLIENT_ID", "ghl_client_id", "id", "id"),
    ("GHL_CLIENT_SECRET", "ghl_client_secret", SECRET, SECRET),
    ("GHL_REDIRECT_URL", "ghl_redirect_url", "https://b/oauth", "https://b/oauth"),
    ("ASSISTABLE_URL", "assistable_url", "https://a/x/", "https://a/x/"),
    ("ASSISTABLE_TOKEN", "assistable_token", SECRET, SECRET),
    ("AGENCII_URL", "agencii_url", "https://a/x/", "https://a/x/"),
    ("AGENCII_TOKEN", "agencii_token", SECRET, SECRET),
    ("BRIDGE_SECRET_KEY", "secret_key", ",".join(KEYS), ",".join(KEYS)),
    ("BRIDGE_ADMIN_TOKEN", "admin_token", SECRET, SECRET),
    ("BRIDGE_TRUSTED_PROXIES", "trusted_proxies", "10.0.0.0/8, ::1", (IPv4Network("10.0.0.0/8"), IPv6Network("::1/128"))),
    ("BRIDGE_LOGIN_HEADER", "login_header", "X-Forwarded-User", "X-Forwarded-User"),
    ("BRIDGE_WORKFLOW_SECRET", "workflow_secret", SECRET, SECRET),
    ("BRIDGE_RETRY_DELAYS", "retry_delays", "0.5, 2,3", (0.5, 2, 3)),
    ("BRIDGE_RETRY_DELAYS", "retry_delays", ",", ()),
    ("BRIDGE_LEASE_SECONDS", "lease_seconds", "1.5", 1.5),
    ("BRIDGE_READBACK_SECONDS", "readback_seconds", "0.1,0.2", (0.1, 0.2)),
    ("BRIDGE_RETENTION_DAYS", "retention_days", "0.25", 0.25),
    ("BRIDGE_CONFIRM_REPLICAS", "confirm_replicas", "2", 2),
    ("BRIDGE_ALLOW_PRIVATE_URLS", "allow_private_urls", "1", True),
    ("BRIDGE_CONSOLE_SHOW_TEXT", "console_show_text", "0", False),
    ("BRIDGE_METRICS_LOCATIONS", "metrics_locations", "1", True),
    ("BRIDGE_LOG_FORMAT", "log_format", "text", "text"),
    ("BRIDGE_LOG_LEVEL", "log_level", "debug", "debug"),
]


def plain(value: object) -> object:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def told(environ: Mapping[str, str]) -> str:
    with pytest.raises(Misconfigured) as caught:
        from_environment(environ)
    return str(caught.value)


@pytest.mark.parametrize(("variable", "field", "given", "expected"), VARIABLES)
def test_a_variable_becomes_a_setting(variable: str, field: str, given: str, expected: object) -> None:
    """Each variable is read; an empty one counts as absent."""
    assert plain(getattr(from_environment({variable: given}), field)) == expected
    assert from_environment({variable: ""}) == from_environment({})


def test_every_setting_has_a_variable_tested_above() -> None:
    """No setting is untested."""
    assert {(variable, field) for variable, field, _, _ in VARIABLES} == {
        (about.alias, field) for field, about in Settings.model_fields.items()
    }


def test_an_empty_environment_has_the_defaults_of_the_contract() -> None:
    """No variable is required to read the settings."""
    settings = from_environment({})
    assert (settings.port, settings.web_concurrency, settings.worker_concurrency, settings.lease_seconds) == (8000, 1, 200, 30)
    assert list(settings.retry_delays) == [30, 120, 300, 900, 1800, 3600, 3600]
    assert list(settings.readback_seconds) == [6, 30]
    assert settings.retention_days == 30
    assert settings.log_format == "json"
    assert settings.ghl_webhook_keys == GHL_PUBLISHED_KEYS
    assert (settings.allow_private_urls, settings.console_show_text) == (False, True)


def test_only_what_is_handed_in_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the process' environment nor a .env file is read."""
    monkeypatch.setenv("PORT", "1234")
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("WEB_CONCURRENCY=9\n", encoding="utf-8")
    assert from_environment({}) == from_environment({"UNRELATED": "x", "port": "5"})
    assert (from_environment({}).port, from_environment({}).web_concurrency) == (8000, 1)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", SECRET),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("WEB_CONCURRENCY", "0"),
        ("WORKER_CONCURRENCY", "1.5"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "http://hunter2-hunter2"),
        ("REDIS_URL", "redis://:hunter2/hunter2@host:6379/0"),
        ("REDIS_URL", "redis://host:99999/0"),
        ("REDIS_URL", "redis://[::1/0"),
        ("REDIS_URL", "rediss://:hunter2@h/0?ssl_cert_reqs=CERT_NONE"),
        ("REDIS_URL", "rediss://:hunter2@h/0?ssl_ca_certs=/nowhere/ca.pem"),
        ("BROKER_URL", "rediss://:hunter2@h/0?ssl_cert_reqs=never"),
        ("BRIDGE_URL", SECRET),
        ("BRIDGE_ALERT_URL", SECRET),
        ("GHL_API_URL", "services.leadconnectorhq.com"),
        ("GHL_REDIRECT_URL", SECRET),
        ("ASSISTABLE_URL", "ftp://hunter2-hunter2"),
        ("AGENCII_URL", SECRET),
        ("GHL_WEBHOOK_KEYS", "/nowhere/hunter2-hunter2"),
        ("GHL_WEBHOOK_KEYS", "/"),
        ("GHL_LEGACY_SIGNATURES", SECRET),
        ("GHL_API_VERSION", f"{SECRET} {SECRET}"),
        ("BRIDGE_SECRET_KEY", SECRET),
        ("BRIDGE_SECRET_KEY", f"{KEYS[0]},{SECRET}"),
        ("BRIDGE_SECRET_KEY", f"{KEYS[0]},"),
        ("BRIDGE_SECRET_KEY", "schlüssel"),
        ("BRIDGE_RETRY_DELAYS", "30,hunter2-hunter2"),
        ("BRIDGE_RETRY_DELAYS", "-1"),
        ("BRIDGE_RETRY_DELAYS", "1,inf"),
        ("BRIDGE_READBACK_SECONDS", "nan"),
        ("BRIDGE_LEASE_SECONDS", "0.5"),
        ("BRIDGE_LEASE_SECONDS", "inf"),
        ("BRIDGE_RETENTION_DAYS", "0"),
        ("BRIDGE_RETENTION_DAYS", "-1"),
        ("BRIDGE_RETENTION_DAYS", "inf"),
        ("BRIDGE_ALLOW_PRIVATE_URLS", SECRET),
        ("BRIDGE_CONSOLE_SHOW_TEXT", "perhaps"),
        ("BRIDGE_LOG_FORMAT", "xml"),
        ("BRIDGE_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_value_is_named_and_not_shown(variable: str, value: str) -> None:
    """The sentence begins with the variable and never contains its value."""
    sentence = told({variable: value})
    assert sentence.startswith(f"{variable} ")
    assert "hunter2" not in sentence
    assert len(value) < len(SECRET) or value not in sentence


@pytest.mark.parametrize("variable", ["REDIS_URL", "BROKER_URL"])
@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("unix:///run/redis.sock", "a socket file"),
        ("redis+socket:///run/redis.sock", "a socket file"),
        ("redis+cluster://:hunter2@a:1,b:2", "cluster-enabled no"),
        ("redis+sentinel://:hunter2@a:26379/main", "leads to the primary"),
        ("sentinel://:hunter2@a:26379", "leads to the primary"),
        ("redis://:hunter2@a:1,b:2/0", "several servers"),
        ("redis://:hunter2@a:1/0?db=2", "after the slash"),
        ("redis://:hunter2@a:1/0?socket_timeout=hunter2", "unsupported option"),
        ("rediss://:hunter2@a:1/0?ssl_check_hostname=hunter2", "only ssl_cert_reqs"),
        ("redis://:hunter2@a:1/zero", "must be like redis://"),
    ],
)
def test_state_and_broker_take_one_form_of_a_redis_url(variable: str, url: str, cure: str) -> None:
    """A URL that one of them can't use is refused for every process, with the variable and the fix."""
    sentence = told({variable: url})
    assert sentence.startswith(f"{variable} ")
    assert cure in sentence
    assert "hunter2" not in sentence


def test_keys_with_written_out_line_breaks_are_read(tmp_path: Path) -> None:
    """They may be in the variable or in a file, also with carriage returns."""
    file = tmp_path / "keys.pem"
    one_line = GHL_PUBLISHED_KEYS.replace("\n", "\\r\\n")
    file.write_text(one_line, encoding="utf-8")
    for given in (one_line, str(file)):
        assert len(read_keys(from_environment({"GHL_WEBHOOK_KEYS": given}).ghl_webhook_keys).rsa) == 1


def test_all_faults_are_named_at_once() -> None:
    """Several wrong variables are one message."""
    sentence = told({"PORT": "x", "BRIDGE_LEASE_SECONDS": "0", "BRIDGE_LOG_LEVEL": "x", "WEB_CONCURRENCY": "2"})
    assert [part.split()[0] for part in sentence.split("; ")] == ["PORT", "BRIDGE_LEASE_SECONDS", "BRIDGE_LOG_LEVEL"]


def test_what_a_process_needs_is_asked_for_when_it_is_needed() -> None:
    """REDIS_URL and BRIDGE_SECRET_KEY have no default, and the message says what to set."""
    settings = from_environment({})
    with pytest.raises(Misconfigured, match=r"REDIS_URL is not set: .*redis://"):
        _ = settings.state_url
    with pytest.raises(Misconfigured, match="REDIS_URL is not set"):
        _ = settings.broker
    with pytest.raises(Misconfigured, match=r"BRIDGE_SECRET_KEY is not set: .*secrets new"):
        _ = settings.fernet_keys


def test_the_broker_is_the_state_unless_it_has_its_own() -> None:
    """BROKER_URL has priority, else REDIS_URL is for both."""
    state = {"REDIS_URL": "redis://h:1/0"}
    assert from_environment(state).broker == "redis://h:1/0"
    both = from_environment({**state, "BROKER_URL": "amqp://h//"})
    assert (both.state_url, both.broker) == ("redis://h:1/0", "amqp://h//")


def test_keys_rotate() -> None:
    """Several keys are allowed, newest first, with spaces."""
    assert from_environment({"BRIDGE_SECRET_KEY": f" {KEYS[0]} , {KEYS[1]}"}).fernet_keys == tuple(KEYS)


def test_webhook_keys_may_stand_in_a_file(tmp_path: Path) -> None:
    """A value that isn't PEM is the path of a file with PEM."""
    file = tmp_path / "keys.pem"
    file.write_text(GHL_PUBLISHED_KEYS, encoding="utf-8")
    assert from_environment({"GHL_WEBHOOK_KEYS": str(file)}).ghl_webhook_keys == GHL_PUBLISHED_KEYS


def test_settings_are_frozen_and_print_no_secret() -> None:
    """Settings can't be changed, and printing them shows no secret."""
    secrets = ("REDIS_URL", "BROKER_URL", "GHL_CLIENT_SECRET", "ASSISTABLE_TOKEN", "AGENCII_TOKEN", "BRIDGE_ADMIN_TOKEN")
    settings = from_environment(dict.fromkeys([*secrets, "BRIDGE_WORKFLOW_SECRET"], f"redis://:{SECRET}@h"))
    assert SECRET not in f"{settings!r} {settings!s}"
    with pytest.raises(ValidationError):
        setattr(settings, "port", 1)  # noqa: B010 - the type checker knows it too
