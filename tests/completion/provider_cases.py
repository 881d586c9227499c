"""Answers specific to a provider: OpenAI's choices and content, and automation tools' answers to a webhook."""

from __future__ import annotations

from typing import Any

from bridge.completion.faults import Unsendable
from bridge.errors import CutOff, Permanent, Retryable, ServiceDown
from bridge.model import Reason
from tests.completion.answer_cases import NINE
from tests.completion.answers import Case, Fault, Silent

CUT = ("shortened: cut off by max_tokens",)


def choice(content: Any, ended: str = "stop", *, error: Any = None, **message: Any) -> dict[str, Any]:
    """An answer with one choice."""
    said = {"index": 0, "finish_reason": ended, "message": {"role": "assistant", "content": content, **message}}
    return {"choices": [{**said, "error": error} if error else said]}


OPENAI_CASES = (
    Case(
        name="spent on thoughts",
        source="gpt-5 with a cap of 400",
        body=choice("", "length", reasoning_content="Let me"),
        right=Fault(CutOff, "raise openai.max_tokens"),
    ),
    Case(
        name="... and says that thoughts count",
        source="the same",
        body=choice("", "length"),
        right=Fault(CutOff, "a model's thoughts count against it"),
    ),
    Case(
        name="cut in mid-sentence",
        source="Home Assistant's and others' reports",
        body=choice("Prices start at 49 dollars and the", "length"),
        right=Fault(CutOff, "before its first sentence"),
    ),
    Case(
        name="cut behind a sentence",
        source="the same",
        body=choice(f"{NINE} Our prices are: small 40, med", "length"),
        right=NINE,
        notes=CUT,
    ),
    Case(name="cut at a price", source="the same", body=choice(f"{NINE} It costs 49.", "length"), right=NINE, notes=CUT),
    Case(
        name="cut behind an abbreviation",
        source="the same",
        body=choice(f"{NINE} Ask for Dr. Smith or", "length"),
        right=NINE,
        notes=CUT,
    ),
    Case(
        name="cut, Japanese",
        source="the same",
        body=choice("九時に開きます。料金は", "length"),
        right="九時に開きます。",
        notes=CUT,
    ),
    Case(
        name="cut within a thought",
        source="R1",
        body=choice("<think>Hm. Let me see.", "length"),
        right=Fault(CutOff, "nothing left for the answer"),
    ),
    Case(
        name="Gemini's MAX_TOKENS",
        source="Gemini behind gateways that pass its word on",
        body=choice(f"{NINE} And", "MAX_TOKENS"),
        right=NINE,
        notes=CUT,
    ),
    Case(name="Mistral's model_length", source="Mistral's documents", body=choice("And", "model_length"), right=Fault(CutOff)),
    Case(name="Anthropic's max_tokens", source="Anthropic behind LiteLLM", body=choice("And", "max_tokens"), right=Fault(CutOff)),
    Case(
        name="filtered with a text",
        source="Azure OpenAI: content_filter",
        body=choice("Half of", "content_filter"),
        right=Silent(Reason.FILTERED),
    ),
    Case(name="Gemini's SAFETY", source="Gemini", body=choice("", "SAFETY"), right=Silent(Reason.FILTERED)),
    Case(name="Zhipu's sensitive", source="Zhipu's documents", body=choice("", "sensitive"), right=Silent(Reason.FILTERED)),
    Case(
        name="Bedrock's guardrail",
        source="Bedrock's Converse",
        body=choice("Sorry", "guardrail_intervened"),
        right=Silent(Reason.FILTERED),
    ),
    Case(name="Anthropic's refusal", source="Anthropic's stop_reason", body=choice("", "refusal"), right=Silent(Reason.REFUSAL)),
    Case(
        name="OpenAI's refusal", source="structured outputs", body=choice(None, refusal="I can't"), right=Silent(Reason.REFUSAL)
    ),
    Case(
        name="a preface to a tool call",
        source="OpenAI",
        body=choice("Let me check that", "tool_calls", tool_calls=[{"function": {"name": "book"}}]),
        right=Silent(Reason.TOOL_CALL),
    ),
    Case(
        name="a tool call that says stop",
        source="Ollama",
        body=choice("Let me check", "stop", tool_calls=[{"function": {"name": "book"}}]),
        right=Silent(Reason.TOOL_CALL),
    ),
    Case(
        name="Anthropic's tool_use",
        source="Anthropic behind gateways",
        body=choice("Let me check", "tool_use"),
        right=Silent(Reason.TOOL_CALL),
    ),
    Case(name="no tool call", source="an empty list beside a text", body=choice(NINE, tool_calls=[]), right=NINE),
    Case(
        name="a lost upstream",
        source="OpenRouter",
        body=choice("", "error", error={"code": 502, "message": "secret"}),
        right=Fault(ServiceDown, "broke off", 3),
    ),
    Case(
        name="... in the middle",
        source="OpenRouter",
        body=choice("Sure, the addr", "error", error={"code": 502, "message": "secret"}),
        right=Fault(ServiceDown, "broke off", 3),
    ),
    Case(
        name="... without its reason",
        source="LiteLLM",
        body=choice("Sure, the addr", error={"message": "secret"}),
        right=Fault(Retryable, "broke off", 3),
    ),
    Case(
        name="DeepSeek has no room",
        source="DeepSeek: insufficient_system_resource",
        body=choice("Sure", "insufficient_system_resource"),
        right=Fault(Retryable, "broke off", 3),
    ),
    Case(name="vLLM aborts", source="vLLM: abort", body=choice("Sure", "abort"), right=Fault(Retryable, "broke off", 3)),
    Case(
        name="a network error",
        source="Zhipu: network_error",
        body=choice("Sure", "network_error"),
        right=Fault(Retryable, "broke off", 3),
    ),
    Case(name="a word nobody knows", source="eos of TGI", body=choice(NINE, "eos_token"), right=NINE),
    Case(
        name="output_text",
        source="the Responses form in a chat answer",
        body=choice([{"type": "output_text", "text": NINE}]),
        right=NINE,
    ),
    Case(name="bare strings", source="gateways", body=choice(["We open ", "at nine."]), right=NINE),
    Case(
        name="Mistral's parts",
        source="Magistral",
        body=choice([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, {"type": "text", "text": NINE}]),
        right=NINE,
        notes=("removed: thoughts",),
    ),
    Case(
        name="Mistral's references",
        source="Mistral's documents",
        body=choice([{"type": "text", "text": NINE}, {"type": "reference", "reference_ids": [1]}]),
        right=NINE,
        notes=("removed: citations",),
    ),
    Case(
        name="the Assistants' text",
        source="an object with value",
        body=choice([{"type": "text", "text": {"value": NINE, "annotations": []}}]),
        right=NINE,
    ),
    Case(
        name="a text and a picture",
        source="image models",
        body=choice([{"type": "text", "text": NINE}, {"type": "image_url", "image_url": {}}]),
        right=NINE,
        notes=("unknown content parts: image_url",),
    ),
    Case(
        name="a picture alone",
        source="image models",
        body=choice([{"type": "image_url", "image_url": {}}]),
        right=Silent(Reason.EMPTY),
        notes=("unknown content parts: image_url",),
    ),
    Case(
        name="a transcript",
        source="gpt-4o-audio: content is null",
        body=choice(None, audio={"id": "a", "transcript": NINE}),
        right=NINE,
    ),
    Case(name="thoughts kept apart", source="vLLM with a reasoning parser", body=choice(NINE, reasoning="Hm."), right=NINE),
    Case(
        name="only thoughts, kept apart",
        source="vLLM",
        body=choice(None, reasoning_content="Hm."),
        right=Silent(Reason.THOUGHTS_ONLY),
    ),
    Case(name="OK from a model", source="people who ask yes or no", body=choice("OK"), right="OK"),
    Case(
        name="an object as content",
        source="a gateway that parses JSON",
        body=choice({"secret": 1}),
        right=Fault(ServiceDown, "no text where the reply should be", 3),
    ),
)


def says(name: str, words: Any, cure: str, source: str, kind: str = "text/plain") -> Case:
    """A tool's status text."""
    body = words.encode() if isinstance(words, str) and kind != "application/json" else words
    return Case(name=name, source=source, body=body, kind=kind, right=Fault(Unsendable, cure))


JSON = "application/json"
WEBHOOK_CASES = (
    says(
        "no data from the last node",
        {"message": "Workflow executed successfully but the last node did not return any data"},
        "ended without data",
        "n8n",
        JSON,
    ),
    says("no data", {"message": "Workflow executed successfully but no data was returned"}, "ended without data", "n8n", JSON),
    says("executed", {"message": "Workflow executed successfully"}, "ended without data", "n8n", JSON),
    says("started", {"message": "Workflow was started"}, "when the last node finishes", "n8n", JSON),
    says("started, documented", {"message": "Workflow got started."}, "when the last node finishes", "n8n's documents", JSON),
    says("started, as words", "Workflow was started", "when the last node finishes", "n8n behind a proxy"),
    says(
        "started, in new dress",
        {"executionStarted": True, "executionId": "33", "resumeToken": "secret"},
        "when the last node finishes",
        "n8n's chat trigger",
        JSON,
    ),
    says("accepted", "Accepted", "Webhook response module", "Make"),
    says("accepted, as HTML", "Accepted", "Webhook response module", "Make, by another label", "text/html"),
    says("OK", "OK", "let it return the reply", "Express' sendStatus", "text/plain; charset=utf-8"),
    says("ok", "ok", "let it return the reply", "Slack's and others' habit"),
    says("ok in JSON", "ok", "let it return the reply", "Flask's jsonify", JSON),
    says("true", b"true", "let it return the reply", "a flag serialised", JSON),
    says("null", b"null", "let it return the reply", "nothing serialised", JSON),
    says("undefined", "undefined", "let it return the reply", "JavaScript's nothing"),
    says("an object as words", "[object Object]", "let it return the reply", "JavaScript's String()"),
    says("received", "Webhook received!", "let it return the reply", "receivers' tutorials"),
    says("Zapier", {"attempt": "a", "id": "i", "request_id": "r", "status": "success"}, "Zapier", "Zapier's catch hook", JSON),
    says(
        "Pipedream", {"success": True, "info": "To customize this response, check out our docs"}, "$.respond", "Pipedream", JSON
    ),
    says("IFTTT", "Congratulations! You've fired the reply event", "let it return the reply", "IFTTT's Webhooks"),
    says("Lambda", "Hello from Lambda!", "first example", "AWS Lambda", JSON),
    says(
        "Azure Functions", "This HTTP triggered function executed successfully. Pass a name", "first example", "Azure Functions"
    ),
    says("a page", "<p><b>Success!</b></p>", "HTML instead of a reply", "Pipedream, older", "text/html"),
    says("an answer with a flag", {"status": "success"}, "set webhook.reply_path", "Pabbly and others", JSON),
    Case(
        name="an object",
        source="n8n's structured output parser",
        body=[{"output": {"reply": "secret", "intent": "hours"}}],
        right=Fault(Unsendable, '"output.reply"'),
    ),
    Case(name="a number", source="n8n", body={"output": 42}, right="42"),
    Case(name="a list", source="n8n", body={"output": ["secret", "secret"]}, right=Fault(Unsendable, '"output.0"')),
    Case(
        name="typed parts", source="a flow that hands a message on", body={"output": [{"type": "text", "text": NINE}]}, right=NINE
    ),
    Case(
        name="two items",
        source="n8n: all entries",
        body=[{"output": "A."}, {"output": "B."}],
        right="A.\nB.",
        notes=("joined: 2 items",),
    ),
    Case(
        name="self-hosted agency-swarm",
        source="its own server's form",
        body={"response": NINE, "new_messages": [], "usage": {}},
        right=NINE,
    ),
    Case(
        name="... with a bad file's URL",
        source="its own server",
        body={"error": "secret"},
        right=Fault(Permanent, "reports an error"),
    ),
    Case(name="OK at the path", source="a confirmation", body={"output": "OK"}, right="OK"),
    Case(
        name="a message that is no status",
        source="n8n",
        body={"message": "Accepted, see you at nine."},
        right="Accepted, see you at nine.",
    ),
    Case(
        name="cut off, as a flow tells",
        source="a flow that hands finish_reason on",
        body={"output": f"{NINE} And", "finish_reason": "length"},
        right=NINE,
    ),
)
