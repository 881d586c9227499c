"""The answers of the completion services: texts that quote the question, in pieces, in the service's own format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = re.compile(r"\[(\w+)\]")
# A piece of an answer is longer than half a part, and shorter than one.
FILLER = " and a little more of that" * 40
# The path of each service, and the field of the question.
ASKED: Mapping[str, str] = {"/assistable": "input", "/agencii": "message", "/webhook": "chatInput"}


@dataclass(slots=True)
class Manner:
    """How the services answer.

    An answer has `pieces`, or is empty (`silent`), and ends with `ending`. `claims`: the service claims that it posted its answer
    itself; `delivers`: it does so, after `thinks` seconds. `asks_for_a_person`: it hands over, with a `note` for that person.
    """

    pieces: int = 1
    silent: bool = False
    ending: str = ""
    claims: bool = False
    delivers: bool = False
    thinks: float = 0.0
    asks_for_a_person: bool = False
    note: str = ""

    def text(self, number: int, marks: tuple[str, ...]) -> str:
        """The text of completion `number` for the contact about these messages."""
        quoted = " ".join(f"[{mark}]" for mark in marks)
        filler = FILLER if self.pieces > 1 else ""
        return "" if self.silent else "\n\n".join(f"(c{number}.{piece + 1}) on {quoted}{filler}" for piece in range(self.pieces))

    def answer(self, path: str, said: str, receipt: Mapping[str, str]) -> dict[str, Any]:
        """The answer of the service at this path; `receipt` is the id of its own post."""
        text = said + self.ending
        if path == "/agencii":
            return {"chatId": "chat1", "message": {"content": text}}
        if path == "/webhook":
            return {"output": text, "handover": self.asks_for_a_person, "note": self.note}
        run: dict[str, Any] = {"output": text}
        if receipt:
            run["message"] = receipt
        if self.asks_for_a_person:
            run["response"] = {"toolCalls": [{"function": {"name": "handover"}}]}
        return {"run": run}
