"""The registry of completion services: which builder serves which `provider`. A new one is a module and a line here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bridge.completion.assistable import Assistable
from bridge.completion.retrying import Retrying
from bridge.errors import OperatorMustFix
from bridge.metrics import PROVIDER_REQUEST, Tally

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bridge.completion import Completer
    from bridge.locations import Location
    from bridge.settings import Settings
    from bridge.wire.calls import Wire


@dataclass(frozen=True, slots=True)
class Providers:
    """Builds completers from a location's settings, with the environment's as defaults."""

    wire: Wire
    settings: Settings
    tally: Tally = field(default_factory=Tally)

    def __call__(self, location: Location, *, may_deliver: bool) -> Completer:
        """A completer for this location. Raises OperatorMustFix when its settings don't suffice."""
        try:
            build = BUILDERS[location.provider]
        except KeyError:
            raise OperatorMustFix(f"location {location.id}: provider {location.provider} is not in this version") from None
        return Retrying(build(replace(self, wire=self._counted(location.provider)), location, may_deliver=may_deliver))

    def _counted(self, provider: str) -> Wire:
        def observe(method: str, path: str, ended: str, seconds: float) -> None:
            del method, path
            self.tally.time(PROVIDER_REQUEST, provider, ended, seconds=seconds)

        return self.wire.observed(observe)


def _assistable(tools: Providers, location: Location, *, may_deliver: bool) -> Completer:
    table, defaults = location.assistable, tools.settings
    if not table.assistant_id:
        raise OperatorMustFix(f"location {location.id} has no assistable.assistant_id")
    token = _token(
        table.token or defaults.assistable_token, f"location {location.id} has no assistable.token, nor is ASSISTABLE_TOKEN set"
    )
    url = table.url or defaults.assistable_url
    return Assistable(tools.wire, url=url, token=token, assistant_id=table.assistant_id, may_deliver=may_deliver)


def _token(secret: SecretStr | None, missing: str) -> str:
    if secret is None:
        raise OperatorMustFix(missing)
    return secret.get_secret_value()


BUILDERS = {"assistable": _assistable}
