"""The checker: compares the guarantees with the visible results of a run. It does not know how the bridge works."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from math import inf
from typing import TYPE_CHECKING

from tests.proof.completions import MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.proof.record import Accepted, Record, Row

PIECE = re.compile(r"\(c(\d+)\.(\d+)\)")
FINAL = frozenset({"replied", "no_reply", "delivered_by_provider", "skipped", "dead"})
WITH_REASON = frozenset({"no_reply", "skipped"})
# 1970 began on a Thursday; Monday is 0.
THURSDAY, SATURDAY = 3, 5
COMMENT = "TYPE_INTERNAL_COMMENT"
# Replies to these types are sent as another type.
SENT_AS = {"TYPE_CUSTOM_SMS": "TYPE_SMS"}


def faults_in(record: Record) -> list[str]:
    """Every promise that the run has broken; empty if none."""
    checks = (
        _lost,
        _overlooked,
        _doubled,
        _torn,
        _reordered,
        _over_a_human,
        _after_its_end,
        _outside_hours,
        _wrong_channel,
        _not_meant,
        _untold,
        _counts,
    )
    return [fault for check in checks for fault in check(record)]


def _lost(record: Record) -> Iterator[str]:
    """Every accepted message has an outcome, with a reply in GHL or a reason."""
    posted = {mark for marks in _quoted(record).values() for mark in marks}
    for id_ in dict.fromkeys(one.id for one in record.accepted if one.kind == "contact" and one.status == "accepted"):
        outcome = record.outcomes.get(id_)
        if outcome is None or outcome.status not in FINAL:
            yield f"lost: {id_} was accepted, and is {outcome.status if outcome else 'not known'} for ever"
        elif outcome.status in WITH_REASON and not outcome.reason:
            yield f"no reason: {id_} is {outcome.status}"
        elif outcome.status == "dead" and not outcome.error:
            yield f"no reason: {id_} is dead"
        elif outcome.status in {"replied", "delivered_by_provider"} and id_ not in posted:
            yield f"lost: {id_} is {outcome.status}, and no reply in GHL answers it"
    if record.due:
        yield f"lost: {record.due} lanes are due, and nobody works on them"


def _overlooked(record: Record) -> Iterator[str]:
    """A message without a webhook is found by the sweeps, unless GHL shows a later message of the business or of the contact."""
    if not record.swept or any(one.kind == "uninstall" for one in record.accepted):
        return
    reported = {one.id for one in record.accepted if one.kind == "contact"}
    newest = {row.contact: row for row in record.rows if row.type != COMMENT and (not row.inbound or row.id in reported)}
    for row in record.rows:
        after = newest.get(row.contact)
        if row.inbound and row.id not in record.outcomes and not (after and after.seq >= row.seq):
            yield f"lost: {row.id} is in GHL's lists, the sweeps are past it, and it is not known"


def _doubled(record: Record) -> Iterator[str]:
    """No message is answered by two completions, and no part and no text of the location is posted twice."""
    answers = defaultdict(set)
    for number, marks in _quoted(record).items():
        for mark in marks:
            answers[mark].add(number)
    yield from (f"doubled: {mark} is answered by completions {sorted(of)}" for mark, of in answers.items() if len(of) > 1)
    pieces = Counter(piece for row in sent(record) for piece in PIECE.findall(row.text))
    yield from (f"doubled: piece {piece} of completion {number}" for (number, piece), times in pieces.items() if times > 1)
    own = Counter((row.contact, text) for row in sent(record) for text in record.own_texts if text in row.text)
    turns = Counter(row.contact for row in record.rows if row.inbound)
    yield from (f"doubled: {text!r} was said {times} times" for (contact, text), times in own.items() if times > turns[contact])


def _torn(record: Record) -> Iterator[str]:
    """Parts are in order, and an answer is complete unless there is a reason."""
    pieces = defaultdict(list)
    for row in sent(record):
        for number, piece in PIECE.findall(row.text):
            pieces[int(number)].append(int(piece))
    of = {one.number: one for one in record.asked}
    for number, got in pieces.items():
        if list(dict.fromkeys(got)) != list(range(1, len(set(got)) + 1)):
            yield f"reordered: the pieces of completion {number} came as {got}"
        outcomes = [record.outcomes[mark] for mark in of[number].marks if mark in record.outcomes]
        excused = any(one.reason or one.status == "dead" for one in outcomes)
        if len(set(got)) < of[number].pieces and not excused:
            yield f"lost: of completion {number} only pieces {got} are there, and no reason says why"


def _reordered(record: Record) -> Iterator[str]:
    """A message that was accepted before a later one of its channel was written is not answered after that.

    A message that is answered together with a newer one, because its own turn failed, counts as answered with that one.
    """
    first: dict[str, int] = {}
    for row in sent(record):
        for mark in MARK.findall(row.text):
            first.setdefault(mark, row.seq)
    written = {row.id: row for row in record.rows if row.inbound}
    accepted = {one.id: one.seq for one in reversed(record.accepted) if one.kind == "contact"}
    superseded = {id_ for id_, one in record.outcomes.items() if one.reason == "superseded"}
    for earlier, at in accepted.items():
        for later, row in written.items():
            same = written[earlier].contact == row.contact and written[earlier].type == row.type and earlier not in superseded
            if same and earlier in first and later in first and at < row.seq and first[later] < first[earlier]:
                yield f"reordered: {later} was answered before {earlier}"


def _over_a_human(record: Record) -> Iterator[str]:
    """Once a person's message is known, the contact gets nothing from the bridge for a while, or until an operator resumes it."""
    if record.draft:
        return
    for person in [one for one in record.accepted if one.kind == "person"]:
        until = _first(record, person.contact, person.seq, lambda one: one.kind == "resumed")
        for row in _of_bridge(record):
            over = 0 <= record.takeover_ms <= row.at_ms - person.at_ms
            if row.contact == person.contact and person.seq < row.seq < until and row.type != COMMENT and not over:
                yield f"over a human: {row.text[:30]!r}"


def _after_its_end(record: Record) -> Iterator[str]:
    """After STOP the contact gets nothing on that channel, until START or an operator; after an uninstall no contact does.

    START counts from when it is written: the bridge may know it without having answered its webhook.
    """
    written = {row.id: row for row in record.rows if row.inbound}
    for one in record.accepted:
        stop = written.get(one.id) if one.kind == "contact" else None
        again = _first(record, "", one.seq, lambda later: later.kind == "install")
        until = _first(record, one.contact, one.seq, lambda later: later.kind == "allowed")
        if stop and stop.text == "STOP":
            until = min([until, *(row.seq for row in written.values() if row.seq > stop.seq and _lifts(row, stop))])
        for row in _of_bridge(record):
            if stop and stop.text == "STOP" and _same_channel(row, stop) and one.seq < row.seq < until:
                yield f"after STOP: {row.text[:30]!r}"
            if one.kind == "uninstall" and one.seq < row.seq < again:
                yield f"after the uninstall: {row.text[:30]!r}"


def _same_channel(row: Row, inbound: Row) -> bool:
    """Whether a post goes to the contact and the channel of an inbound message; its type may be another one."""
    return row.contact == inbound.contact and row.type == SENT_AS.get(inbound.type, inbound.type)


def _lifts(row: Row, stop: Row) -> bool:
    return row.text == "START" and row.contact == stop.contact and row.type == stop.type


def _first(record: Record, contact: str, seq: int, is_it: Callable[[Accepted], bool]) -> float:
    """The place of the first such event of a contact after this one."""
    return min((one.seq for one in record.accepted if one.contact == contact and one.seq > seq and is_it(one)), default=inf)


def _outside_hours(record: Record) -> Iterator[str]:
    """No answer begins while the location is closed."""
    if not record.hours:
        return
    opens, closes = record.hours
    for row in _of_bridge(record):
        day, minutes = divmod(row.at_ms // 60_000, 24 * 60)
        is_open = (day + THURSDAY) % 7 < SATURDAY and opens <= minutes < closes
        if not is_open and any(piece == "1" for _, piece in PIECE.findall(row.text)):
            yield f"outside hours: {row.text[:30]!r}"


def _wrong_channel(record: Record) -> Iterator[str]:
    """A reply has the channel of its newest message; a draft is a comment."""
    came = {row.id: row.type for row in record.rows if row.inbound}
    by = {row.id: row.provider for row in record.rows if row.inbound}
    for row in _of_bridge(record):
        marks = [mark for mark in MARK.findall(row.text) if mark in came]
        if record.draft and row.type != COMMENT:
            yield f"wrong channel: {row.text[:30]!r} is no comment"
        elif not record.draft and marks and row.type != SENT_AS.get(came[marks[-1]], came[marks[-1]]):
            yield f"wrong channel: {row.text[:30]!r} left as {row.type}"
        if not record.draft and row.type != COMMENT and marks and row.provider != by[marks[-1]]:
            yield f"wrong channel: {row.text[:30]!r} left by provider {row.provider!r}"
        if any(came_to.contact != row.contact for came_to in record.rows if came_to.id in marks):
            yield f"wrong contact: {row.text[:30]!r}"


def _not_meant(record: Record) -> Iterator[str]:
    """Every text of a post is meant for the contact, by a completion or the location; only staff see notes."""
    of = {row.id: row.contact for row in record.rows if row.inbound}
    for row in _of_bridge(record):
        asked = [one for one in record.asked if any(of.get(mark) == row.contact for mark in one.marks)]
        if row.type == COMMENT and any(one.note and one.note in row.text for one in asked):
            continue
        rest = _squeezed(row.text)
        for own in record.own_texts:
            rest = rest.replace(_squeezed(own), "").strip()
        if rest and not any(rest in _squeezed(one.text) for one in asked):
            yield f"not meant for the contact: {row.text[:30]!r}"


def _untold(record: Record) -> Iterator[str]:
    """Every post whose receipt the bridge got is reported, and every reported reply is in GHL."""
    held = {row.id for row in record.rows}
    told = {id_ for one in record.outcomes.values() for id_ in one.reply_ids}
    yield from (f"untold: {id_} is told of, and not in GHL" for id_ in sorted(told - held))
    for number, marks in _quoted(record).items():
        ids = {row.id for row in sent(record) if row.receipt and str(number) in [found for found, _ in PIECE.findall(row.text)]}
        finished = [record.outcomes[mark] for mark in marks if mark in record.outcomes]
        if ids - told and any(one.status in {"replied", "delivered_by_provider"} for one in finished):
            yield f"untold: {sorted(ids - told)} are in GHL, and no outcome names them"


def _counts(record: Record) -> Iterator[str]:
    """The counts equal the messages' outcomes; a replayed dead letter counts as one before."""
    are = Counter((one.status, one.reason) for one in record.outcomes.values() if one.status in FINAL)
    counted = Counter[tuple[str, str]]()
    for name, count in record.totals.items():
        what, *labels = name.split("|")
        if what == "messages" and labels[0] in FINAL:
            counted[labels[0], labels[1]] += count
    for each in are.keys() | counted.keys():
        if each[0] == "dead" and counted[each] >= are[each]:
            continue
        if counted[each] != are[each]:
            yield f"counts: {counted[each]} messages are counted as {each}, {are[each]} are"


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def sent(record: Record) -> list[Row]:
    """What the bridge and providers have sent."""
    return [row for row in record.rows if row.by in {"bridge", "provider"}]


def _of_bridge(record: Record) -> list[Row]:
    return [row for row in record.rows if row.by == "bridge"]


def _quoted(record: Record) -> dict[int, list[str]]:
    """The completions with any part in GHL, each with the messages that it answers."""
    there = {int(number) for row in sent(record) for number, _ in PIECE.findall(row.text)}
    return {one.number: list(one.marks) for one in record.asked if one.number in there}
