"""The messages of a turn, and the question about them."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import Channel, ConversationId, Listed, MessageId, PastMessage, Question
from bridge.policy.transcript import as_told, ask, choose, earlier, read_back
from tests.stored import HERE, LANE, message

if TYPE_CHECKING:
    from bridge.model import InboundMessage


def at(id_: str, date: int, **fields: Any) -> InboundMessage:
    return message(id_, date_added_ms=date, text=f"text of {id_}", **fields)


def custom(id_: str, date: int, provider: str) -> InboundMessage:
    return at(
        id_,
        date,
        channel=Channel.CUSTOM,
        message_type="SMS",
        message_type_string="TYPE_CUSTOM_SMS",
        conversation_provider_id=provider,
    )


def whatsapp(id_: str, date: int) -> InboundMessage:
    return at(id_, date, channel=Channel.WHATSAPP, message_type="WhatsApp", message_type_string="TYPE_WHATSAPP")


def ids(chosen: tuple[InboundMessage, ...]) -> list[str]:
    return [one.id for one in chosen]


def test_the_oldest_comes_first_whatever_came_first() -> None:
    """Messages are in the order of `dateAdded`, however they arrived."""
    for waiting in permutations([at("a", 1), at("b", 2), at("c", 3)]):
        assert ids(choose(waiting)) == ["a", "b", "c"]


def test_arrival_decides_ties() -> None:
    """Messages of the same time stay in the order of their arrival."""
    for waiting in permutations([at("a", 1), at("b", 1), at("c", 1)]):
        assert ids(choose(waiting)) == [one.id for one in waiting]


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        ([at("a", 1), whatsapp("b", 2), at("c", 3)], ["a", "c"]),
        ([at("a", 2), whatsapp("b", 1), at("c", 3)], ["b"]),
        ([custom("a", 1, "p1"), custom("b", 2, "p2"), custom("c", 3, "p1")], ["a", "c"]),
        ([custom("a", 2, "p1"), custom("b", 1, "p2")], ["b"]),
        ([at("a", 1), custom("b", 2, "p1")], ["a"]),
        ([at("a", 1, message_type_string=""), at("b", 2, message_type_string="")], ["a", "b"]),
        ([], []),
    ],
)
def test_a_turn_has_one_channel_and_provider(waiting: list[InboundMessage], expected: list[str]) -> None:
    """A turn has the channel and conversation provider of its oldest message; other messages wait for the next turn."""
    assert ids(choose(waiting)) == expected


def test_a_saved_answer_is_for_the_messages_it_answers() -> None:
    """With a saved answer, newer messages are not part of the turn, whatever their age, and no others are chosen."""
    waiting = [at("late", 0), at("b", 2), at("a", 1), whatsapp("c", 3)]
    assert ids(choose(waiting, [MessageId("b"), MessageId("a")])) == ["a", "b"]
    assert choose(waiting, [MessageId("gone")]) == ()


def test_several_texts_become_one_input() -> None:
    """A provider gets all texts in one question, joined by newlines; ids and channel are those of the newest message."""
    first = at("a", 1, conversation_id=ConversationId("old"))
    assert ask([first, at("b", 2)]) == Question(
        location_id=HERE,
        contact_id=LANE.contact_id,
        conversation_id=ConversationId("conversation-contact"),
        last_message_id=MessageId("b"),
        channel="SMS",
        input="text of a\ntext of b",
    )


def test_white_space_around_texts_is_dropped() -> None:
    """Each text is stripped; the inside is unchanged."""
    texts = ["  hi \n", "\n\n two\n\nlines ", "🙂"]
    asked = ask([message(f"m{number}", text=text) for number, text in enumerate(texts)])
    assert asked.input == "hi\ntwo\n\nlines\n🙂"


def test_carried_texts_stand_where_their_time_puts_them() -> None:
    """Texts of dead letters join the input, oldest first, also with equal times; the ids are the newest message's."""
    asked = ask([at("b", 2), at("d", 4)], [at("c", 3), at("a", 1), at("b2", 2), at("e", 5)])
    assert asked.input == "text of a\ntext of b2\ntext of b\ntext of c\ntext of d\ntext of e"
    assert asked.last_message_id == "d"


def test_carried_texts_of_another_line_are_left_out() -> None:
    """Messages of another channel or conversation provider are not part of this turn."""
    asked = ask([at("b", 2)], [whatsapp("a", 1), custom("c", 1, "p1"), at("d", 1)])
    assert asked.input == "text of d\ntext of b"


def said(id_: str, at_ms: int, role: str = "user") -> PastMessage:
    return PastMessage(role, f"text of {id_}", id=MessageId(id_), at_ms=at_ms)


@pytest.mark.parametrize(
    ("record", "asked", "count", "expected"),
    [
        ([], [], 20, []),
        (["a", "b", "c"], [], 20, ["a", "b", "c"]),
        (["a", "b", "c"], [], 2, ["b", "c"]),
        (["a", "b", "c"], ["c"], 2, ["a", "b"]),
        (["a", "b", "c"], ["b", "x"], 20, ["a", "c"]),
        (["c", "a", "b"], [], 20, ["a", "b", "c"]),
        (["a", "a", "b"], [], 2, ["a", "b"]),
    ],
)
def test_history_is_what_was_said_before(record: list[str], asked: list[str], count: int, expected: list[str]) -> None:
    """It has the last messages, oldest first, each once, without the current question."""
    times = {"a": 1, "b": 2, "c": 3}
    found = earlier([said(id_, times[id_]) for id_ in record], asked={MessageId(id_) for id_ in asked}, count=count)
    assert [one.id for one in found] == expected


def row(id_: str, direction: str = "outbound", text: str = "hello", **fields: Any) -> Listed:
    given = {"date_added_ms": 1, "user_id": "", "source": "app", "type": "TYPE_SMS", **fields}
    return Listed(id=MessageId(id_), direction=direction, text=text, **given)


def test_what_ghl_lists_becomes_history() -> None:
    """The contact is the user, everyone else is the assistant; comments and empty rows are left out."""
    rows = [
        row("person", user_id="staff"),
        row("ours", source="api"),
        row("workflow", source="workflow"),
        row("contact", "inbound", date_added_ms=5),
        row("comment", type="TYPE_INTERNAL_COMMENT"),
        row("activity", type="TYPE_ACTIVITY_CONTACT"),
        row("picture", "inbound", text=" "),
        row("email", text=""),
    ]
    assert [(one.id, one.role) for one in read_back(rows)] == [
        ("person", "assistant"),
        ("ours", "assistant"),
        ("workflow", "assistant"),
        ("contact", "user"),
    ]
    assert read_back(rows)[-1] == PastMessage("user", "hello", id=MessageId("contact"), at_ms=5)


FILES: dict[str, Any] = {"attachments": ("https://x/1.jpg", "https://x/2.webp")}


@pytest.mark.parametrize(
    ("listed", "content"),
    [
        (
            row("one", "inbound", text="", attachments=("https://x/1.jpg",)),
            "[The contact sent 1 picture here; it is not shown to you.]",
        ),
        (row("two", "inbound", text="", **FILES), "[The contact sent 2 pictures here; they are not shown to you.]"),
        (row("both", "inbound", text="Look", **FILES), "Look\n[The contact sent 2 pictures here; they are not shown to you.]"),
        (
            row("sticker", "inbound", text="", type="TYPE_WHATSAPP", **FILES),
            "[The contact sent 1 picture and 1 sticker here; they are not shown to you.]",
        ),
        (row("ours", text="Here is the menu", source="api", **FILES), "Here is the menu"),
    ],
)
def test_files_of_the_contact_stand_in_the_history_in_one_line(listed: Listed, content: str) -> None:
    """It has their kinds and no text of them; files of the business are left out, because a model would imitate their line."""
    found = read_back([listed])
    assert "[" not in found[0].content
    assert [one.content for one in as_told(found, files=True)] == [content]
    assert [one.content for one in as_told(found, files=False)] == [listed.text] * bool(listed.text)


def test_a_file_of_the_business_alone_is_no_history() -> None:
    """Such a message has no text."""
    assert read_back([row("ours", text="", source="api", **FILES)]) == ()
