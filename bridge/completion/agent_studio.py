"""GHL's Agent Studio: `POST /agent-studio/agent/{agentId}/execute`. Pure.

GHL's OpenAPI file apps/v3/agent-studio-v3.json (2026-06-19), and https://marketplace.gohighlevel.com/docs/ghl/agent-studio/execute-agent:
`executionId` is the session, left out of its first message. The token needs the scope `agent-studio.write`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bridge.completion.envelope import Envelope
from bridge.completion.evidence import SESSION_LOST, is_other
from bridge.completion.faults import Unreadable
from bridge.completion.logins import bearer, given
from bridge.errors import OperatorMustFix
from bridge.wire.answers import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.completion import TakesFiles
    from bridge.locations import Location
    from bridge.model import Question
    from bridge.settings import Settings

LONGEST_EXECUTION_ID = 100
# No older version has the endpoint.
VERSION = "v3"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStudio:
    """A published agent of a location, which remembers each execution and never posts into the conversation itself."""

    base_url: str
    token: str
    agent_id: str
    version_id: str = ""
    input_variables: Mapping[str, str] = field(default_factory=dict)
    name: str = "Agent Studio"
    takes_history: bool = False
    is_flow: bool = False
    takes_files: TakesFiles = "no"

    @property
    def url(self) -> str:
        """Where the agent is executed."""
        return f"{self.base_url.rstrip('/')}/agent-studio/agent/{quote(self.agent_id, safe='')}/execute"

    @property
    def headers(self) -> Mapping[str, str]:
        """The login, and the version of GHL's API."""
        return {**bearer(self.token), "Version": VERSION}

    def build(self, question: Question) -> dict[str, Any]:
        """Write the question. What the contact wrote stands in `message` and nowhere else."""
        execution = self._execution(question)
        return {
            "message": question.input,
            "locationId": question.location_id,
            "contactId": question.contact_id,
            **({"executionId": execution} if execution else {}),
            **({"versionId": self.version_id} if self.version_id else {}),
            **({"inputVariables": dict(self.input_variables)} if self.input_variables else {}),
        }

    def unwrap(self, document: dict[str, Any], *, question: Question) -> Envelope:
        """Take an answer apart. Raises Unreadable if it holds no `response`, not even an empty one."""
        if document.get("success") is False or document.get("error"):
            return Envelope(error=document)
        if "response" not in document:
            raise Unreadable("an object without a response")
        execution, asked = as_text(document.get("executionId")), self._execution(question)
        return Envelope(
            content=document["response"],
            ended=as_text(document.get("executionStatus")),
            session_id=f"{self.agent_id}:{execution}" if 0 < len(execution) <= LONGEST_EXECUTION_ID else "",
            evidence={
                "warnings": [SESSION_LOST] if is_other(execution, asked) else [],
                "agent": self.agent_id,
                "thread": execution,
                "run": document.get("interactionId"),
            },
        )

    def _execution(self, question: Question) -> str:
        """The session that this agent opened; another agent's is none of its own."""
        agent, _, execution = question.session_id.rpartition(":")
        return execution if agent == self.agent_id else ""


def of(location: Location, settings: Settings) -> AgentStudio:
    """The agent that this location wants; its own GHL token is taken where the table has none. Raises OperatorMustFix."""
    table = location.agent_studio
    token = table.token or location.ghl_token
    if token is None:
        raise OperatorMustFix(f"location {location.id} has no agent_studio.token, nor a ghl_token")
    return AgentStudio(
        base_url=table.base_url or settings.ghl_api_url,
        token=token.get_secret_value(),
        agent_id=given(table.agent_id, location, "agent_studio.agent_id"),
        version_id=table.version_id,
        input_variables=table.input_variables,
    )
