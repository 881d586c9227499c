"""Retries around a completer: how often, how long, and after which faults."""

from __future__ import annotations

import pytest

from bridge.completion.retrying import Retrying
from bridge.errors import BridgeError, OperatorMustFix, OutcomeUnknown, Permanent, Retryable
from bridge.model import Completion, ContactId, ConversationId, LocationId, MessageId, Question, Reason

QUESTION = Question(
    location_id=LocationId("loc"),
    contact_id=ContactId("contact"),
    conversation_id=ConversationId("conv"),
    last_message_id=MessageId("m1"),
    channel="SMS",
    input="hi",
)
HELLO = Completion(text="hello")


class Time:
    """A clock that only sleeping and working advance."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Scripted:
    """A completer that takes `work` seconds for each of its outcomes, and repeats the last one."""

    def __init__(self, time: Time, *outcomes: Completion | BridgeError, work: float = 0.0) -> None:
        self._time = time
        self._outcomes = list(outcomes)
        self._work = work
        self.given: list[float] = []

    def complete(self, question: Question, *, seconds: float) -> Completion:
        assert question is QUESTION
        self.given.append(seconds)
        self._time.now += self._work
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, BridgeError):
            raise outcome
        return outcome


@pytest.fixture
def time() -> Time:
    return Time()


def ask(completer: Scripted, time: Time, *, seconds: float = 120.0, attempts: int = 3) -> Completion:
    retrying = Retrying(completer, sleep=time.sleep, clock=lambda: time.now, attempts=attempts)
    return retrying.complete(QUESTION, seconds=seconds)


def test_an_answer_is_asked_for_once(time: Time) -> None:
    """A completer that answers is not called again."""
    completer = Scripted(time, HELLO)
    assert ask(completer, time).text == "hello"
    assert completer.given == [120.0]


def test_silence_is_not_asked_again(time: Time) -> None:
    """An empty answer is a decision."""
    completer = Scripted(time, Completion(text="", why_silent=Reason.EMPTY))
    assert ask(completer, time).text == ""
    assert len(completer.given) == 1


def test_a_passing_fault_is_asked_again(time: Time) -> None:
    """Temporary faults are retried after a growing wait, within the remaining time."""
    completer = Scripted(time, Retryable("1"), Retryable("2"), HELLO, work=5.0)
    assert ask(completer, time).text == "hello"
    first, second = time.slept
    assert 1 <= first <= 2 <= second <= 3
    assert completer.given == pytest.approx([120.0, 115.0 - first, 110.0 - first - second])


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_tries_run_out(time: Time, attempts: int) -> None:
    """After all attempts the last fault is raised, and each attempt was one call."""
    faults = [Retryable(str(number)) for number in range(1, 5)]
    completer = Scripted(time, *faults)
    with pytest.raises(Retryable) as caught:
        ask(completer, time, attempts=attempts)
    assert caught.value is faults[attempts - 1]
    assert len(completer.given) == attempts


@pytest.mark.parametrize("error", [OutcomeUnknown("?"), Permanent("no"), OperatorMustFix("token")])
def test_other_faults_come_out_at_once(time: Time, error: BridgeError) -> None:
    """A fault that may have delivered, or is permanent, is raised unchanged after one call."""
    completer = Scripted(time, error, HELLO)
    with pytest.raises(type(error)) as caught:
        ask(completer, time)
    assert caught.value is error
    assert len(completer.given) == 1


@pytest.mark.parametrize("asked", [0.0, 4.0, 10.0])
def test_a_short_wait_is_kept(time: Time, asked: float) -> None:
    """Up to ten seconds of Retry-After are waited exactly."""
    assert ask(Scripted(time, Retryable("busy", retry_after=asked), HELLO), time).text == "hello"
    assert time.slept == [asked]


def test_a_long_wait_is_handed_on(time: Time) -> None:
    """More than ten seconds of Retry-After are left to the schedule."""
    completer = Scripted(time, Retryable("busy", retry_after=10.5), HELLO)
    with pytest.raises(Retryable) as caught:
        ask(completer, time)
    assert (caught.value.retry_after, time.slept, len(completer.given)) == (10.5, [], 1)


@pytest.mark.parametrize(("work", "retry_after"), [(20.0, None), (19.5, None), (12.0, 8.0)])
def test_no_wait_reaches_beyond_the_deadline(time: Time, work: float, retry_after: float | None) -> None:
    """If there is no time for another attempt after the wait, the fault is raised at once."""
    completer = Scripted(time, Retryable("slow", retry_after=retry_after), HELLO, work=work)
    with pytest.raises(Retryable, match="slow"):
        ask(completer, time, seconds=20.0)
    assert (time.slept, len(completer.given)) == ([], 1)


def test_an_answer_says_what_was_waited_out(time: Time) -> None:
    """It lists the faults of the earlier attempts, in order, for the timeline."""
    completer = Scripted(time, Retryable("HTTP 429"), Retryable("HTTP 502"), HELLO)
    assert ask(completer, time).waited_out == ("HTTP 429", "HTTP 502")
