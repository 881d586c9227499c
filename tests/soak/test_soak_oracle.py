"""The oracle itself is tested: it must see every error."""

from __future__ import annotations

from tests.soak.oracle import Verdict, Written, judge


def write(mark: str, *, at: float = 0.0, accepted_at: float | None = 0.5, contact: str = "ana") -> Written:
    return Written(mark=mark, contact_id=contact, message_id=f"m{mark}", at=at, accepted_at=accepted_at)


def saw(*written: Written, posts: list[str], recorded: tuple[str, ...] = ()) -> Verdict:
    return judge(written, {"ana": posts}, recorded)


def test_one_reply_each_is_clean() -> None:
    """One post may answer several messages, and each message is in one post."""
    verdict = saw(write("1-1"), write("1-2", at=1), write("1-3", at=2), posts=['"#1-1 Hi\n#1-2 Ho"', '"#1-3 Hu"'])
    assert verdict.is_clean
    assert (verdict.accepted, verdict.replied) == (3, 3)


def test_an_accepted_message_without_reply_and_outcome_is_lost() -> None:
    """A recorded outcome says why; a message whose webhook was never accepted is not guaranteed."""
    verdict = saw(write("1-1"), write("1-2"), write("1-3", accepted_at=None), posts=[], recorded=("1-2",))
    assert (verdict.written, verdict.accepted, verdict.replied) == (3, 2, 0)
    assert (verdict.lost, verdict.recorded) == (("1-1",), ("1-2",))
    assert not verdict.is_clean


def test_a_message_quoted_twice_is_doubled() -> None:
    """This holds for two posts, and for one that has it twice."""
    assert saw(write("1-1"), posts=["#1-1", "#1-1"]).doubled == ("1-1",)
    assert saw(write("1-1"), posts=["#1-1\n#1-1"]).doubled == ("1-1",)
    assert saw(write("1-1", accepted_at=None), posts=["#1-1", "#1-1"]).doubled == ("1-1",)


def test_a_message_answered_after_a_later_one_is_reordered() -> None:
    """The earlier one was accepted before the later one was written."""
    verdict = saw(write("1-1"), write("1-2", at=1, accepted_at=1.5), posts=["#1-2", "#1-1"])
    assert verdict.reordered == ("1-1",)
    assert not verdict.is_clean


def test_messages_under_way_at_the_same_time_have_no_order() -> None:
    """A message whose webhook is repeated until after the next one was written may be answered after it."""
    assert saw(write("1-1", accepted_at=2), write("1-2", at=1, accepted_at=1.5), posts=["#1-2", "#1-1"]).is_clean


def test_a_post_to_the_wrong_contact_is_a_stray() -> None:
    """The quoted message counts as lost for its contact."""
    verdict = judge([write("1-1"), write("2-1", contact="bob")], {"ana": ["#1-1", "#2-1"]}, ())
    assert (verdict.strays, verdict.lost) == (1, ("2-1",))
