"""The tables of completion services in a location's settings, and the types of their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints

if TYPE_CHECKING:
    from pydantic import ValidationInfo


def _resolve(value: object, info: ValidationInfo) -> object:
    """Replace `{ env = "NAME" }` by that variable of the environment passed to `read`."""
    if not isinstance(value, dict):
        return value
    if set(value) != {"env"}:
        raise ValueError('is neither a text nor { env = "NAME" }')
    name = value["env"]
    environ: Mapping[str, str] = (info.context or {}).get("environ", {})
    if not isinstance(name, str) or not environ.get(name):
        raise ValueError(f"names the environment variable {name}, which is not set")
    return environ[name]


# The placeholder of a stored secret, until `stored_secrets` replaces it; no token contains a NUL.
STORED = "\0stored"


def _resolve_secret(value: object, info: ValidationInfo) -> object:
    """Replace `{ stored = true }` too."""
    return STORED if value == {"stored": True} else _resolve(value, info)


def _web_address(url: str) -> str:
    if url and not url.startswith(("https://", "http://")):
        raise ValueError("must begin with https:// (or http:// for this machine)")
    return url


# The contact's fields that instructions to a provider may contain.
CONTACT_FIELD = re.compile(r"\{contact_(name|first_name|last_name|email|phone)\}")


def _known_fields(instructions: str) -> str:
    unknown = [found for found in re.findall(r"\{contact_\w*\}", instructions) if not CONTACT_FIELD.fullmatch(found)]
    if unknown:
        raise ValueError(
            f"names {unknown[0]}; there are {{contact_name}}, {{contact_first_name}}, {{contact_last_name}}, {{contact_email}} "
            "and {contact_phone}"
        )
    return instructions


Secret = Annotated[SecretStr | None, BeforeValidator(_resolve_secret)]
Text = Annotated[str, BeforeValidator(_resolve)]
Url = Annotated[str, BeforeValidator(_resolve), AfterValidator(_web_address)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]


class Table(BaseModel):
    """A table of the locations file: unknown keys are errors, and errors never contain a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class AssistableSettings(Table):
    """Settings of Assistable's `ghl-chat-completion` for one location."""

    assistant_id: Text = ""
    token: Secret = None
    url: Url = ""
    delivery: Literal["auto", "bridge", "provider"] = "auto"


class AgenciiFile(Table):
    """A file at Agencii, and the tools that may use it, in Agencii's own format."""

    file_id: Annotated[str, StringConstraints(min_length=1)]
    tools: tuple[dict[str, str], ...] = ()


class AgenciiSettings(Table):
    """Settings of Agencii's `get_completion` for one location."""

    api_integration_id: Text = ""
    additional_instructions: Annotated[str, AfterValidator(_known_fields)] = ""
    attachments: tuple[AgenciiFile, ...] = ()
    token: Secret = None
    url: Url = ""


class OpenAISettings(Table):
    """Settings of any OpenAI-compatible `/chat/completions` for one location."""

    base_url: Url = ""
    model: str = ""
    system_prompt: str = ""
    max_tokens: int = Field(4000, ge=1)
    reasoning_effort: str = ""
    token: Secret = None


class JsonWebhook(Table):
    """Settings of a JSON endpoint, by default in n8n's chat format, for one location."""

    url: Url = ""
    reply_path: Annotated[str, StringConstraints(min_length=1)] = "output"
    input_name: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "chatInput"
    header: HeaderName = "Authorization"
    token: Secret = None


class AgentStudioSettings(Table):
    """Settings of an agent of GHL's Agent Studio for one location."""

    agent_id: Text = ""
    version_id: str = ""
    input_variables: Mapping[str, str] = Field({})
    token: Secret = None
    base_url: Url = ""


class Transcription(Table):
    """Settings of any OpenAI-compatible `/audio/transcriptions` for one location."""

    base_url: Url = ""
    model: str = ""
    token: Secret = None
