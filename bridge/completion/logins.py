"""Settings that a provider requires, and its login headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import OperatorMustFix

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bridge.locations import Location

JSON = {"Accept": "application/json"}


def given(value: str, location: Location, key: str) -> str:
    """A required setting. Raises OperatorMustFix if it is empty."""
    if not value:
        raise OperatorMustFix(f"location {location.id} has no {key}")
    return value


def token(secret: SecretStr | None, location: Location, key: str, variable: str) -> str:
    """A required token. Raises OperatorMustFix, naming the key and the environment variable, if it is absent."""
    if secret is None:
        raise OperatorMustFix(f"location {location.id} has no {key}, nor is {variable} set")
    return secret.get_secret_value()


def token_if_any(secret: SecretStr | None) -> str:
    """An optional token; empty if it is absent."""
    return secret.get_secret_value() if secret else ""


def bearer(token: str) -> dict[str, str]:
    """The headers of a JSON request with this token, or without a login if it is empty."""
    return {**JSON, "Authorization": f"Bearer {token}"} if token else JSON
