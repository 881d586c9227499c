"""Resolving an unknown outcome: when to look, and what counts as found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import Listed, MessageId, Window
from bridge.policy.unknown_sends import Absent, Present, Unproven, find_delivery, find_post, wait_before_look

if TYPE_CHECKING:
    from collections.abc import Collection

AT = 1_800_000_000_000


def listed(text: str = "hello", **fields: Any) -> Listed:
    given: dict[str, Any] = {
        "id": MessageId("r1"),
        "direction": "outbound",
        "date_added_ms": AT,
        "user_id": "",
        "source": "app",
        "type": "TYPE_SMS",
    }
    return Listed(text=text, **{**given, **fields})


def post(
    rows: list[Listed], text: str = "hello", claimed: str = "", ours: Collection[str] = (), *, complete: bool = True
) -> Present | Absent | Unproven:
    window = Window(messages=tuple(rows), complete=complete)
    return find_post(window, text=text, claimed=claimed, ours=[MessageId(one) for one in ours])


def delivery(rows: list[Listed], ours: Collection[str] = (), *, complete: bool = True) -> Present | Absent | Unproven:
    return find_delivery(Window(messages=tuple(rows), complete=complete), ours=[MessageId(one) for one in ours])


def is_found(row: Listed, text: str = "hello") -> bool:
    return post([row], text) == Present(row.id)


@pytest.mark.parametrize(
    ("looks", "seconds", "expected"),
    [(0, 0, 6), (0, 4, 2), (0, 6, 0), (0, 60, 0), (1, 6, 30), (1, 20, 16), (1, 36, 0), (2, 0, None), (9, 0, None), (0, -10, 16)],
)
def test_looks_are_planned_from_the_attempt(looks: int, seconds: int, expected: float | None) -> None:
    """Each wait is counted from the end of the one before, and after the last look there is none."""
    assert wait_before_look(looks=looks, since_ms=AT, now_ms=AT + seconds * 1000, readback=(6, 30)) == expected


def test_without_waits_there_is_no_look() -> None:
    """Without waits in the schedule nothing is read."""
    assert wait_before_look(looks=0, since_ms=AT, now_ms=AT, readback=()) is None


@pytest.mark.parametrize(
    ("there", "ours"),
    [
        ("hello", "hello"),
        ("Hello  there\n", "hello there"),
        ("<p>hello<br>there</p>", "hello there"),
        ("hello there", "<b>hello</b> there"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("<p>1 &lt; 2</p>", "1 < 2"),
        ("👍", "👍"),
        ("👍🏽 ❤️", "👍🏽 ❤️"),
        ("<happy>", "<happy>"),
        ("STRASSE", "straße"),
    ],
)
def test_the_same_words_are_found(there: str, ours: str) -> None:
    """GHL may change white space, markup and case of the sent text."""
    assert is_found(listed(there), ours)


@pytest.mark.parametrize(
    ("there", "ours"),
    [
        ("hello you", "hello"),
        ("👍", "👎"),
        ("", "hello"),
        ("", ""),
        ("anything", ""),
        ("", "<happy>"),
        ("<sad>", "<happy>"),
        ("<img src='x'>", "<happy>"),
    ],
)
def test_other_words_are_not_found(there: str, ours: str) -> None:
    """A similar text, and one without words, proves nothing."""
    assert not is_found(listed(there), ours)


AUTOMATED = [{"source": source} for source in ("workflow", "campaign", "bulk_actions")]
NOT_MACHINE_MADE = [{"direction": "inbound"}, {"direction": ""}, {"user_id": "staff"}, *AUTOMATED]


@pytest.mark.parametrize("fields", NOT_MACHINE_MADE)
def test_what_people_and_automations_send_is_explained_and_not_ours(fields: dict[str, Any]) -> None:
    """Inbound messages, those of a user and those of GHL's automations are not ours, and absence stays proven."""
    row = listed(**fields)
    assert post([row]) == Absent()
    assert post([row], text="other", claimed="r1") == Absent()
    assert delivery([row]) == Absent()


@pytest.mark.parametrize("type_", ["TYPE_INTERNAL_COMMENT", "TYPE_ACTIVITY_APPOINTMENT", "TYPE_LIVE_CHAT_INFO_MESSAGE"])
def test_what_no_contact_sees_is_no_delivery(type_: str) -> None:
    """An appointment that the agent booked, or a comment, is listed, but is no answer for the contact."""
    assert delivery([listed(type=type_)]) == Absent()
    assert delivery([listed(type=type_), listed(id=MessageId("r2"))]) == Present(MessageId("r2"))
    assert post([listed(type=type_)]) == Present(MessageId("r1"))


@pytest.mark.parametrize("source", ["app", "api", "", "Workflow?", "conversation_ai"])
def test_any_other_source_may_be_ours(source: str) -> None:
    """Only known sources of automations are excluded."""
    assert post([listed(source=source)]) == delivery([listed(source=source)]) == Present(MessageId("r1"))


def test_an_empty_conversation_proves_absence() -> None:
    """An empty window that was read completely proves the absence of a post, a claim and a delivery."""
    assert post([]) == post([], claimed="x") == delivery([]) == Absent()


def test_one_id_settles_one_part() -> None:
    """A message that is known as ours counts for its own part only, even if its id is claimed again."""
    assert post([listed()], ours={"r1"}) == Absent()
    assert post([listed()], claimed="r1", ours={"r1"}) == Absent()
    assert delivery([listed()], ours={"r1"}) == Absent()
    assert post([listed(), listed(id=MessageId("r2"))], ours={"r1"}) == Present(MessageId("r2"))


def test_a_window_that_is_cut_short_proves_nothing_absent() -> None:
    """A find in it counts; anything else may be before the cut."""
    assert post([listed()], complete=False) == delivery([listed()], complete=False) == Present(MessageId("r1"))
    for finding in (post([], complete=False), post([listed("other")], complete=False), delivery([], complete=False)):
        assert isinstance(finding, Unproven)
        assert "too long" in finding.why


def test_an_outbound_message_that_nobody_explains_proves_nothing_absent() -> None:
    """It may be the reply in another form, so the reply is neither found nor absent."""
    for text in ("another text", ""):
        finding = post([listed(text), listed(direction="inbound")])
        assert isinstance(finding, Unproven)
        assert "can't be explained" in finding.why


@pytest.mark.parametrize(("there", "ours"), [("", ""), ("", "hello"), ("hello", "")])
def test_texts_that_are_empty_are_never_the_same(there: str, ours: str) -> None:
    """An attachment without text is not a reply without text."""
    assert isinstance(post([listed(there)], text=ours), Unproven)


def test_a_claimed_id_is_enough() -> None:
    """The message that the provider named is the match, whatever its text; a message without an id can't be claimed."""
    assert post([listed("rewritten"), listed("x", id=MessageId("r2"))], claimed="r1") == Present(MessageId("r1"))
    assert isinstance(post([listed("rewritten", id=MessageId(""))], claimed=""), Unproven)


def test_what_is_found_comes_before_what_is_unexplained() -> None:
    """The first matching row counts, whatever else is listed."""
    rows = [listed("other", id=MessageId("r0")), listed(id=MessageId("r1")), listed(id=MessageId("r2"))]
    assert post(rows) == Present(MessageId("r1"))


def test_a_delivery_is_the_first_message_since_the_question() -> None:
    """The first unexplained message after the question is the provider's answer; windows are newest first."""
    rows = [listed(id=MessageId("late")), listed(id=MessageId("early")), listed(id=MessageId("staff"), user_id="staff")]
    assert delivery(rows) == Present(MessageId("early"))
    assert delivery(rows, ours={"early"}) == Present(MessageId("late"))
