"""Asks a location's completion service a harmless question, as a worker would. It names no contact, so none gets a message."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.answering.excerpts import secrets_in
from bridge.completion import Completer
from bridge.errors import BridgeError, NotKnown
from bridge.locations import Location
from bridge.model import Completion, ContactId, ConversationId, LocationId, MessageId, Question, Role
from bridge.operating.doctor.end_to_end import QUESTION
from bridge.operating.operation import operation
from bridge.operating.reach import one_location
from bridge.operating.services import AdminServices
from bridge.policy.excerpt import Known, excerpt

# GHL has no such contact, so a service that posts by itself has no recipient.
NOBODY = "ghl-bridge-provider-check"
MOST_SECONDS = 60.0
MOST_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class ProviderQuery:
    """The id of a location."""

    location_id: Annotated[str, Field(min_length=1, max_length=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderChecked:
    """The answer of the completion service `provider` to a question.

    `says` is the result as a sentence. `answer` is the beginning of its answer, null without one; `service_said` the beginning of
    the text with which it refused, without secrets, null without one. `seconds` is how long it took.
    """

    provider: str
    ok: bool
    says: str
    answer: str | None
    service_said: str | None
    seconds: float


@operation(
    "locations.check_provider",
    "POST",
    "/locations/{location_id}/check-provider",
    about=lambda asked: (asked.location_id,),
    role=Role.OPERATE,
    reach=one_location,
)
def check_provider(services: AdminServices, asked: ProviderQuery) -> ProviderChecked:
    """Ask a location's completion service a harmless question, as the bridge would. Nothing goes to a contact."""
    record = services.locations.get(LocationId(asked.location_id))
    if record is None:
        raise NotKnown(f"location {asked.location_id} is not known; `ghl-bridge locations list` shows the known ones")
    location, began = record.location, time.monotonic()
    try:
        completion = _ask(services, location)
    except BridgeError as error:
        return _failed(services, location, error, time.monotonic() - began)
    return _answered(location, completion, time.monotonic() - began)


def _ask(services: AdminServices, location: Location) -> Completion:
    completer: Completer = services.providers(location, location.provider, may_deliver=False)
    question = Question(
        location_id=location.location_id,
        contact_id=ContactId(NOBODY),
        conversation_id=ConversationId(NOBODY),
        last_message_id=MessageId(NOBODY),
        channel="SMS",
        input=QUESTION,
    )
    return completer.complete(question, seconds=min(location.provider_timeout_seconds, MOST_SECONDS))


def _answered(location: Location, completion: Completion, seconds: float) -> ProviderChecked:
    why = completion.why_silent
    says = f"{location.provider} gave no reply ({why}), so a contact would get none" if why else f"{location.provider} answered"
    return ProviderChecked(
        provider=location.provider,
        ok=why is None,
        says=says,
        answer=completion.text[:MOST_CHARACTERS] or None,
        service_said=None,
        seconds=seconds,
    )


def _failed(services: AdminServices, location: Location, error: BridgeError, seconds: float) -> ProviderChecked:
    """The result of a failure: some services answer only about contacts that GHL knows, so an end-to-end test is needed."""
    says = str(error)
    if location.provider == "assistable" and error.said:
        whole = f"`ghl-bridge doctor --location {location.id} --send-test CONTACT`"
        says += f". The question named no contact; if Assistable asks for one, test end to end with {whole}"
    known = Known(secrets=(*services.settings.secrets, *secrets_in(location)), texts=(QUESTION,))
    return ProviderChecked(
        provider=location.provider,
        ok=False,
        says=says,
        answer=None,
        service_said=excerpt(error.said, known) or None,
        seconds=seconds,
    )
