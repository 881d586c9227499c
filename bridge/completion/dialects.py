"""The marks that models, servers and agent builders leave in a text: one row per dialect, with its source and date.

Every pattern is bounded (no repetition within a repetition, none above 300 characters), so that one pass over a text is linear.
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

    `alone`: its closing mark counts without an opening one; the text before it is a thought, or a tool call's mark is dropped.
    """

    kind: str
    opens: str
    closes: str
    source: str
    alone: bool = False
    nests: str = ""


# < and >, as such or escaped for HTML; MiniMax M3 splices zero-width characters in (SGLang's parser, 2026-07).
_LT = "(?:<|&lt;)[ \u200b-\u200d\u2060]{0,2}"
_GT = "(?:\\s{1,3}[a-z][\\w-]{0,30}=[^<>\n]{0,200}|[\\s\u200b-\u200d\u2060]{0,3})(?:>|&gt;)"
_END = _LT + "/[ \u200b-\u200d\u2060]{0,3}"
_PREFIX = "(?:[a-z]{1,10}:)?"
_THOUGHT = (
    "(?:think|thinking|thoughts?|reason|reasoning|reflect|reflection|scratch_?pad|analysis|cot|chain_of_thought|cot_budget_reflect|"
    "(?:inner|internal)_(?:monologue|thoughts?|reasoning)|(?:thought|thinking|reasoning)_process|reasoning_content|antthinking)"
)
_TOOL = "(?:[a-z]{1,20}_)?(?:tool_?(?:calls?|use|code|response|results?)|function_calls?)"
_SUMMARY = (
    r"(?:<\w{1,6}>)?(?:thinking|thoughts?|reasoning|(?:thinking|thought|reasoning) process|thought for [^<]{1,40})[\s.…:]{0,5}"
    r"(?:</\w{1,6}>)?"
)
_FENCE = r"```(?:think|thinking|reasoning|thought)[ \t]*\n"
_TOOL_FENCE = r"```(?:tool|function)_(?:code|calls?|use)[ \t]*\n"
_CHANNEL = r"<\|channel\|>[ ]{0,3}"

BLOCKS = (
    Block(
        THOUGHTS,
        _LT + _PREFIX + _THOUGHT + _GT,
        _END + _PREFIX + _THOUGHT + _GT,
        "DeepSeek R1, Qwen3, GLM, Kimi K2, MiniMax (<mm:think>), Seed (<seed:think>), EXAONE, Gemini (<thought>): vLLM 0.31, "
        "SGLang, 2026-10; <reason>, <reasoning>: Open WebUI's default tags, 2026-06; <reflection>, <scratchpad>: agent builders' "
        "prompts, 2024-09 on. Without the opening tag: DeepSeek R1, MiniMax M2, whose templates write it (SGLang's docs, 2026)",
        alone=True,
    ),
    Block(
        THOUGHTS,
        r"<\|(?:think|thinking|thought|(?:begin|start)[_▁]of[_▁]thought|START_THINKING)\|>",
        r"<(?:\|/|/\|)(?:think|thinking|thought)\|>|<\|(?:(?:end|stop)[_▁]of[_▁]thought|END_THINKING)\|>",
        "Cohere Command: SGLang PR 33225, 2026-10; OpenThinker (<|begin_of_thought|>): Open WebUI's default tags, 2026-06",
        alone=True,
    ),
    Block(THOUGHTS, r"<\|content_thinking\|>", r"<\|end_message\|>", "Inkling: vLLM 0.31, 2026-10"),
    Block(
        THOUGHTS,
        "◁think▷",
        "◁/think▷",
        "Kimi-VL, Kimi-Dev: SGLang's documentation, 2026; several tokens each, so no server strips them",
        alone=True,
    ),
    Block(
        THOUGHTS,
        r"(?-i:\[THINK\](?![ \t]))",
        r"\[/(?:think|thinking|reasoning|thought)\]",
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
        "Open WebUI (type=reasoning), 2026-06; Dify (a gray box, Thinking...): dify issue 14303, 2025-02; one-api, 2026",
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
        "Hermes, Qwen, GLM (<tool_call>), MiniMax M2, LongCat, Nemotron (<TOOLCALL>), Hunyuan (<tool_calls>), Granite 20B "
        "(<function_call>), OLMo 3 (<function_calls>): vLLM's and SGLang's tool parsers, 2026; agent-os PR 1515, 2026-09",
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

CONTROL = (
    # ChatML, Llama 3, Granite, gpt-oss, Solar: with the role that follows
    r"<\|(?:im_start|start_header_id|start_of_role|start|begin)\|>(?:assistant|model)?(?:<\|(?:end_header_id|end_of_role|content)\|>)?",
    # gpt-oss
    _CHANNEL + r"final\b(?:[ ]?<\|constrain\|>\w{1,20})?(?:<\|message\|>)?",
    # Gemma 2 to 4, SmolVLM
    r"<start_of_turn>(?:model\b)?|<\|turn>(?:model\b)?|<end_of_turn>|<end_of_utterance>",
    # ChatML, Llama, Phi, GLM, Granite, Cohere; Gemma 4's <turn|>; DeepSeek's full-width bars
    r"<\|/?[A-Za-z_][\w :.-]{0,40}\|>|<\|\w{1,30}>|<\w{1,30}\|>|</?｜[^｜<>\n]{1,40}｜>",
    # </s> and its like, at the ends only: <s> is HTML, too
    r"<(?:eos|bos|pad|unk|eop|sop|eod|/s)>(?=[\s<\[]{0,9}\Z)|\A<(?:s|bos|sop)>(?=\s|\[INST\])",
    # Llama 2, Mistral, GLM, Apriel, MiniMax
    r"(?-i:\[/?INST\]|\[/?SYSTEM_PROMPT\]|\[gMASK\]|\[(?:BEGIN|END) FINAL RESPONSE\]|\]~!?b\[|\[e~\[)|<</?SYS>>",
    # A thought that is empty by its form
    _LT + _PREFIX + _THOUGHT + r"\s?/>",
)

CITATIONS = (
    # OpenAI's file search, 【4:0†source】 and [1†source]: glific issue 3635, 2024; Codex's 【F:a.md†L1】, 2026
    r"【[^【】\n]{0,80}[†‡][^【】\n]{0,200}】|\[\d{1,3}(?::\d{1,3})?[†‡][^\[\]\n]{0,200}\]",
    # GLM's search, 2025
    r"【(?:turn\d{1,4}[a-z]{1,12}\d{1,4}[,， ]{0,3}){1,20}】",
    # OpenAI's web search: meclaw issue 569, 2026-09; as escapes: LibreChat PR 10888, 2025-12
    "(?:\ue200|\\\\ue200)(?:[^\ue200\ue201\\\\\n]|\\\\(?!ue20[01])){0,300}(?:\ue201|\\\\ue201)",
    # The same, its private-use characters lost on the way: opencodex issue 3150, 2026-09
    "(?<![a-z])(?:file)?cite(?:turn\\d{1,4}[a-z]{1,12}\\d{1,4}){1,20}(?!\\w)|[\ue200-\ue206]",
    # ChatGPT's clients, 2024 on
    r":?(?:contentReference)?\[oaicite:\d{1,4}\](?:\{index=\d{1,4}\})?",
    # Codex, 2026; Grok, 2025; Cohere's accurate citations, 2024
    r"</?oai-mem-citation>|</?grok:render\b[^<>\n]{0,300}>|<co: ?[\d,: \[\]]{1,40}>|</co(?:: ?[\d,: \[\]]{1,40})?>",
    # Gemini, 2025
    r"\[cite(?:_start|_end|: ?[\d,\- ]{1,60})\]",
    # RAGFlow, 2025; Kimi's search, 2024
    r"##\d{1,4}\$\$|\[\^\d{1,3}\^\]",
)

# The possible first characters of a mark, so that most characters of a text don't need the table.
_STARTS = "[<&◁\\[【`#\\\\\ue200-\ue206]|:?contentR|:\\[oai|(?:file)?citeturn|Calling "


def _compiled() -> re.Pattern[str]:
    rows = [f"(?P<o{at}>{row.opens})" for at, row in enumerate(BLOCKS)]
    rows += [f"(?P<c{at}>{row.closes})" for at, row in enumerate(BLOCKS) if row.alone]
    rows += [f"(?P<citation>{'|'.join(CITATIONS)})", f"(?P<control>{'|'.join(CONTROL)})"]
    return re.compile(f"(?={_STARTS})(?:{'|'.join(rows)})", re.IGNORECASE)


MARK = _compiled()
CLOSES = tuple(re.compile(f"(?P<nests>{row.nests})|{row.closes}" if row.nests else row.closes, re.IGNORECASE) for row in BLOCKS)
