"""An end-to-end test against the real services, for one contact; it ends in an internal comment that only staff see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bridge.completion import Completer
from bridge.errors import BridgeError, NotKnown, OutcomeUnknown
from bridge.ghl.access import Access, Need
from bridge.locations import Location
from bridge.model import Completion, ContactId, ConversationId, LocationId, MessageId, Question, Reply, Role, Skip
from bridge.operating.doctor.findings import DoctorReport, Finding, fail
from bridge.operating.operation import operation
from bridge.operating.reach import one_location
from bridge.operating.services import AdminServices
from bridge.store.locations.records import LocationRecord

READ_SECONDS = 15.0
POST_SECONDS = 30.0
# Long enough for any completion, and shorter than the command line's timeout for this server.
MOST_COMPLETION_SECONDS = 90.0
QUESTION = "This is a test of the connection. Please answer with one short sentence."
ContactIdText = Annotated[str, Field(min_length=1, max_length=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTest:
    """A contact of a location."""

    location_id: Annotated[str, Field(min_length=1, max_length=64)]
    contact_id: ContactIdText


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of a test as sentences, to show before it runs."""

    says: tuple[str, ...]


@operation("doctor.plan", "GET", "/locations/{location_id}/contacts/{contact_id}/send-test", role=Role.READ, reach=one_location)
def plan(services: AdminServices, asked: SendTest) -> Plan:
    """Describe what a test would do, without running it."""
    location = _known(services, asked).location
    says = [
        f"reads contact {asked.contact_id} and its conversation from GHL",
        f'asks {location.provider} once: "{QUESTION}" (it may charge for the answer)',
        "posts the answer into the conversation as an internal comment, which only staff see",
    ]
    if _may_deliver(location):
        says[1] += f"; {location.provider} may post its answer to the contact by itself"
    return Plan(tuple(says))


@operation(
    "doctor.send_test",
    "POST",
    "/locations/{location_id}/contacts/{contact_id}/send-test",
    about=lambda asked: (asked.location_id, asked.contact_id),
    role=Role.OPERATE,
    reach=one_location,
)
def send_test(services: AdminServices, asked: SendTest) -> DoctorReport:
    """Ask the location's completion service a harmless question for a contact, and post the answer as an internal comment."""
    return DoctorReport(tuple(_findings(services, _known(services, asked), ContactId(asked.contact_id))))


def _findings(services: AdminServices, kept: LocationRecord, contact_id: ContactId) -> Iterator[Finding]:
    """One finding per step; a step that fails is the last one."""
    location, access = kept.location, services.ghl_access.open(kept, Need.GUARD)
    what = "contact"
    try:
        services.ghl.contact(contact_id, token=access, seconds=READ_SECONDS)
        conversation = services.ghl.find_conversation(location.location_id, contact_id, token=access, seconds=READ_SECONDS)
        seen = f"conversation {conversation}" if conversation else "it has no conversation yet, but some services need one"
        last = _last_inbound(services, conversation, access)
        yield Finding(what, ok=True, says=f"GHL knows the contact; {seen}")
        what = "completion"
        completion = _ask(services, location, contact_id, conversation, last)
        yield Finding(what, ok=True, says=f"{location.provider} answered {len(completion.text)} characters")
        what = "comment"
        yield Finding(what, ok=True, says=_comment(services, access, contact_id, completion))
    except OutcomeUnknown as error:
        yield Finding(what, ok=False, says=f"{error}: it may have been carried out")
    except BridgeError as error:
        yield Finding(what, ok=False, says=str(error))


def _last_inbound(services: AdminServices, conversation: ConversationId, access: Access) -> MessageId:
    """The contact's newest message, because Assistable accepts no question without one."""
    rows = services.ghl.page(conversation, token=access, seconds=READ_SECONDS).listed if conversation else ()
    return next((row.id for row in rows if row.direction == "inbound"), MessageId(""))


def _ask(
    services: AdminServices, location: Location, contact_id: ContactId, conversation: ConversationId, last: MessageId
) -> Completion:
    completer: Completer = services.providers(location, location.provider, may_deliver=_may_deliver(location))
    question = Question(
        location_id=location.location_id,
        contact_id=contact_id,
        conversation_id=conversation,
        last_message_id=last,
        channel="SMS",
        input=QUESTION,
    )
    return completer.complete(question, seconds=min(location.provider_timeout_seconds, MOST_COMPLETION_SECONDS))


def _comment(services: AdminServices, access: Access, contact_id: ContactId, completion: Completion) -> str:
    text = f"Test by ghl-bridge doctor. The answer was:\n{completion.text or '(none: the provider gave no reply)'}"
    reply = Reply(type="InternalComment", contact_id=contact_id, message=text)
    outcome = services.ghl.post(reply, token=access, seconds=POST_SECONDS)
    if isinstance(outcome, Skip):
        return fail(f"GHL refused it: {outcome.facts}")
    return f"posted as {', '.join(outcome.message_ids) or 'a message without an id from GHL'}; only staff see it"


def _known(services: AdminServices, asked: SendTest) -> LocationRecord:
    record = services.locations.get(LocationId(asked.location_id))
    if record is None:
        raise NotKnown(f"location {asked.location_id} is not known; `ghl-bridge locations list` shows the known ones")
    return record


def _may_deliver(location: Location) -> bool:
    return location.provider == "assistable" and location.assistable.delivery != "bridge"
