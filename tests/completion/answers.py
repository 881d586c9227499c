"""The notation of cases of answers, and how they are run and compared; the cases are in their own modules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bridge.errors import BridgeError
from tests.completion.asked import GUIDE_EXAMPLE, PROVIDERS
from tests.other_side import OtherSide, answering, http

if TYPE_CHECKING:
    from bridge.model import Completion, Reason
    from bridge.wire.calls import Wire
    from tests.completion.asked import Provider

EVERY = {f"{one.name} {one.path}": one for one in (*PROVIDERS, GUIDE_EXAMPLE)}
OPENAI = next(one for one in PROVIDERS if one.name == "openai")
WEBHOOK = next(one for one in PROVIDERS if one.name == "webhook")
AGENCII = next(one for one in PROVIDERS if one.name == "agencii")


@dataclass(frozen=True, slots=True)
class Silent:
    """No reply, for this reason."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Fault:
    """An error of this kind, whose message contains these words, after `asked` requests."""

    kind: type[BridgeError]
    words: str = ""
    asked: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An answer: its `body` (anything but bytes becomes JSON), and the right result. `source` says where it was seen.

    `notes` are the notes of the timeline that must be there.
    """

    name: str
    source: str
    body: Any
    right: str | Silent | Fault
    status: int = 200
    kind: str = "application/json"
    notes: tuple[str, ...] = ()


def check(case: Case, provider: Provider, wire: Wire) -> None:
    """Ask a service with this answer, and compare the result; an error never contains text of its body."""
    headers = {"Content-Type": case.kind} if case.kind else {}
    with OtherSide(answering(http(case.status, case.body, headers))) as server:
        said = _ask(provider, wire, server.url)
    if isinstance(said, BridgeError):
        assert isinstance(case.right, Fault), str(said)
        assert (type(said), case.right.words in str(said)) == (case.right.kind, True), str(said)
        assert "secret" not in str(said)
        assert len(server.requests) == case.right.asked
        return
    assert len(server.requests) == 1
    assert (said.text or Silent(said.why_silent)) == case.right  # type: ignore[arg-type]
    assert set(case.notes) <= set(said.notes)


def _ask(provider: Provider, wire: Wire, url: str) -> Completion | BridgeError:
    try:
        return provider.ask(wire, url)
    except BridgeError as error:
        return error


def chunk(content: Any, ended: str | None = None, **delta: Any) -> dict[str, Any]:
    """One piece of a stream in OpenAI's form."""
    return {"choices": [{"index": 0, "delta": {"content": content, **delta}, "finish_reason": ended}]}
