"""Only the text for the contact is visible, in every dialect that servers write, and ordinary text is unchanged."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bridge.completion.dialects import MARK, THOUGHTS
from bridge.completion.inner_words import Visible, visible
from bridge.model import Reason
from tests.completion.inner_word_cases import INNER, OPEN, ORDINARY, SILENT, SPOKEN, UNCLOSED
from tests.cpu_time import cpu_seconds

MARKS = (
    "<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "◁think▷", "◁/think▷",
    "<|channel|>analysis<|message|>",
    "<|channel|>final<|message|>", "<|end|>", "<|start|>assistant", "<|channel>thought", "<channel|>", "<|START_THINKING|>",
    "<|END_THINKING|>", "<tool_call>", "</tool_call>", "<invoke name='a'>", "</invoke>", "[TOOL_CALLS]", "<|python_tag|>",
    "<|im_start|>user", "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "[INST]", "<｜end▁of▁sentence｜>", "【4:0†source】",
    "\ue200cite\ue202turn0search0\ue201", "[1†source]", "<details type='reasoning'>",
    "</details>", "```", "`", "\n", "\n\n", " ", ".",
)  # fmt: skip
NEVER = [mark for mark in MARKS if len(mark.strip(" .`\n")) > 0 and mark != "</details>"]
WORDS = st.sampled_from(["We", "open", "at", "nine", "a", "B", "é", "9"])


@pytest.mark.parametrize(("who", "text"), SPOKEN, ids=[who for who, _ in SPOKEN])
def test_what_is_meant_for_the_contact_is_left(who: str, text: str) -> None:
    """Thoughts, tool calls, control tokens and citation marks are removed with their spacing; the answer stays."""
    found = visible(text)
    assert (found.text, found.reason, found.unclosed) == (OPEN, None, False), who
    assert found.removed
    assert not any(INNER in kind for kind in found.removed)


@pytest.mark.parametrize(("who", "text", "reason"), SILENT, ids=[who for who, *_ in SILENT])
def test_silence_has_its_reason(who: str, text: str, reason: Reason) -> None:
    """An answer without text for the contact names its kind."""
    found = visible(text)
    assert (found.text.strip(), found.reason, found.unclosed) == ("", reason, False), who


@pytest.mark.parametrize(("who", "text"), UNCLOSED, ids=[who for who, _ in UNCLOSED])
def test_a_thought_that_is_cut_off_is_not_sent(who: str, text: str) -> None:
    """An answer that ends inside a thought is unclosed, and none of it is visible."""
    found = visible(text)
    assert (found.text, found.reason, found.unclosed) == ("", Reason.THOUGHTS_ONLY, True), who
    assert THOUGHTS in found.removed


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_returned_as_it_came(text: str) -> None:
    """Text about marks, HTML, lists, notes, prices and brackets is the same, byte for byte."""
    assert visible(text) == Visible(text, None, (), unclosed=False)


def test_a_preface_stays_and_the_call_is_named() -> None:
    """The caller decides about text before a tool call: it is visible, and `removed` says that a call followed."""
    found = visible("Let me check that.\n<tool_call>{}</tool_call>")
    assert found == Visible("Let me check that.", None, ("tool call",), unclosed=False)


def test_what_was_removed_is_named_in_order() -> None:
    """Each kind is named once, in order of appearance, and never with text."""
    found = visible("<think>Hm.</think>Nine【4:0†source】, or ten【4:1†source】.<|im_end|>\n<|im_start|>user\nThanks")
    assert found.text == "Nine, or ten."
    assert found.removed == ("thoughts", "citation marks", "control tokens", "other turns")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Nine 【1†a】 to six.", "Nine to six."),
        ("Nine.【1†a】We close at six.", "Nine. We close at six."),
        ("- nine【1†a】\n  - six【2†b】\n", "- nine\n  - six"),
        ("Nine.【1†a】\n\nSix.", "Nine.\n\nSix."),
        ("九時です。【1†a】六時です。", "九時です。六時です。"),
        ("(nine 【1†a】)", "(nine)"),
        ("A.\n\n<think>Hm.</think>\n\nB.", "A.\n\nB."),
        ("A.<think>Hm.</think>B.", "A. B."),
        ("See \ue200url\ue202our page\ue202turn0search0\ue201.", "See our page."),
        ('Ask \ue200entity\ue202["company","Example Ltd","a firm"]\ue201 for it.', "Ask Example Ltd for it."),
    ],
)
def test_spacing_is_repaired(text: str, left: str) -> None:
    """Neither a double space nor a space before a full stop stays, and lists keep their format."""
    assert visible(text).text == left


@given(st.text() | st.lists(WORDS | st.sampled_from("<>[]{}()|`'\"†:/*#\n ")).map("".join))
@example("  \n two  spaces \n")
def test_text_without_a_mark_is_unchanged(text: str) -> None:
    """It is the same, byte for byte, in every script and with any brackets."""
    assume(not MARK.search(text))
    found = visible(text)
    assert (found.text, found.removed, found.unclosed) == (text, (), False)


@given(st.lists(st.one_of(st.sampled_from(MARKS), WORDS)).map("".join))
@example("<th<|x|>ink>a")
def test_nothing_is_left_to_take_out(text: str) -> None:
    """Removing a second time changes nothing."""
    once = visible(text)
    again = visible(once.text)
    assert (again.text, again.removed) == (once.text, ())


@given(st.lists(st.one_of(st.sampled_from(NEVER), WORDS)).map("".join))
def test_no_mark_is_left(text: str) -> None:
    """Marks that are attached to words, or to each other, are removed too."""
    left = visible(text).text
    assert not [mark for mark in NEVER if mark in left]


@given(st.sampled_from(["<think>", "<thinking>", "[THINK]", "◁think▷", "<|START_THINKING|>"]), st.text(), st.text())
def test_no_thought_is_left(opening: str, thought: str, answer: str) -> None:
    """Text after an opening mark that never closes, or before a closing one, is never visible."""
    found = visible(f"{opening}xyzzy{thought}")
    assert "xyzzy" not in found.text
    closed = visible(f"xyzzy{thought}\n</think>\n{answer}")
    assert "xyzzy" not in closed.text


HOSTILE = {
    "opening marks in sentences": "a <think> b ",
    "closing marks": "</think>",
    "closing marks in sentences": "x </think> y",
    "half marks": "<",
    "half marks and blanks": "< ",
    "half citation marks": "【4:0†",
    "half private-use marks": "\ue200a",
    "nested folds": "<details>",
    "nested reasoning": "<details type='reasoning'>",
    "backticks": "`a",
    "code fences": "```a\n",
    "tool calls": "a <tool_call> b ",
    "half JSON calls": '{"name": "x", ',
    "turns": "<|im_start|>user ",
    "blanks": " ",
    "line breaks": "\n",
    "agents": "Thought:\nAction: x\n",
    "prose": "We open at nine, and close at six. ",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_time_is_linear(piece: str) -> None:
    """Eight times the text takes about eight times as long, not sixty-four times, up to half a MB of hostile text."""
    small, large = (piece * (size // len(piece)) for size in (62_500, 500_000))
    most = 24 * cpu_seconds(visible, small, runs=3) + 0.01
    assert cpu_seconds(visible, large, most=most) <= most
