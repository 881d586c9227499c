"""Faults that are planted in the code, to see whether the harness finds them: each could be a person's mistake.

In a script a text is replaced by another one; in Python a function is replaced for as long as the fault is planted.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bridge import sweep
from bridge.answering import failover, handover, posting, read_back
from bridge.errors import OutcomeUnknown, Retryable
from bridge.ghl import client, messages
from bridge.model import Again, Dead, MessageId, Reply
from bridge.policy import failover as order
from bridge.policy import guards, resolving, retry
from bridge.policy.authors import Author
from bridge.policy.unknown_sends import Absent, Present
from bridge.store.lanes import dead_lettering, outbound, steps
from bridge.store.lanes.leases import Lanes
from bridge.store.lanes.swept import SweptMessages
from bridge.wire import http1
from workers import sweeper

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class InScript:
    """`was` is replaced by `becomes` wherever it occurs."""

    name: str
    found_by: str
    was: str
    becomes: str


@dataclass(frozen=True, slots=True)
class InPython:
    """An attribute of a module or class is replaced by the result of `made`."""

    name: str
    found_by: str
    owner: Any
    attribute: str
    made: Callable[[Any], Any]


def _always(answer: object) -> Callable[[Any], Any]:
    return lambda _: lambda *_args, **_named: answer


def _first_half(was: Any) -> Any:
    def shaped(*given: Any) -> Any:
        whole = was(*given)
        return replace(whole, parts=whole.parts[:-1] or whole.parts)

    return shaped


def _backwards(was: Any) -> Any:
    def shaped(*given: Any) -> Any:
        whole = was(*given)
        return replace(whole, parts=whole.parts[::-1])

    return shaped


def _on_whatsapp(was: Any) -> Any:
    def build(*given: Any, **named: Any) -> Reply:
        reply: Reply = was(*given, **named)
        return replace(reply, type="WhatsApp") if reply.type == "SMS" else reply

    return build


def _never_a_draft(was: Any) -> Any:
    return lambda message, text, *, draft: was(message, text, draft=draft and False)


def _impatient(was: Any) -> Any:
    """A send of unknown outcome is retried at once."""

    def persist(attempt: Any, **named: Any) -> Any:
        def unknown_too(left: float) -> Any:
            try:
                return attempt(left)
            except OutcomeUnknown as error:
                raise Retryable(str(error)) from error

        return was(unknown_too, **named)

    return persist


def _without_error(was: Any) -> Any:
    def decide(*given: Any, **named: Any) -> Again | Dead:
        decided: Again | Dead = was(*given, **named)
        return replace(decided, error="") if isinstance(decided, Dead) else decided

    return decide


def _soon_dead(was: Any) -> Any:
    return lambda error, *, attempts, **named: was(error, attempts=attempts + 99, **named)


def _without_reason(was: Any) -> Any:
    return lambda ended, *given: was(replace(ended, reason=None), *given)


def _unnoted(was: Any) -> Any:
    def sending(*given: Any, **named: Any) -> Any:
        return {name: value for name, value in was(*given, **named).items() if name != "ledger"}

    return sending


def _newest_only(was: Any) -> Any:
    return lambda turn, ids, *given, **named: was(turn, ids[-1:], *given, **named)


def _believed(_: Any) -> Any:
    def settle(case: Any, completion: Any, _services: Any) -> Any:
        ids = read_back.claimed(completion)
        return read_back.delivered_by_provider(case, completion, ids) if ids else None

    return settle


def _drops(_: Any) -> Any:
    return lambda _, messages: ["duplicate"] * len(messages)


def _counts_as_complete(was: Any) -> Any:
    """A sweep ends when GHL refuses a page, as if there were no more pages."""
    return lambda *given: replace(was(*given), cursor_ms=0, why="")


def _skips_what_is_refused(was: Any) -> Any:
    """A conversation that can't be read now is left out."""

    def look_into(*given: Any, **named: Any) -> None:
        with suppress(Retryable):
            was(*given, **named)

    return look_into


def _for_the_contact(was: Any) -> Any:
    return lambda *given, for_staff=False, **named: was(*given, for_staff=for_staff and False, **named)


PLANTED: tuple[InScript | InPython, ...] = (
    InScript("no fence", "one part", "if is[1] ~= token then return nil end", ""),
    InScript("no fence at the end", "three parts", "if not is_holder(is, token) then return is", "if false then return is"),
    InScript(
        "a held lane is leased",
        "one part",
        "if known.lease and not again and tonumber(known.lease_until) > now then return nil end",
        "",
    ),
    InScript("standing not looked at", "one part", "revision(lane) ~= patch.revision[1] or ", ""),
    InScript("uninstall not looked at", "one part", " or is_silent()", ""),
    InScript(
        "a copy of a webhook is news",
        "one part",
        "return by:sub(1, #nonce + 1) == nonce .. ':' and by:sub(#nonce + 2) or 'duplicate'",
        "if by:sub(1, #nonce + 1) == nonce .. ':' then return by:sub(#nonce + 2) end",
    ),
    InScript(
        "a retry is news",
        "one part",
        "return by:sub(1, #nonce + 1) == nonce .. ':' and by:sub(#nonce + 2) or 'duplicate'",
        "if by:sub(1, #nonce + 1) ~= nonce .. ':' then return 'duplicate' end",
    ),
    InScript(
        "what is done waits on", "one part", "redis.call('LREM', key('waiting', lane), 1, id)\n    end_message", "end_message"
    ),
    InScript(
        "a claim takes off the schedule",
        "one part",
        "redis.call('ZADD', key('due', location), now + lease, contact)\n    take_slot(location",
        "redis.call('ZREM', key('due', location), contact)\n    take_slot(location",
    ),
    InScript("a stop is not kept", "one part", "redis.call('HSET', record, 'stop:' .. channel, at) end", "end"),
    InScript(
        "a person is not noted",
        "one part",
        "if known[2] == message.id or at <= tonumber(known[1] or 0) then return false end",
        "if true then return false end",
    ),
    InScript(
        "a second message schedules nothing",
        "never quiet",
        "    reschedule(lane)\n  end\n  return outcome",
        "  end\n  return outcome",
    ),
    InScript(
        "a release schedules nothing",
        "one part",
        "local waits = reschedule(lane, over, tonumber(is.lease_until) > now)",
        "local waits = not over",
    ),
    InScript("an end is not counted", "one part", "count('messages|' .. status .. '|' .. reason)", ""),
    InScript(
        "an end is counted twice",
        "one part",
        "count('messages|' .. status .. '|' .. reason)",
        "count('messages|' .. status .. '|' .. reason, 2)",
    ),
    InScript("a dead letter can be replayed twice", "dead letter and replay", "if not failed_at then return 'closed' end", ""),
    InScript(
        "an uninstall is not noted", "one part", "redis.call('HSET', record, 'uninstalled_at', string.format('%d', at))", ""
    ),
    InScript(
        "an echo proves nothing",
        "provider that delivers",
        "entry.state, entry.message_ids, entry.draft = 'sent', {message.id}, message.by == 'nobody'",
        "return",
    ),
    InPython("a send is not noted before", "one part", steps, "sending", _unnoted),
    InPython("never read back", "read-back: it is there", posting, "settle_part", _always(None)),
    InPython("never found", "read-back: nothing tells of it", read_back, "find_post", _always(Absent())),
    InPython("always found", "read-back: it is not there", read_back, "find_post", _always(Present(MessageId("m1")))),
    InPython("one look is enough", "read-back: nothing tells of it", read_back, "wait_before_look", _always(None)),
    InPython("an unknown outcome is tried again", "one part", client, "persist", _impatient),
    InPython("the standing forbids nothing", "one part", guards, "judge_standing", _always(None)),
    InPython("the last part is left out", "three parts", posting, "shaped_for", _first_half),
    InPython("parts in the wrong order", "three parts", posting, "shaped_for", _backwards),
    InPython("the wrong channel", "one part", messages, "build", _on_whatsapp),
    InPython("a draft is sent", "draft", messages, "build", _never_a_draft),
    InPython("a dead letter says nothing", "dead letters of two contacts", retry, "decide", _without_error),
    InPython("a passing fault is the end", "one part", retry, "decide", _soon_dead),
    InPython("no reason is told", "one part", steps, "outcome", _without_reason),
    InPython("the fallback is never asked", "failover", order, "order", lambda _: lambda first, _fallback: (first,)),
    InPython("both providers are asked after a loss", "provider that delivers", failover, "_may_deliver", _always(answer=False)),
    InPython("what the sweep finds is dropped", "sweep", SweptMessages, "take", _drops),
    InPython("a copy is never matched", "workflow copy", resolving, "same", _always(answer=False)),
    InPython(
        "a dead letter keeps the newest message only", "dead letter of a burst", dead_lettering, "_dead_letter", _newest_only
    ),
    InPython("a claim is believed", "claim that is not true", posting, "settle_claim", _believed),
    InPython("a lapsed lease is not seen", "provider that delivers", Lanes, "hold", _always(None)),
    InPython("what follows an answer is a part of it", "one part", http1._Answer, "on_message_begin", _always(None)),
    InPython("a person is nobody", "one part", outbound, "author", _always(Author.NOBODY)),
    InPython("a note for staff is sent to the contact", "handover with a note", handover, "say", _for_the_contact),
    InPython(
        "a sweep is complete although a page was refused",
        "sweep: its second page is refused",
        sweeper,
        "sweep",
        _counts_as_complete,
    ),
    InPython(
        "a sweep leaves out a conversation that was refused",
        "sweep: a conversation is refused",
        sweep._Run,
        "_look_into",
        _skips_what_is_refused,
    ),
)
