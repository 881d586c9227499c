"""Tests of the checker: records of good runs are changed in each way that it must find."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bridge.model import Reason
from tests.proof.cases import Case, run
from tests.proof.checker import faults_in
from tests.proof.record import Accepted, Record, Row
from tests.proof.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.proof.machine import Machine


def _replies(record: Record) -> list[Row]:
    return [row for row in record.rows if row.by == "bridge"]


def _drop(record: Record) -> None:
    record.rows.remove(_replies(record)[-1])


def _double(record: Record) -> None:
    record.rows.append(replace(_replies(record)[-1], id="another", seq=99))


def _double_by_provider(record: Record) -> None:
    record.rows.append(replace(_replies(record)[-1], id="another", seq=99, by="provider"))


def _swap(record: Record) -> None:
    first, last = _replies(record)[0], _replies(record)[-1]
    first.text, last.text = last.text, first.text


def _swap_messages(record: Record) -> None:
    """The later message was accepted and answered before the earlier one."""
    _swap(record)
    first, last = record.asked[0], record.asked[-1]
    record.asked[0], record.asked[-1] = replace(last, number=first.number), replace(first, number=last.number)
    accepted = next(one for one in record.accepted if one.id == "m1")
    record.accepted[record.accepted.index(accepted)] = replace(accepted, seq=1)
    next(row for row in record.rows if row.id == "m3").seq = 2


def _other_channel(record: Record) -> None:
    _replies(record)[-1].type = "TYPE_EMAIL"


def _other_contact(record: Record) -> None:
    _replies(record)[-1].contact = "somebody"


def _seen_draft(record: Record) -> None:
    record.draft = True


def _closed(record: Record) -> None:
    record.hours = (10 * 60, 17 * 60)


def _weekend(record: Record) -> None:
    record.hours = (0, 24 * 60)
    for row in record.rows:
        row.at_ms += 5 * 24 * 3600 * 1000


def _after(kind: str, text: str = "") -> Callable[[Record], None]:
    def spoil(record: Record) -> None:
        record.rows.insert(
            0, Row(seq=0, id="x", contact="contact", by="contact", type="TYPE_SMS", text=text, at_ms=0, listed_at_ms=0)
        )
        record.accepted.append(Accepted(seq=0, kind=kind, contact="contact", id="x", at_ms=0, status="stop_word"))

    return spoil


def _stopped_and_started(record: Record, type_: str) -> None:
    """Before anything else, the contact opts out of SMS, and writes START on this channel."""
    _after("contact", "STOP")(record)
    record.rows.insert(0, replace(record.rows[0], id="y", seq=1, type=type_, text="START"))


def _started_elsewhere(record: Record) -> None:
    _stopped_and_started(record, "TYPE_WHATSAPP")


def _outcome(**changed: object) -> Callable[[Record], None]:
    def spoil(record: Record) -> None:
        record.outcomes["m1"] = replace(record.outcomes["m1"], **changed)  # type: ignore[arg-type] # whatever is spoilt

    return spoil


def _forget(record: Record) -> None:
    del record.outcomes["m1"]


def _count(name: str, by: int) -> Callable[[Record], None]:
    def spoil(record: Record) -> None:
        record.totals[name] = record.totals.get(name, 0) + by

    return spoil


def _leave_due(record: Record) -> None:
    record.due = 1


def _other_words(record: Record) -> None:
    _replies(record)[-1].text += " (and by the way)"


def _note_for_staff(record: Record) -> None:
    record.asked[0] = replace(record.asked[0], note="She wants a refund")
    record.rows.append(replace(_replies(record)[-1], id="another", seq=99, text="She wants a refund"))


def _pass_over(record: Record) -> None:
    record.swept = True
    record.rows.append(replace(record.rows[0], id="x", contact="somebody", seq=99))


def _say_twice(record: Record) -> None:
    record.own_texts = ("(c1.",)


SPOILT: dict[str, tuple[Callable[[Record], None], str]] = {
    "a reply is missing": (_drop, "lost: "),
    "a reply is there twice": (_double, "doubled: "),
    "a provider's reply beside ours": (_double_by_provider, "doubled: "),
    "pieces are swapped": (_swap, "reordered: "),
    "a person was there": (_after("person"), "over a human: "),
    "the contact had stopped": (_after("contact", "STOP"), "after STOP: "),
    "the contact started another channel": (_started_elsewhere, "after STOP: "),
    "the app was uninstalled": (_after("uninstall"), "after the uninstall: "),
    "it was closed": (_closed, "outside hours: "),
    "it was a Saturday": (_weekend, "outside hours: "),
    "another channel": (_other_channel, "wrong channel: "),
    "another contact": (_other_contact, "wrong contact: "),
    "a draft that the contact sees": (_seen_draft, "wrong channel: "),
    "skipped without a reason": (_outcome(status="skipped", reason=""), "no reason: "),
    "dead without an error": (_outcome(status="dead", error=""), "no reason: "),
    "still waiting": (_outcome(status="waiting"), "lost: "),
    "not known": (_forget, "lost: "),
    "a reply that nobody tells of": (_outcome(reply_ids=()), "untold: "),
    "a told reply that is not there": (_outcome(reply_ids=("nowhere",)), "untold: "),
    "another outcome than counted": (_outcome(status="skipped", reason=Reason.DND), "counts: "),
    "counted twice": (_count("messages|replied|", 1), "counts: "),
    "not counted": (_count("messages|replied|", -1), "counts: "),
    "a lane is left": (_leave_due, "lost: "),
    "words that nobody meant": (_other_words, "not meant for the contact: "),
    "a note of another completion": (_note_for_staff, "not meant for the contact: "),
    "what the sweeps passed": (_pass_over, "lost: "),
    "an own text is repeated": (_say_twice, "doubled: "),
}


@pytest.fixture(scope="module")
def good(machine: Machine) -> dict[str, Record]:
    """Records of two good runs by the shape's name."""
    return {name: run(machine, Case(shape)).record for shape in SHAPES if (name := shape.name) in {"three parts", "burst"}}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_record_is_found_out(good: dict[str, Record], name: str) -> None:
    """The checker names the error, and finds none in the good record."""
    spoil, said = SPOILT[name]
    record = deepcopy(good["three parts"])
    assert faults_in(record) == []
    spoil(record)
    assert [fault for fault in faults_in(record) if fault.startswith(said)], faults_in(record)


def test_answers_in_the_wrong_order_are_found_out(good: dict[str, Record]) -> None:
    """A message that was accepted before a later one was written is not answered after it."""
    record = deepcopy(good["burst"])
    assert faults_in(record) == []
    _swap_messages(record)
    assert [fault for fault in faults_in(record) if fault.startswith("reordered: m")], faults_in(record)


def test_a_start_on_the_channel_that_was_stopped_is_no_fault(good: dict[str, Record]) -> None:
    """After START the contact may be answered again."""
    record = deepcopy(good["three parts"])
    _stopped_and_started(record, "TYPE_SMS")
    assert faults_in(record) == []
