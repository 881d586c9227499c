"""A location's settings: the shape, defaults and checks of the TOML file, and nothing of where they are kept."""

from __future__ import annotations

import re
import tomllib
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
)

from bridge import business_hours, time_zones
from bridge.addresses import PLAIN_HTTP, may_be_asked
from bridge.errors import WrongInput
from bridge.model import Channel, LocationId

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pydantic import ValidationInfo
    from pydantic_core import ErrorDetails

Words = tuple[str, ...]
# Ten years: longer than anything is kept, and short enough for every clock.
LONGEST = 10 * 365 * 24 * 3600
NotNegative = Annotated[float, Field(ge=0, le=LONGEST, allow_inf_nan=False)]
GHLId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


def _resolve(value: object, info: ValidationInfo) -> object:
    """Take `{ env = "NAME" }` from the environment that `read` was given."""
    if not isinstance(value, dict):
        return value
    if set(value) != {"env"}:
        raise ValueError('is neither a text nor { env = "NAME" }')
    name = value["env"]
    environ: Mapping[str, str] = (info.context or {}).get("environ", {})
    if not isinstance(name, str) or not environ.get(name):
        raise ValueError(f"names the environment variable {name}, which is not set")
    return environ[name]


def _known_timezone(name: str) -> str:
    if name not in time_zones.names():
        raise ValueError(f"{name!r} is not a time zone of the IANA list, like Europe/Berlin")
    return name


def _readable_hours(text: str) -> str:
    business_hours.parse(text)
    return text


def _web_address(url: str) -> str:
    if url and not url.startswith(("https://", "http://")):
        raise ValueError("must begin with https:// (or http:// for this machine)")
    return url


# What instructions to a provider may name of the contact.
CONTACT_FIELD = re.compile(r"\{contact_(name|first_name|last_name|email|phone)\}")


def _known_fields(instructions: str) -> str:
    unknown = [found for found in re.findall(r"\{contact_\w*\}", instructions) if not CONTACT_FIELD.fullmatch(found)]
    if unknown:
        raise ValueError(
            f"names {unknown[0]}; there are {{contact_name}}, {{contact_first_name}}, {{contact_last_name}}, {{contact_email}} "
            "and {contact_phone}"
        )
    return instructions


Secret = Annotated[SecretStr | None, BeforeValidator(_resolve)]
Text = Annotated[str, BeforeValidator(_resolve)]
Url = Annotated[str, BeforeValidator(_resolve), AfterValidator(_web_address)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
Provider = Literal["assistable", "agencii", "openai", "webhook"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Assistable(_Table):
    """Settings of Assistable's `ghl-chat-completion` for one location."""

    assistant_id: Text = ""
    token: Secret = None
    url: Url = ""
    delivery: Literal["auto", "bridge", "provider"] = "auto"


class Agencii(_Table):
    """Settings of Agencii's `get_completion` for one location."""

    api_integration_id: Text = ""
    additional_instructions: Annotated[str, AfterValidator(_known_fields)] = ""
    token: Secret = None
    url: Url = ""


class OpenAI(_Table):
    """Settings of any OpenAI-compatible `/chat/completions` for one location."""

    base_url: Url = ""
    model: str = ""
    system_prompt: str = ""
    max_tokens: int = Field(4000, ge=1)
    reasoning_effort: str = ""
    token: Secret = None


class JsonWebhook(_Table):
    """Settings of a JSON endpoint, n8n's chat form by default, for one location."""

    url: Url = ""
    reply_path: Annotated[str, StringConstraints(min_length=1)] = "output"
    input_name: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "chatInput"
    header: HeaderName = "Authorization"
    token: Secret = None


class Location(_Table):
    """One location as its agency wants it. Durations are seconds unless the name says otherwise."""

    id: GHLId
    name: str = ""
    ghl_token: Secret = None
    mode: Literal["live", "draft", "off"] = "live"
    provider: Provider = "assistable"
    fallback_provider: Literal[Provider, ""] = ""
    channels: tuple[Channel, ...] = (
        Channel.SMS,
        Channel.WHATSAPP,
        Channel.FB,
        Channel.IG,
        Channel.LIVE_CHAT,
        Channel.CUSTOM,
    )
    debounce_seconds: NotNegative = 5.0
    debounce_max_seconds: NotNegative = 60.0
    max_age_seconds: NotNegative = 21600
    history_messages: int = Field(20, ge=0, le=200)
    takeover_seconds: Annotated[float, Field(ge=-1, le=LONGEST, allow_inf_nan=False)] = 86400
    takeover_by_workflow: bool = False
    off_tags: Words = ("ai_off",)
    required_tags: Words = ()
    stop_words: Words = ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "opt out")
    max_replies_per_day: int = Field(50, ge=0)
    contact_lookup: bool = True
    business_hours: tuple[Annotated[str, AfterValidator(_readable_hours)], ...] = ()
    timezone: Annotated[str, AfterValidator(_known_timezone)] = "UTC"
    outside_hours: Literal["silent", "defer", "away"] = "silent"
    away_message: str = ""
    failure_message: str = ""
    dead_letter_tag: str = ""
    workflow_secret: Secret = None
    sms_max_segments: int = Field(10, ge=1, le=100)
    provider_timeout_seconds: float = Field(120, gt=0, le=600)
    reconcile_minutes: NotNegative = 10
    assistable: Assistable = Assistable()
    agencii: Agencii = Agencii()
    openai: OpenAI = OpenAI()
    webhook: JsonWebhook = JsonWebhook()

    @field_validator("fallback_provider")
    @classmethod
    def _stands_in(cls, name: str, info: ValidationInfo) -> str:
        if name == info.data.get("provider"):
            raise ValueError(f"{name} is the provider itself, and can't stand in for it")
        return name

    def provider_tables(self) -> list[tuple[str, BaseModel]]:
        """The tables of all providers, by name."""
        return [(name, value) for name, value in self if isinstance(value, BaseModel)]

    def delivery_of(self, provider: str) -> str:
        """Who posts what this provider answers: auto, bridge or provider."""
        return self.assistable.delivery if provider == "assistable" else "bridge"

    @property
    def location_id(self) -> LocationId:
        """The id as the glossary's type."""
        return LocationId(self.id)


def read(text: str, environ: Mapping[str, str]) -> tuple[Location, ...]:
    """Read a locations file whole.

    Raises WrongInput with one sentence a fault, each with its key, if any of it is wrong. `environ` answers `{ env = "NAME" }`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WrongInput(f"the file is not TOML: {error}") from None
    faults = [
        f"{key}: is not known here; only [defaults] and [locations.ID]" for key in document.keys() - {"defaults", "locations"}
    ]
    defaults = _table("defaults", document.get("defaults", {}), faults)
    tables = _table("locations", document.get("locations", {}), faults)
    if not tables:
        faults.append("locations: no [locations.ID] table in the file")
    validate = partial(Location.model_validate, context={"environ": environ})
    locations = [
        _build(id_, _over(defaults, _table(f"locations.{id_}", table, faults)), validate, faults) for id_, table in tables.items()
    ]
    if faults:
        raise WrongInput("\n".join(faults))
    return tuple(location for location in locations if location)


def check(tables: Mapping[str, dict[str, Any]]) -> tuple[Location, ...]:
    """Build locations from what `tables_of` made of them, or from JSON tables without `{ env = }`. Raises as `read`."""
    faults: list[str] = []
    locations = [_build(id_, table, _strictly, faults) for id_, table in tables.items()]
    if faults:
        raise WrongInput("\n".join(faults))
    return tuple(location for location in locations if location)


def schema(ref: str) -> dict[str, Any]:
    """The JSON schema of one location's table, its parts under `$defs`; `ref` is the template of references to them."""
    found = Location.model_json_schema(ref_template=ref)
    del found["properties"]["id"], found["required"]
    return {**found, "title": "LocationTable"}


def check_urls(locations: Iterable[Location]) -> None:
    """Refuse provider URLs that would carry a token in clear to another machine. Raises WrongInput as `read`."""
    faults = [
        f"locations.{one.id}.{table}.{key}: {PLAIN_HTTP}"
        for one in locations
        for table, key, url in _urls(one)
        if url and not may_be_asked(url)
    ]
    if faults:
        raise WrongInput("\n".join(faults))


def _urls(one: Location) -> Iterator[tuple[str, str, str]]:
    for table, settings in one.provider_tables():
        for key in ("url", "base_url"):
            yield table, key, getattr(settings, key, "")


def tables_of(locations: Iterable[Location]) -> dict[str, dict[str, Any]]:
    """What was said of each location, and nothing of the defaults, secrets in clear: ready to be JSON."""
    return {one.id: revealed(one.model_dump(exclude={"id"}, exclude_unset=True)) for one in locations}


def revealed(value: Any) -> Any:
    """Plain texts in place of secrets."""
    if isinstance(value, dict):
        return {name: revealed(one) for name, one in value.items()}
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _table(name: str, value: object, faults: list[str]) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    faults.append(f"{name}: is not a table")
    return {}


def _over(defaults: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    """Lay a location's table over the defaults, provider tables key by key; `{ env = ... }` is one value."""
    merged = {**defaults, **table}
    for key in defaults.keys() & table.keys():
        if isinstance(defaults[key], dict) and isinstance(table[key], dict) and set(table[key]) != {"env"}:
            merged[key] = {**defaults[key], **table[key]}
    return merged


def _strictly(table: dict[str, Any]) -> Location:
    """As JSON: no text is a number there, and no flag is one."""
    return Location.model_validate_json(orjson.dumps(table), strict=True)


def _build(id_: str, table: dict[str, Any], validate: Callable[[dict[str, Any]], Location], faults: list[str]) -> Location | None:
    if "id" in table:
        faults.append(f"locations.{id_}.id: is not a known key; the id stands in the table's name")
    try:
        return validate({**table, "id": id_})
    except ValidationError as error:
        faults += [f"locations.{id_}.{_key(fault)}: {_sentence(fault)}" for fault in error.errors(include_input=False)]
        return None


def _key(fault: ErrorDetails) -> str:
    return ".".join(str(part) for part in fault["loc"])


def _sentence(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        return "is not a known key"
    return fault["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
