"""A location's settings: types, defaults and checks of the TOML file. Storage is in `store.locations`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    field_validator,
)

from bridge import hours_notation, time_zones
from bridge.model import Channel, LocationId
from bridge.provider_tables import (
    AgenciiSettings,
    AgentStudioSettings,
    AssistableSettings,
    JsonWebhook,
    OpenAISettings,
    Secret,
    Table,
    Transcription,
)
from bridge.stop_word_list import STOP_WORDS

if TYPE_CHECKING:
    from pydantic import ValidationInfo

Words = tuple[str, ...]
# Ten years: longer than any data is kept, and within the range of every clock.
LONGEST = 10 * 365 * 24 * 3600
NotNegative = Annotated[float, Field(ge=0, le=LONGEST, allow_inf_nan=False)]
GHLId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


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


Provider = Literal["assistable", "agencii", "openai", "webhook", "agent_studio"]
PROVIDERS = frozenset(get_args(Provider))


class HandoverSettings(Table):
    """How a completion service asks for a person, and what to do then."""

    marker: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\r\n]*$")] = ""
    tool: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = "handover"
    message: str = ""
    tag: str = ""
    assign_to: str = ""
    seconds: Annotated[float, Field(ge=-1, le=LONGEST, allow_inf_nan=False)] = 86400


class Price(Table):
    """What a model or a provider costs: a million input tokens, a million output tokens, an answer."""

    input: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    output: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    answer: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    def __str__(self) -> str:
        """For people: `0.4 input, 1.6 output per million tokens; 0.02 per answer`."""
        tokens = f"{self.input:g} input, {self.output:g} output per million tokens" if self.input or self.output else ""
        return "; ".join(filter(None, (tokens, f"{self.answer:g} per answer" if self.answer else ""))) or "nothing"


class Location(Table):
    """All settings of one location. Durations are seconds unless the name says otherwise."""

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
    evidence_texts: bool = False
    prices: Mapping[Annotated[str, StringConstraints(min_length=1, max_length=100)], Price] = Field({})
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
    agent_studio: AgentStudioSettings = AgentStudioSettings()
    transcription: Transcription = Transcription()
    handover: HandoverSettings | None = None

    @field_validator("fallback_provider")
    @classmethod
    def _stands_in(cls, name: str, info: ValidationInfo) -> str:
        if name == info.data.get("provider"):
            raise ValueError(f"{name} is the provider itself, and can't be its own fallback")
        return name

    def provider_tables(self) -> list[tuple[str, BaseModel]]:
        """The tables of all providers, by name."""
        return [(name, value) for name, value in self if name in PROVIDERS and isinstance(value, BaseModel)]

    def delivery_of(self, provider: str) -> str:
        """Who posts this provider's answers: `auto`, `bridge` or `provider`."""
        return self.assistable.delivery if provider == "assistable" else "bridge"

    @property
    def location_id(self) -> LocationId:
        """The id, typed."""
        return LocationId(self.id)
