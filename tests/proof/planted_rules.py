"""More planted faults: in rules, found by scenes.

People who didn't know the scenes chose them, and each was missed once or might have been.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.answering import posting
from bridge.errors import Retryable
from bridge.ghl import client
from bridge.policy import sweeping, transcript
from bridge.policy.authors import Author
from bridge.wire.answers import json_object
from tests.proof.planted import InPython, InScript

if TYPE_CHECKING:
    from collections.abc import Callable


def _no(answer: object = None) -> Callable[[Any], Any]:
    return lambda _: lambda *_args, **_named: answer


def _newest_first(was: Any) -> Any:
    return lambda *given: tuple(reversed(was(*given)))


def _wants_a_receipt(was: Any) -> Any:
    """A message that GHL accepted is sent again if its receipt can't be read."""

    def decipher(status: int, headers: Any, body: bytes, **named: Any) -> Any:
        if status == 200 and json_object(body) is None:
            raise Retryable("no receipt")
        return was(status, headers, body, **named)

    return decipher


RULES: tuple[InScript | InPython, ...] = (
    InPython("no guard between two parts", "three parts", posting, "guard_except_hours", _no()),
    InPython("an unreadable receipt is a failure", "one part", client, "decipher", _wants_a_receipt),
    InPython("an automation answers for the bridge", "sweep: a campaign wrote since", sweeping, "author", _no(Author.PERSON)),
    InPython("a handover sets no tag", "handover", client.GHL, "tag", _no()),
    InPython("the newest text comes first", "three messages", transcript, "asked", _newest_first),
    InScript(
        "START lifts every stop",
        "starts one channel",
        "if at > tonumber(redis.call('HGET', record, 'start:' .. channel) or 0) then",
        "for other in pairs(stops(lane)) do redis.call('HSET', record, 'start:' .. other, at) end if true then",
    ),
    InScript(
        "a lifted hold replays nothing",
        "hold that is lifted",
        "replay_refused(location, 'ghl', event, retention) + replay_refused(location, 'provider', event, retention)",
        "0",
    ),
    InScript("a replay asks anew", "an answer that is replayed", "if dead_letter.answer ~= '' then", "if false then"),
    InScript("other hours change no wait", "opens earlier", "elseif waits_by_settings(lane) then", "elseif false then"),
    InScript("a burst has no longest wait", "never quiet", "math.min(tonumber(first) or now, now) + most", "now + 3600 * 1000"),
    InScript("half an answer is asked for again", "handover with a note", "and not may_be_answered(dead_id)", ""),
    InScript(
        "what waits takes no dead letter along",
        "dead letter and a newer message",
        "if line and line ~= UNKNOWN_LINE then carry_over(lane, line, newer, retention) end",
        "",
    ),
)
