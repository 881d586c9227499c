"""The answer of a transcription service: the text, or why there is none."""

from __future__ import annotations

import json
import time

import pytest

from bridge.completion.transcription import MOST_CHARACTERS, Transcriber, transcript_of

NOTHING = ("", "no speech was recognised in it")


def answered(text: object, status: int = 200) -> tuple[str, str]:
    """The result for this text."""
    return transcript_of(status, json.dumps({"text": text}).encode())


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\n", ".", "...", "…", "-", "♪", "♪♪", "[BLANK_AUDIO]", " [BLANK_AUDIO]\n[BLANK_AUDIO]", "[ Silence ]"),
        *("(silence)", "(wind blowing)", "*music*", "<|nospeech|>", "[Music] (applause) ...", "（）", None, 5, [], {}),
    ],
)
def test_the_name_of_a_noise_is_no_word(text: object) -> None:
    """Engines write noises in brackets or between stars; these, and punctuation alone, are no text."""
    assert answered(text) == NOTHING


@pytest.mark.parametrize(
    "text",
    [
        *("Hello", "[Music] Hello", "I (maybe) come", "5", "Ja.", "はい", "*Hello* there", "(no", "a*b", "Stop [BLANK_AUDIO]"),
        "<|en|>Hello",
    ],
)
def test_words_beside_a_noise_are_kept_whole(text: str) -> None:
    """A text with content is not changed."""
    assert answered(f" {text}\n") == (text, "")


@pytest.mark.parametrize(
    ("status", "why"),
    [(400, "answered HTTP 400"), (401, "answered HTTP 401"), (429, "answered HTTP 429"), (503, "answered HTTP 503")],
)
def test_a_refusal_is_no_transcript(status: int, why: str) -> None:
    """The operator gets the status, whatever text comes with it."""
    text, told = answered("Hello", status)
    assert (text, why in told) == ("", True)


@pytest.mark.parametrize("body", [b"", b"Hello", b"[]", b'{"text": "a', b'"Hello"', b'{"words": []}', b"\xff"])
def test_what_is_no_answer_in_the_form_says_nothing(body: bytes) -> None:
    """Any other format than `{"text": ...}` is read as nothing said, never as words."""
    assert transcript_of(200, body) == NOTHING


def test_a_long_transcript_is_cut() -> None:
    """A transcript of brackets is cut quickly too."""
    assert len(answered("a " * MOST_CHARACTERS)[0]) == MOST_CHARACTERS
    began = time.process_time()
    for bracket in ("[", "(", "*", "<|", "[("):
        assert answered(bracket * MOST_CHARACTERS) == NOTHING
    assert time.process_time() - began < 1


@pytest.mark.parametrize("base", ["https://a/v1", "https://a/v1/", "https://a/v1/audio/transcriptions"])
def test_the_base_may_hold_the_path(base: str) -> None:
    """It is called once, wherever the base ends."""
    assert Transcriber(base, "m", "").url == "https://a/v1/audio/transcriptions"
