"""A location's settings: shape, defaults and checks of the TOML file; storage is `store.locations`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
)

from bridge import hours_notation, time_zones
from bridge.model import Channel, LocationId
from bridge.stop_words import STOP_WORDS

if TYPE_CHECKING:
    from pydantic import ValidationInfo

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


def _answerable(channel: Channel) -> Channel:
    if channel is Channel.UNKNOWN:
        raise ValueError(f"{channel} is not a channel; `types` maps a message type to one")
    return channel


Answerable = Annotated[Channel, AfterValidator(_answerable)]


def _type_name(name: str) -> str:
    """GHL's name of a message type, with or without TYPE_."""
    plain = name.strip().replace(" ", "_").upper().removeprefix("TYPE_")
    if not re.fullmatch(r"[A-Z0-9_]{1,60}", plain):
        raise ValueError("is not the name of a message type, like TYPE_NEW_CHAT")
    return f"TYPE_{plain}"


def _known_timezone(name: str) -> str:
    if name not in time_zones.names():
        raise ValueError(f"{name!r} is not a time zone of the IANA list, like Europe/Berlin")
    return name


def _readable_hours(text: str) -> str:
    hours_notation.parse(text)
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
PROVIDERS = frozenset(get_args(Provider))


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class AssistableSettings(_Table):
    """Settings of Assistable's `ghl-chat-completion` for one location."""

    assistant_id: Text = ""
    token: Secret = None
    url: Url = ""
    delivery: Literal["auto", "bridge", "provider"] = "auto"


class AgenciiFile(_Table):
    """A file that was uploaded to Agencii before, and what its agent may do with it; in Agencii's own form."""

    file_id: Annotated[str, StringConstraints(min_length=1)]
    tools: tuple[dict[str, str], ...] = ()


class AgenciiSettings(_Table):
    """Settings of Agencii's `get_completion` for one location."""

    api_integration_id: Text = ""
    additional_instructions: Annotated[str, AfterValidator(_known_fields)] = ""
    attachments: tuple[AgenciiFile, ...] = ()
    token: Secret = None
    url: Url = ""


class OpenAISettings(_Table):
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


class Transcription(_Table):
    """Settings of any OpenAI-compatible `/audio/transcriptions` for one location."""

    base_url: Url = ""
    model: str = ""
    token: Secret = None


class HandoverSettings(_Table):
    """By what a completion service asks for a person, and what is done then."""

    marker: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\r\n]*$")] = ""
    tool: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = "handover"
    message: str = ""
    tag: str = ""
    assign_to: str = ""
    seconds: Annotated[float, Field(ge=-1, le=LONGEST, allow_inf_nan=False)] = 86400


class Location(_Table):
    """One location as its agency wants it. Durations are seconds unless the name says otherwise."""

    id: GHLId
    name: str = ""
    ghl_token: Secret = None
    mode: Literal["live", "draft", "off"] = "live"
    provider: Provider = "assistable"
    fallback_provider: Literal[Provider, ""] = ""
    channels: tuple[Answerable, ...] = (
        Channel.SMS,
        Channel.WHATSAPP,
        Channel.FB,
        Channel.IG,
        Channel.LIVE_CHAT,
        Channel.CUSTOM,
    )
    types: Mapping[Annotated[str, AfterValidator(_type_name)], Answerable] = Field({})
    debounce_seconds: NotNegative = 5.0
    debounce_max_seconds: NotNegative = 60.0
    max_age_seconds: NotNegative = 21600
    history_messages: int = Field(20, ge=0, le=200)
    media: Literal["ignore", "mention", "links", "read"] = "mention"
    media_reads_per_day: int = Field(200, ge=0)
    media_message: str = ""
    takeover_seconds: Annotated[float, Field(ge=-1, le=LONGEST, allow_inf_nan=False)] = 86400
    takeover_by_workflow: bool = False
    takeover_by_call: Literal["answered", "never", "always"] = "answered"
    off_tags: Words = ("ai_off",)
    required_tags: Words = ()
    stop_words: Words = STOP_WORDS
    max_replies_per_day: int = Field(50, ge=0)
    contact_lookup: bool = True
    business_hours: tuple[Annotated[str, AfterValidator(_readable_hours)], ...] = ()
    app_domain: Annotated[str, Field(pattern=r"^(https://[^\s/]+)?$")] = ""
    timezone: Annotated[str, AfterValidator(_known_timezone)] = "UTC"
    outside_hours: Literal["silent", "defer", "away"] = "silent"
    away_message: str = ""
    failure_message: str = ""
    dead_letter_tag: str = ""
    workflow_secret: Secret = None
    sms_max_segments: int = Field(10, ge=1, le=100)
    provider_timeout_seconds: float = Field(120, gt=0, le=600)
    reconcile_minutes: NotNegative = 10
    assistable: AssistableSettings = AssistableSettings()
    agencii: AgenciiSettings = AgenciiSettings()
    openai: OpenAISettings = OpenAISettings()
    webhook: JsonWebhook = JsonWebhook()
    transcription: Transcription = Transcription()
    handover: HandoverSettings | None = None

    @field_validator("fallback_provider")
    @classmethod
    def _stands_in(cls, name: str, info: ValidationInfo) -> str:
        if name == info.data.get("provider"):
            raise ValueError(f"{name} is the provider itself, and can't stand in for it")
        return name

    def provider_tables(self) -> list[tuple[str, BaseModel]]:
        """The tables of all providers, by name."""
        return [(name, value) for name, value in self if name in PROVIDERS and isinstance(value, BaseModel)]

    def delivery_of(self, provider: str) -> str:
        """Who posts what this provider answers: auto, bridge or provider."""
        return self.assistable.delivery if provider == "assistable" else "bridge"

    @property
    def location_id(self) -> LocationId:
        """The id as the glossary's type."""
        return LocationId(self.id)
