"""Dead letters: messages that failed and need a decision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from bridge.errors import NotKnown
from bridge.model import LocationId, Role, Status
from bridge.operating.causes import cause_id
from bridge.operating.operation import operation
from bridge.operating.reach import dead_letter, dead_letters, visible
from bridge.operating.services import AdminServices
from bridge.store.operators import dead_letters as store
from bridge.store.operators.conversation_lists import missing_locations
from bridge.times import iso

Id = Annotated[str, Field(min_length=1, max_length=100)]
Ids = Annotated[tuple[Id, ...], Field(min_length=1, max_length=500)]
_OVER = frozenset({*Status, "superseded"}) - {Status.WAITING, Status.ANSWERING, Status.RETRYING}
Result = Literal["replayed", "would replay", "dropped", "unknown", "closed", "newer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An open dead letter; `failed_at` is ISO 8601 in UTC, `error` contains no message text.

    `excerpts.text` shows the service's error text for `excerpt_id`, which is null if none is stored. `evidence` belongs to the
    answer that waits to be sent; it is null if there is none, and in lists.
    """

    id: str
    location_id: str
    contact_id: str
    conversation_id: str
    message_ids: tuple[str, ...]
    channel: str
    error: str
    attempts: int
    failed_at: str | None
    excerpt_id: str | None = None
    evidence: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterPage:
    """Some open dead letters, oldest first. With a location or a cause, a page may be empty and have a `next`.

    `missing` are sentences that name the locations whose node of a cluster is missing, which are not in the list.
    """

    dead_letters: tuple[DeadLetter, ...]
    next: str | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """The result for one dead letter.

    `closed`: it was already replayed, dropped or superseded. `newer`: a newer turn of the contact was answered, so it is
    replayed only with `force`.
    """

    id: str
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLettersQuery:
    """The filter: one location, one cause (its id), the `next` of another page in `after`, and how many dead letters to read."""

    location_id: Annotated[str, Field(max_length=64)] = ""
    cause: Annotated[str, Field(pattern=r"^([0-9a-f]{12})?$")] = ""
    after: Annotated[str, Field(pattern=r"^([0-9]{1,15}-[0-9a-zA-Z]{1,64})?$")] = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 100


@dataclass(frozen=True, slots=True)
class DeadLetterQuery:
    """The id of a dead letter."""

    id: Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Which dead letters to replay. `dry_run` changes nothing; `force` replays even if a newer turn was answered."""

    ids: Ids
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """Which dead letters to drop."""

    ids: Ids


@operation("dead_letters.list", "GET", "/dead-letters", role=Role.READ, reach=visible)
def list_(services: AdminServices, asked: DeadLettersQuery) -> DeadLetterPage:
    """List the open dead letters, oldest first."""
    of = LocationId(asked.location_id) if asked.location_id else None

    def fits(one: store.StoredDeadLetter) -> bool:
        return services.sees(one.lane.location_id) and asked.cause in {"", cause_id(one.error)}

    only = fits if asked.cause or services.is_limited else None
    page = services.dead_letters.page(after=asked.after, most=asked.limit, location_id=of, fits=only)
    documents, missing = tuple(map(_document, page.dead_letters)), missing_locations(services.redis)
    return DeadLetterPage(dead_letters=documents, next=page.next or None, missing=missing)


@operation("dead_letters.show", "GET", "/dead-letters/{id}", role=Role.READ, reach=dead_letter)
def show(services: AdminServices, asked: DeadLetterQuery) -> DeadLetter:
    """Show one open dead letter."""
    dead_letter = services.dead_letters.get(asked.id)
    if dead_letter is None:
        raise NotKnown(f"there is no open dead letter {asked.id}; `ghl-bridge dead-letters list` shows the open ones")
    return replace(_document(dead_letter), evidence=_evidence(services, dead_letter))


@operation(
    "dead_letters.replay",
    "POST",
    "/dead-letters/replay",
    about=lambda asked: () if asked.dry_run else asked.ids,
    role=Role.OPERATE,
    reach=dead_letters,
)
def replay(services: AdminServices, asked: Replay) -> tuple[Became, ...]:
    """Process dead letters again, with all guards; no part is sent twice."""
    _refuse_unknown(services, asked.ids)
    if asked.dry_run:
        return tuple(Became(id=id_, result="would replay") for id_ in asked.ids)
    return tuple(Became(id=id_, result=services.dead_letters.replay(id_, force=asked.force)) for id_ in asked.ids)


@operation(
    "dead_letters.drop", "POST", "/dead-letters/drop", about=lambda asked: asked.ids, role=Role.OPERATE, reach=dead_letters
)
def drop(services: AdminServices, asked: Drop) -> tuple[Became, ...]:
    """Close dead letters without an answer: their messages are skipped, with the reason dropped."""
    _refuse_unknown(services, asked.ids)
    results = services.dead_letters.drop(asked.ids)
    return tuple(Became(id=id_, result=result) for id_, result in zip(asked.ids, results, strict=True))


def _refuse_unknown(services: AdminServices, ids: tuple[str, ...]) -> None:
    unknown = [id_ for id_ in ids if not services.dead_letters.is_known(id_)]
    if unknown:
        raise NotKnown(f"not known: {', '.join(unknown)}; `ghl-bridge dead-letters list` shows the open ones")


def _evidence(services: AdminServices, dead_letter: store.StoredDeadLetter) -> dict[str, Any] | None:
    """The evidence of the last answer before the turn failed: a lane works on one turn at a time."""
    timeline = services.timelines.find(dead_letter.lane.contact_id)
    found = None
    for event in timeline.events if timeline else ():
        if event.step == "dead" and event.details.get("dead_letter_id") == dead_letter.id:
            return found
        if event.step == "answered":
            found = event.details.get("evidence")
        elif event.step in _OVER:
            found = None
    return None


def _document(dead_letter: store.StoredDeadLetter) -> DeadLetter:
    return DeadLetter(
        id=dead_letter.id,
        location_id=dead_letter.lane.location_id,
        contact_id=dead_letter.lane.contact_id,
        conversation_id=dead_letter.conversation_id,
        message_ids=dead_letter.message_ids,
        channel=dead_letter.channel,
        error=dead_letter.error,
        attempts=dead_letter.attempts,
        failed_at=iso(dead_letter.failed_at_ms),
        excerpt_id=dead_letter.excerpt_id or None,
    )
