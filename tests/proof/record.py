"""The visible results of a run: webhooks and answers, messages in GHL, requests to services, and the bridge's reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.store.figures.counts import Counts
from bridge.store.lanes.timelines import Timelines
from tests.keys import pattern

if TYPE_CHECKING:
    from redis import Redis

    from bridge.store.lanes.timelines import MessageRecord


@dataclass(slots=True, kw_only=True)
class Row:
    """A message as GHL holds it. `by` is who sent it: contact, bridge, provider, person.

    `seq` is its position in the order of all visible events. `provider` is its conversation provider. `receipt`: its sender got
    its id.
    """

    seq: int
    id: str
    contact: str
    by: str
    type: str
    text: str
    at_ms: int
    listed_at_ms: int
    source: str = ""
    user_id: str = ""
    provider: str = ""
    receipt: bool = True
    attachments: tuple[str, ...] = ()

    @property
    def inbound(self) -> bool:
        """Whether the contact wrote it."""
        return self.by == "contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A given completion: its number, the messages that it quotes, and the number of its pieces.

    `service` gave it, `text` is for the contact, `note` only for staff.
    """

    seq: int
    number: int
    marks: tuple[str, ...]
    pieces: int
    service: str = ""
    text: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A webhook that was answered with a 2xx: its kind and its contact. `id` is the message's id in GHL."""

    seq: int
    kind: str
    contact: str
    id: str
    at_ms: int
    status: str


@dataclass(slots=True, kw_only=True)
class Record:
    """All of it. `outcomes` is the outcome of each message as the bridge reports it, `totals` its counts.

    `hours` are the minutes of the day (UTC), Monday to Friday, between which answers may begin; None: always. `draft`: comments
    only. `own_texts` are the location's own texts for the contact, which quote no completion. `swept`: sweeps search for messages
    without a webhook. `takeover_ms`: the duration of a takeover; negative: without end. `limited`: how many requests exceeded
    GHL's limit. `tags` and `assigned` are the tags and users that contacts got.
    """

    rows: list[Row] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    outcomes: dict[str, MessageRecord] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    due: int = 0
    hours: tuple[int, int] | None = None
    draft: bool = False
    own_texts: tuple[str, ...] = ()
    swept: bool = False
    limited: int = 0
    takeover_ms: int = -1
    tags: list[str] = field(default_factory=list)
    assigned: list[str] = field(default_factory=list)


def read_outcomes(record: Record, redis: Redis) -> Record:
    """Add what the bridge reports at the end."""
    timelines = Timelines(redis)
    for contact in {row.contact for row in record.rows}:
        timeline = timelines.find(contact)
        record.outcomes |= {one.id: one for one in timeline.messages} if timeline else {}
    record.totals = Counts(redis).totals()
    record.due = sum(redis.zcard(name) for name in redis.keys(pattern("due", "*")))
    return record
