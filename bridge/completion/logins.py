"""The settings without which a provider can't be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.errors import OperatorMustFix

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bridge.locations import Location

JSON = {"Accept": "application/json"}


def given(value: str, location: Location, key: str) -> str:
    """A setting that can't be empty. Raises OperatorMustFix."""
    if not value:
        raise OperatorMustFix(f"location {location.id} has no {key}")
    return value


def token(secret: SecretStr | None, location: Location, key: str, variable: str) -> str:
    """A token that can't be absent. Raises OperatorMustFix, naming the key and the variable of the environment."""
    if secret is None:
        raise OperatorMustFix(f"location {location.id} has no {key}, nor is {variable} set")
    return secret.get_secret_value()


def token_if_any(secret: SecretStr | None) -> str:
    """A token that may be absent: then it is empty."""
    return secret.get_secret_value() if secret else ""


def bearer(token: str) -> dict[str, str]:
    """Headers of a JSON request with this token, or with none."""
    return {**JSON, "Authorization": f"Bearer {token}"} if token else JSON
