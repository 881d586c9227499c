#!/usr/bin/env bash
# What one would expect: a server that leaves special tokens out of its answer ("skip_special_tokens", the default) shows less of a model's
# private thoughts than one that leaves them in.
# What happens: the marks go and the thoughts stay. gpt-oss's channels become "analysis...assistantfinal...", a thought whose tags are special
# tokens runs into the answer with nothing between the two, and a tool call reads like a sentence. What comes after the server can tell
# thoughts from speech only as long as the marks are there; without them only the server's own reasoning parser can.
# Versions: tokenizers 0.23.3, its default `decode(ids)`; a byte-level vocabulary made here. Seen 2026-11-30. In the wild: an answer
# "analysisWe need to answer ...assistantfinalfour" in macprovider issue 743, 2026-07-25.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "tokenizers==0.23.3"
"$work/venv/bin/python" - <<'PYTHON'
import re
from importlib.metadata import version

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

print("tokenizers", version("tokenizers"))
HIDDEN = "Hide the discount."
ANSWERS = {
    "gpt-oss": f"<|channel|>analysis<|message|>{HIDDEN}<|end|><|start|>assistant<|channel|>final<|message|>We open at nine.<|return|>",
    "think tags": f"<think>{HIDDEN}</think>We open at nine.<|im_end|>",
    "tool call": '<|python_tag|>book.call(day="Tue")<|eom_id|>',
}
EXPECTED = {
    "gpt-oss": "analysisHide the discount.assistantfinalWe open at nine.",
    "think tags": "Hide the discount.We open at nine.",
    "tool call": 'book.call(day="Tue")',
}


def tokenizer(marks):
    """Byte-level, with these marks as special tokens, as in the models' own tokenizers."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={sign: at for at, sign in enumerate(letters)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in marks])
    return made


for name, text in ANSWERS.items():
    made = tokenizer(sorted(set(re.findall(r"<\|\w+\|>|</?think>", text))))
    ids = made.encode(text).ids
    assert made.decode(ids, skip_special_tokens=False) == text, made.decode(ids, skip_special_tokens=False)
    shown = made.decode(ids)
    print(f"{name}: {shown!r}")
    assert shown == EXPECTED[name], "the behaviour has changed"
print("The marks are gone, what they enclosed is not.")
PYTHON
