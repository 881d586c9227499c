"""What the tests of completion services share: questions through the registry, over a real socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import create_model

from bridge.completion.providers import SERVICES, Providers
from bridge.locations import Location
from bridge.model import ContactId, ConversationId, LocationId, MessageId, PastMessage, Question
from bridge.settings import from_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.completion.providers import Builder
    from bridge.model import Completion
    from bridge.wire.calls import Wire

QUESTION = Question(
    location_id=LocationId("loc"),
    contact_id=ContactId("contact"),
    conversation_id=ConversationId("conv"),
    last_message_id=MessageId("m1"),
    channel="SMS",
    input="one\ntwo",
    history=(PastMessage("user", "before"), PastMessage("assistant", "yes")),
)
TURNS = [{"role": "user", "content": "before"}, {"role": "assistant", "content": "yes"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One service as a test sees it.

    `table` is the location's own (the URL's key is `url_key`), `path` where it must be asked and `asked` what. Where the URL is
    only a base, `url_path` is the path of that base; None means that the URL is the whole address. `answer` writes a 2xx body
    that says a text, `silent` lists further answers that mean silence, and `login` is a header, its name in lower case, with
    its value. `is_flow`: as the service has it. `with_evidence` is an answer that reports how the service came to it; `evidence`
    is the stored part of that.
    """

    name: str
    path: str
    table: Mapping[str, Any]
    asked: Mapping[str, Any]
    answer: Callable[[str], Any]
    url_key: str = "url"
    url_path: str | None = None
    login: tuple[str, str] = ("authorization", "Bearer key")
    silent: tuple[Any, ...] = ()
    with_evidence: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    is_flow: bool = False
    location_class: type[Location] = Location
    services: Mapping[str, Builder] = field(default_factory=lambda: SERVICES)

    def location(self, base: str, **settings: Any) -> Location:
        """A location with this service at `base`."""
        path = self.path if self.url_path is None else self.url_path
        table = {**self.table, self.url_key: base + path, "token": "key"}
        return self.location_class.model_validate({"id": "loc", "provider": self.name, self.name: table, **settings})

    def ask(
        self, wire: Wire, base: str, *, may_deliver: bool = False, seconds: float = 10.0, slept: list[float] | None = None
    ) -> Completion:
        """Ask the question as a worker does, but without the waits between tries."""
        sleep = (slept if slept is not None else []).append
        providers = Providers(wire, from_environment({}), services=self.services, sleep=sleep)
        return providers(self.location(base), self.name, may_deliver=may_deliver).complete(QUESTION, seconds=seconds)


PROVIDERS = (
    Provider(
        name="assistable",
        path="/v2/ghl-chat-completion",
        table={"assistant_id": "a1"},
        asked={
            "conversation_id": "conv",
            "contact_id": "contact",
            "last_message_id": "m1",
            "channel": "SMS",
            "input": "one\ntwo",
            "location_id": "loc",
            "messages": TURNS,
            "assistant_id": "a1",
        },
        answer=lambda text: {"run": {"output": text}},
        with_evidence={
            "run": {
                "output": "Nine.",
                "response": {"toolCalls": [{"name": "book"}], "completionTimestamp": "2026-11-30T10:00:00Z"},
                "knowledge_base": {"matches": [{"id": "k1", "score": 0.9}], "namespace": "n1", "usage": {"readUnits": 6}},
            }
        },
        evidence={
            "tools": ["book"],
            "read_units": 6,
            "knowledge": [["k1", 0.9]],
            "namespace": "n1",
            "completed_at": "2026-11-30T10:00:00Z",
        },
    ),
    Provider(
        name="assistable",
        path="/v2/ghl/chat-completion",
        table={"assistant_id": "a1"},
        asked={"assistant_id": "a1", "location_id": "loc", "contact_id": "contact", "message": "one\ntwo"},
        answer=lambda text: {"success": True, "data": {"response": text, "thread_id": "t", "status": "queued"}},
        with_evidence={"success": True, "data": {"response": "Nine.", "model": "gpt", "tokens": {"prompt": 7, "completion": 2}}},
        evidence={"model": "gpt", "tokens": {"prompt": 7, "completion": 2}},
    ),
    Provider(
        name="agencii",
        path="/get_completion",
        table={"api_integration_id": "i1"},
        asked={
            "message": "one\ntwo",
            "apiIntegrationId": "i1",
            "chatId": None,
            "aliasChatId": "ghl:loc:conv",
            "attachments": None,
            "additionalInstructions": None,
        },
        answer=lambda text: {"message": {"content": text}},
        with_evidence={
            "chatId": "c1",
            "threadId": "t1",
            "agentId": "g1",
            "apiIntegrationName": "Acme",
            "messagesCount": 4,
            "message": {"content": "Nine.", "references": [{"id": "f1"}]},
        },
        evidence={
            "agent": "g1",
            "integration": "Acme",
            "session": "i1:c1",
            "messages": 4,
            "references": ["f1"],
            "thread": "t1",
        },
    ),
    Provider(
        name="openai",
        path="/v1/chat/completions",
        table={"model": "m", "system_prompt": "Be kind."},
        url_key="base_url",
        url_path="/v1",
        asked={
            "model": "m",
            "messages": [{"role": "system", "content": "Be kind."}, *TURNS, {"role": "user", "content": "one\ntwo"}],
            "max_tokens": 4000,
            "stream": False,
        },
        answer=lambda text: {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]},
        silent=({"choices": [{"message": {"content": None}, "finish_reason": "stop"}]},),
        with_evidence={
            "id": "chatcmpl-1",
            "model": "gpt-5-mini",
            "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
            "choices": [{"message": {"content": "Nine."}, "finish_reason": "stop"}],
        },
        evidence={
            "model": "gpt-5-mini",
            "finish_reason": "stop",
            "tokens": {"prompt": 7, "completion": 2, "total": 9},
            "run": "chatcmpl-1",
        },
    ),
    Provider(
        name="webhook",
        path="/webhook/abc/chat",
        table={},
        asked={
            "action": "sendMessage",
            "chatInput": "one\ntwo",
            "sessionId": "ghl:loc:conv",
            "locationId": "loc",
            "contactId": "contact",
            "conversationId": "conv",
            "messageId": "m1",
            "channel": "SMS",
            "messages": TURNS,
        },
        answer=lambda text: {"output": text},
        silent=({}, []),
        with_evidence={
            "output": "Nine.",
            "evidence": {"model": "m1", "knowledge": [{"id": "k1", "score": 0.5, "text": "secret words"}]},
        },
        evidence={"model": "m1", "knowledge": [["k1", 0.5]]},
        is_flow=True,
    ),
    Provider(
        name="agent_studio",
        path="/agent-studio/agent/a1/execute",
        table={"agent_id": "a1"},
        url_key="base_url",
        url_path="",
        asked={"message": "one\ntwo", "locationId": "loc", "contactId": "contact"},
        answer=lambda text: {"response": text},
        with_evidence={
            "success": True,
            "executionId": "e1",
            "interactionId": "i1",
            "response": "Nine.",
            "executionStatus": "completed",
        },
        evidence={"agent": "a1", "session": "a1:e1", "finish_reason": "completed", "thread": "e1", "run": "i1"},
    ),
)


def _from_the_guide() -> Provider:
    """The guide's example of a new provider, built as a reader would."""
    guide = Path(__file__).parents[2] / "infra/docs/how-to/add-a-provider.md"
    code = guide.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0]
    assert code.count("\n") <= 25
    module: dict[str, Any] = {"__name__": "acme"}
    exec(compile(code, guide.name, "exec", dont_inherit=True), module)  # noqa: S102 - the project's own words
    table = create_model("Acme", __base__=type(Location.model_fields["webhook"].default), url=(str, ""))
    location = create_model("AcmeLocation", __base__=Location, provider=(str, "acme"), acme=(table, table()))
    return Provider(
        name="acme",
        path="/ask",
        table={},
        asked={"text": "one\ntwo", "thread": "conv"},
        answer=lambda text: {"reply": text},
        silent=({},),
        with_evidence={"reply": "Nine.", "model": "m1"},
        evidence={"model": "m1"},
        location_class=location,
        services={**SERVICES, "acme": module["of"]},
    )


GUIDE_EXAMPLE = _from_the_guide()
