"""The marks that models, servers and agent builders leave in a text: one row a dialect, with where it was seen and when.

Every pattern is bounded (no repetition within a repetition, none longer than 300 characters), so that one pass over a text is linear.
`inner_words` holds the rules by which a row counts. Data only.
"""

from __future__ import annotations

import re
from typing import NamedTuple

THOUGHTS = "thoughts"
TOOL_CALL = "tool call"
OTHER_TURNS = "other turns"
CONTROL_TOKENS = "control tokens"
CITATION_MARKS = "citation marks"


class Block(NamedTuple):
    """A block from `opens` to the next `closes`, which may hold whole blocks that begin with `nests`.

    `alone`: its closing mark counts without an opening one; what stands before it is thought, or a tool call's mark is dropped.
    """

    kind: str
    opens: str
    closes: str
    source: str
    alone: bool = False
    nests: str = ""


class Lead(NamedTuple):
    """A text that starts in prose: what `opens` the answer up to the last `closes` is inner. `must_close`: else it is speech."""

    kind: str
    opens: str
    closes: str
    source: str
    must_close: bool = True


# < and >, as such or escaped for HTML; MiniMax M3 splices zero-width characters in (SGLang's parser, 2026-07).
_LT, _GT = "(?:<|&lt;)[ \u200b-\u200d\u2060]{0,3}", "(?:\\s[^<>\n]{0,200}|[\u200b-\u200d\u2060])?(?:>|&gt;)"
_END = _LT + "/[ \u200b-\u200d\u2060]{0,3}"
_PREFIX = "(?:[a-z]{1,10}:)?"
_THOUGHT = (
    "(?:think|thinking|thoughts?|reason|reasoning|reflect|reflection|scratch_?pad|analysis|cot|chain_of_thought|"
    "inner_(?:monologue|thoughts?)|internal_monologue|cot_budget_reflect)"
)
_TOOL = "(?:[a-z]{1,20}_)?(?:tool_?(?:calls?|use|code|response|results?)|function_calls?)"
_SUMMARY = r"(?:thinking|thoughts?|reasoning|(?:thinking|thought|reasoning) process|thought for [^<]{1,40})[\s.…:]{0,5}"
_FENCE = r"```(?:think|thinking|reasoning|thought)[ \t]*\n"
_TOOL_FENCE = r"```(?:tool|function)_(?:code|calls?|use)[ \t]*\n"
_CHANNEL = r"<\|channel\|>[ ]{0,3}"

BLOCKS = (
    Block(
        THOUGHTS,
        _LT + _PREFIX + _THOUGHT + _GT,
        _END + _PREFIX + _THOUGHT + _GT,
        "DeepSeek R1, Qwen3, GLM, Kimi K2, MiniMax (<mm:think>), Seed (<seed:think>), EXAONE and Gemini's OpenAI end (<thought>): parsers of vLLM 0.31 and "
        "SGLang, 2026-10; <reason>, <reasoning>: Open WebUI's default tags, 2026-06; <reflection>, <scratchpad>: prompts of agent builders, 2024-09 on. "
        "Without the opening tag: DeepSeek R1 and MiniMax M2, whose templates write it (SGLang's documentation, 2026)",
        alone=True,
    ),
    Block(
        THOUGHTS,
        r"<\|(?:think|thinking|thought|(?:begin|start)[_▁]of[_▁]thought|START_THINKING|content_thinking)\|>",
        r"<\|/(?:think|thinking|thought)\|>|</\|(?:think|thinking|thought)\|>|<\|(?:end|stop)[_▁]of[_▁]thought\|>|<\|END_THINKING\|>|<\|end_message\|>",
        "Cohere Command A and R7B: SGLang PR 33225, 2026-10; OpenThinker and Sky-T1 (<|begin_of_thought|>): Open WebUI's default tags, 2026-06; "
        "Inkling (<|content_thinking|>): vLLM 0.31, 2026-10",
        alone=True,
    ),
    Block(
        THOUGHTS,
        "◁think▷",
        "◁/think▷",
        "Kimi-VL, Kimi-Dev: SGLang's documentation, 2026; several tokens each, so no server strips them",
        alone=True,
    ),
    Block(
        THOUGHTS,
        r"(?-i:\[THINK\])",
        r"\[/THINK\]",
        "Mistral's Magistral and Ministral: vLLM's mistral parser, 2026",
        alone=True,
    ),
    Block(
        THOUGHTS,
        r"<\|?channel\|?>[ ]{0,3}thought\b",
        r"<channel\|>",
        "Gemma 4: vLLM 0.20 to 0.31, 2026; with mangled marks: Paperclip issue 7719, 2026-06",
        alone=True,
    ),
    Block(
        TOOL_CALL,
        _CHANNEL + r"(?:analysis|commentary)[^<\n]{0,20}\bto=[^<\n]{1,100}(?:<\|constrain\|>[^<\n]{0,20})?<\|message\|>",
        r"<\|(?:end|call|return)\|>|(?=<\|(?:start|channel)\|>)",
        "gpt-oss (harmony): its commentary channel in Odysseus issue 4522, 2026-06; vLLM PR 32633, 2026-01",
    ),
    Block(
        THOUGHTS,
        _CHANNEL + r"(?:analysis|commentary)\b",
        r"<\|(?:end|call|return)\|>|(?=<\|(?:start|channel)\|>)",
        "gpt-oss (harmony): mlx-lm PR 1867, 2026-09; Hermes agent PR 62680 (through Ollama), 2026-07",
    ),
    Block(
        THOUGHTS,
        r"<details\b[^<>\n]{0,200}type=[\"']reasoning[\"'][^<>\n]{0,200}>"
        r"|<details\b[^<>\n]{0,200}>\s{0,5}<summary[^<>\n]{0,100}>[^\w<]{0,10}" + _SUMMARY + "</summary>",
        r"</details>",
        "Open WebUI (type=reasoning), 2026-06; Dify (gray box, Thinking...): dify issue 14303, 2025-02, one-api's adaptor for it, 2026",
        nests=r"<details\b",
    ),
    Block(
        TOOL_CALL,
        r"<details\b[^<>\n]{0,200}type=[\"']tool_calls?[\"'][^<>\n]{0,200}>",
        r"</details>",
        "Open WebUI, 2026-06",
        nests=r"<details\b",
    ),
    Block(THOUGHTS, _FENCE, r"\n```", "prompts of agent builders that ask for a thinking fence, 2025"),
    Block(TOOL_CALL, _TOOL_FENCE, r"\n```", "Gemini and Gemma 3 (tool_code): Google's function-calling guide for Gemma, 2025"),
    Block(
        TOOL_CALL,
        _LT + _PREFIX + _TOOL + _GT,
        _END + _PREFIX + _TOOL + _GT,
        "Hermes, Qwen, GLM (<tool_call>), MiniMax M2, LongCat, Nemotron (<TOOLCALL>), Hunyuan and Jamba (<tool_calls>), Granite 20B (<function_call>), "
        "OLMo 3 (<function_calls>): vLLM's and SGLang's tool parsers, 2026; agent-os PR 1515, 2026-09",
        alone=True,
    ),
    Block(
        TOOL_CALL,
        _LT + _PREFIX + r"(?:invoke|use_mcp_tool)\b[^<>\n]{0,200}>",
        _END + _PREFIX + r"(?:invoke|use_mcp_tool)>",
        "Claude's XML through gateways, MiniMax M2 without its wrapper: agent-os PR 1581, 2026-09",
        alone=True,
    ),
    Block(
        TOOL_CALL,
        r"<function(?:=| name=\")[^<>\n]{1,100}>",
        r"</function>",
        "Llama 3.1, Qwen3-Coder, MiniCPM: vLLM's tool parsers, 2026",
    ),
    Block(TOOL_CALL, r"<start_function_(?:call|response)>", r"<end_function_(?:call|response)>", "FunctionGemma: mlx-lm, 2026"),
    Block(
        TOOL_CALL,
        r"<[|｜]{1,2} ?DSML ?[|｜]{1,2} ?[\w-]{1,40}[^<>\n]{0,200}>",
        r"</[|｜]{1,2} ?DSML ?[|｜]{1,2} ?(?:function_calls|tool_calls|calls)>",
        "DeepSeek V3.2 to V4.1: vLLM PR 54686, Cline PR 14156, 2026-09",
        alone=True,
    ),
    Block(
        TOOL_CALL,
        r"<[|｜]tool[_▁]calls?(?:[_▁]section)?[_▁](?:begin|start)[|｜]>",
        r"<[|｜]tool[_▁]calls(?:[_▁]section)?[_▁]end[|｜]>|<\|tool_call_end\|>",
        "DeepSeek V3 and R1, Kimi K2, Step 3, LFM2: SGLang's and vLLM's tool parsers, 2026",
        alone=True,
    ),
    Block(
        TOOL_CALL,
        r"<\|(?:tool_calls?\|?|tool_response)>",
        r"<(?:tool_call\||\|/tool_calls?\||/\|tool_calls?\||tool_response\|)>",
        "Gemma 4 (<|tool_call>call:name{...}<tool_call|>), Granite 3, Phi-4-mini: vLLM 0.22 to 0.31, 2026",
    ),
    Block(
        TOOL_CALL,
        r"<\|(?:action_start|START_ACTION|content_invoke_tool_\w{1,10}|python_tag)\|>",
        r"<\|(?:action_end|END_ACTION|end_message|eom_id)\|>",
        "InternLM, Cohere Command, Inkling, Llama 3.1 (<|python_tag|>): vLLM's tool parsers, 2026",
    ),
    Block(
        TOOL_CALL,
        r"(?-i:\[(?:TOOL_CALLS|TOOL_RESULTS|AVAILABLE_TOOLS)\])",
        r"\[/(?:TOOL_RESULTS|AVAILABLE_TOOLS)\]",
        "Mistral: its tokenizer, 2026",
    ),
    Block(
        TOOL_CALL,
        r"(?m:^)\[Used tools: ",
        r"\](?=\s{0,9}\Z|[ \t]{0,9}\n|[ \t]{1,9}[^\s\],}])",
        "n8n's AI agent, whose memory writes tools so and whose model repeats it: seen on WhatsApp lines, 2026-08",
    ),
    Block(
        TOOL_CALL,
        r"(?m:^)Calling [\w .-]{1,80} with input: (?=\{)",
        r"\}(?=[ \t]{0,9}(?:\n|\Z))",
        "n8n's AI agent, likewise, 2025 to 2026",
    ),
    Block(
        OTHER_TURNS,
        r"<\|(?:im_start|start_header_id|start_of_role|start)\|>(?:user|human|system|tool|ipython)\b"
        r"|<start_of_turn>user\b|<\|turn>user\b|<[|｜](?:User|human|observation)[|｜]>",
        r"(?=<\|(?:im_start|start_header_id|start_of_role|start)\|>assistant|<start_of_turn>model|<\|turn>model|<[|｜]Assistant[|｜]>)",
        "a model that did not stop and writes the contact's next message: NousResearch/hermes-agent issue 24933, 2026",
    ),
)

LEADS = (
    Lead(
        THOUGHTS,
        r"here(?:'s| is) my thought process:",
        r"here(?:'s| is) my response:",
        "IBM Granite 3.2 and 3.3: vLLM's granite parser, 2025",
        must_close=False,
    ),
    Lead(
        THOUGHTS,
        r"here are my reasoning steps:",
        r"(?-i:\[BEGIN FINAL RESPONSE\])",
        "ServiceNow Apriel: its vLLM parser, 2026",
        must_close=False,
    ),
    Lead(
        THOUGHTS,
        r"(?-i:analysis(?=[A-Z]))",
        r"(?-i:assistant ?final|assistantcommentary to=functions\.)",
        "gpt-oss when its control tokens were stripped: 'analysisWe ...assistantfinalFour', macprovider issue 743, 2026-07",
        must_close=False,
    ),
    Lead(THOUGHTS, r"(?-i:Thinking\.\.\.)\s", r"(?-i:\.\.\.done thinking\.)", "Ollama's command line in a workflow, 2025-05 on"),
    Lead(
        THOUGHTS,
        r"\**(?:question|thought)\**:",
        r"(?m:^)[ \t]{0,3}\**(?:final answer|AI)\**:\**",
        "ReAct agents (LangChain, Flowise, Dify's agent), where the answer stands behind 'Final Answer:' or 'AI:', 2023 on",
    ),
    Lead(
        TOOL_CALL,
        r"(?:\**(?:question|thought)\**:|(?=\**action\**:))",
        r"(?m:^)[ \t]{0,3}\**action\**:[^\n]{1,200}\n{1,2}[ \t]{0,3}\**action input\**:(?s:.*)",
        "the same agents, cut off before the tool ran, 2023 on",
    ),
)

CONTROL = (
    r"<\|(?:im_start|start_header_id|start_of_role|start|begin)\|>(?:assistant|model)?(?:<\|(?:end_header_id|end_of_role|message|content)\|>)?",
    _CHANNEL + r"final\b(?:[ ]?<\|constrain\|>\w{1,20})?(?:<\|message\|>)?",  # gpt-oss
    r"<start_of_turn>(?:model\b)?|<\|turn>(?:model\b)?|<end_of_turn>|<end_of_utterance>",  # Gemma 2 to 4, SmolVLM
    r"<\|/?[A-Za-z_][\w :.-]{0,40}\|>|<\|\w{1,30}>|<\w{1,30}\|>",  # ChatML, Llama, Phi, GLM, Granite, Cohere, Gemma 4's <turn|>
    r"</?[｜][^｜<>\n]{1,40}[｜]>",  # DeepSeek's full-width bars
    r"<(?:eos|bos|pad|unk|eop|sop|eod|/s)>(?=[\s<\[]{0,9}\Z)|\A<(?:s|bos|sop)>(?=\s|\[INST\])",  # </s> and its like, at the ends only: <s> is HTML
    r"(?-i:\[/?INST\]|\[/?SYSTEM_PROMPT\]|\[gMASK\]|\[(?:BEGIN|END) FINAL RESPONSE\]|\]~!?b\[|\[e~\[)|<</?SYS>>",  # Llama 2, Mistral, GLM, Apriel, MiniMax
)

CITATIONS = (
    r"[【\[][^【】\[\]\n]{0,80}[†‡][^【】\[\]\n]{0,200}[】\]]",  # OpenAI's file search, 【4:0†source】 and [1†source]: glific issue 3635, 2024; Codex's 【F:a.md†L1】, 2026
    r"【(?:turn\d{1,4}[a-z]{1,12}\d{1,4}[,， ]{0,3}){1,20}】",  # GLM's search, 2025
    "(?:\ue200|\\\\ue200)(?:[^\ue201\\\\\n]|\\\\(?!ue201)){0,300}(?:\ue201|\\\\ue201)",  # OpenAI's web search: meclaw issue 569, 2026-09; escaped: LibreChat PR 10888, 2025-12
    "(?<![a-z])(?:file)?cite(?:turn\\d{1,4}[a-z]{1,12}\\d{1,4}){1,20}(?!\\w)|[\ue200-\ue206]",  # the same, its private-use characters lost on the way
    r":?(?:contentReference)?\[oaicite:\d{1,4}\](?:\{index=\d{1,4}\})?",  # ChatGPT's clients, 2024 on
    r"</?oai-mem-citation>|<grok:render\b[^<>\n]{0,300}>|</?cite index=[^<>\n]{1,80}>|</?co(?:: ?[\d,: \[\]]{1,40})?>",  # Codex 2026; Grok; Claude; Cohere
    r"\[cite(?:_start|_end|: ?[\d,\- ]{1,60})\]",  # Gemini, 2025
    r"##\d{1,4}\$\$|\[\^\d{1,3}\^\]",  # RAGFlow, 2025; Kimi's search, 2024
)

# What wraps an answer in tags of its own. Hunyuan and DeepSeek R1's prompt (<answer>), Ernie 4.5 (<response>): vLLM's parsers, 2025.
WRAPPER = re.compile(r"\s*<(answer|response|final_answer|final)>", re.IGNORECASE)

# LangChain's structured chat agent and Flowise's copy of it, whose last action is the answer, 2023 on.
FINAL_ACTION = re.compile(r'\s*\{\s*"action"\s*:\s*"final answer"\s*,\s*"action_input"\s*:', re.IGNORECASE)

# A tool call that is the rest of an answer, without a mark: Llama 3 (JSON and pythonic), Phi-4-mini, LangChain's structured chat, OpenAI's own form. vLLM's tool parsers, 2026.
BARE_CALL = re.compile(
    r'(?m:^)[ \t]*(?:(?:functools)?\[\s{0,9})?\{\s{0,9}"(?:(?:type"\s{0,9}:\s{0,9}"function"\s{0,9},\s{0,9}")?(?:name|function|tool|tool_name)"\s{0,9}:\s{0,9}"[\w.:/ -]{1,80}"\s{0,9},\s{0,9}'
    r'"(?:arguments|parameters|args|tool_input|input)"\s{0,9}:|(?:tool_calls|function_call)"\s{0,9}:|action"\s{0,9}:\s{0,9}"(?!final answer")[^"\n]{1,80}"\s{0,9},\s{0,9}"action_input"\s{0,9}:)'
    r"|\A\s*\[[A-Za-z_][\w.]{0,80}\((?:\)|[A-Za-z_]\w{0,40}=)",
    re.IGNORECASE,
)


def _compiled() -> re.Pattern[str]:
    rows = [f"(?P<o{at}>{row.opens})" for at, row in enumerate(BLOCKS)]
    rows += [f"(?P<c{at}>{row.closes})" for at, row in enumerate(BLOCKS) if row.alone]
    rows += [f"(?P<citation>{'|'.join(CITATIONS)})", f"(?P<control>{'|'.join(CONTROL)})"]
    return re.compile("|".join(rows), re.IGNORECASE)


MARK = _compiled()
CLOSES = tuple(re.compile(f"(?P<nests>{row.nests})|{row.closes}" if row.nests else row.closes, re.IGNORECASE) for row in BLOCKS)
LEAD_OPENS = tuple(re.compile(rf"\s*(?:{lead.opens})", re.IGNORECASE) for lead in LEADS)
LEAD_CLOSES = tuple(re.compile(lead.closes, re.IGNORECASE) for lead in LEADS)
